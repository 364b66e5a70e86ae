"""Labels by a language model: any endpoint that speaks OpenAI's chat protocol, a local one as well.

Whoever runs the server names it; texts leave for it only when a caller asks. What was asked once is kept on the shelf
under its content, so stopping loses nothing and a repeat costs nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.labels.evidence import Evidence
from lib.sae.labels.labelling import Labels, to_labels
from lib.sae.labels.llm_limit import MOST_REQUESTS, RequestLimit
from lib.sae.labels.llm_prompts import Prompt, checked_answer, prompts_for
from lib.shelf import Shelf

_AT_ONCE = 8  # requests in flight
_RETRIES = 5  # the client waits longer before each, and as long as the server asks for
_TIMEOUT = 60.0  # seconds
_KEPT_EVERY = 64  # answers
_ANSWER_TOKENS, _FEWEST_ANSWER_TOKENS, _MOST_ANSWER_TOKENS = 64, 16, 8_192
_MOST_REQUESTS = 1_000_000
_USUAL_ANSWER_TOKENS = 10
_MESSAGE_TOKENS = 12  # what the protocol adds to a prompt, about
_CHARACTERS_A_TOKEN = 3.6  # English, where no tokeniser is at hand
_FEW = {400: "refused the request", 401: "refused the key", 403: "refused the key", 404: "knows no such model"}


@dataclass(frozen=True)
class LlmSettings:
    """An endpoint, as its owner names it."""

    base_url: str
    """Where it answers, such as http://localhost:11434/v1."""
    model: str
    """The model's name there."""
    api_key: str = field(default="none", repr=False)
    """Its key; local servers take any."""
    price_in: float | None = None
    """Price of a million tokens sent, in whatever currency; None where it is not known."""
    price_out: float | None = None
    """Price of a million tokens answered."""
    most_requests: int = MOST_REQUESTS
    """Requests a day, over all visitors of the server."""
    most_answer_tokens: int = _ANSWER_TOKENS
    """Tokens that an answer may have, thoughts included: a label needs few, a model that thinks first some hundreds."""

    @classmethod
    def from_mapping(cls, held: Mapping[str, Any]) -> "LlmSettings":
        """Read `base_url` and `model`, and where they are given the other fields of this class.

        Raises:
            InputError: one that is missing, or a price or limit that is no such number.
        """
        for name in ("base_url", "model"):
            if not str(held.get(name) or "").strip():
                raise InputError(f"The secrets name a language model without {name}: add it under [llm].")
        url = str(held["base_url"]).strip()
        if not url.startswith(("http://", "https://")):
            raise InputError("base_url under [llm] in the secrets should begin with http:// or https://.")
        prices = {name: _price(held.get(name), name) for name in ("price_in", "price_out")}
        return cls(
            url,
            str(held["model"]).strip(),
            str(held.get("api_key") or "none"),
            **prices,
            most_requests=_whole(held, "most_requests", MOST_REQUESTS, 0, _MOST_REQUESTS),
            most_answer_tokens=_whole(
                held, "most_answer_tokens", _ANSWER_TOKENS, _FEWEST_ANSWER_TOKENS, _MOST_ANSWER_TOKENS
            ),
        )


@dataclass(frozen=True)
class LlmAnswers(Result):
    """What a model has answered to the prompts about one dictionary: kept on the shelf."""

    answers: dict[str, str]
    """Prompt key to the answer, unchecked."""


@dataclass(frozen=True)
class Estimate(Result):
    """What labelling would send and cost."""

    requests: int
    """Prompts that would be sent; the others have an answer."""
    cached: int
    """Prompts whose answer is kept."""
    tokens_in: int
    """Tokens that would be sent, about."""
    tokens_out: int
    """Tokens that would come back, about."""
    cost: float | None
    """In the currency of the prices; None where those are not known."""
    tokens_out_at_most: int
    """Tokens that would come back if every answer took all that it may."""
    cost_at_most: float | None
    """The cost of that."""


def estimate(
    evidence: Evidence, settings: LlmSettings, shelf: Shelf, *, tokens: Callable[[str], int] | None = None
) -> Estimate:
    """What `label_with_llm` would cost; `tokens` counts those of a text, else 3.6 characters are taken as one."""
    kept = _kept(evidence, settings, shelf)
    prompts = prompts_for(evidence)
    asked = [prompt for prompt in prompts if prompt.key not in kept]
    length = tokens or (lambda text: round(len(text) / _CHARACTERS_A_TOKEN))
    sent = sum(length(prompt.user) for prompt in asked)
    sent += len(asked) * (length(asked[0].system) + _MESSAGE_TOKENS) if asked else 0
    back = _USUAL_ANSWER_TOKENS * len(asked)
    most = settings.most_answer_tokens * len(asked)
    return Estimate(
        requests=len(asked),
        cached=len(prompts) - len(asked),
        tokens_in=sent,
        tokens_out=back,
        cost=_cost(settings, sent, back),
        tokens_out_at_most=most,
        cost_at_most=_cost(settings, sent, most),
    )


def label_with_llm(
    evidence: Evidence,
    settings: LlmSettings,
    shelf: Shelf,
    *,
    limit: RequestLimit | None = None,
    progress: Progress | None = None,
) -> Labels:
    """Ask the model for a label of each feature of `evidence`, and score what it says on held-out texts.

    An answer that is no label leaves its feature without one. Nothing is sent where `limit` does not suffice.

    Raises:
        InputError: the endpoint cannot be reached, or refuses, or the limit is reached; what it answered until then is
            kept.
    """
    prompts, kept = prompts_for(evidence), _kept(evidence, settings, shelf)
    todo = [prompt for prompt in prompts if prompt.key not in kept]
    if todo:
        if limit is not None:
            limit.check(len(todo))
        try:
            _ask(todo, settings, kept, lambda: _keep(kept, evidence, settings, shelf), limit=limit, progress=progress)
        finally:
            _keep(kept, evidence, settings, shelf)
    found = {prompt.feature: checked_answer(kept.get(prompt.key)) for prompt in prompts}
    chosen = {feature: (label, settings.model) for feature, label in found.items() if label}
    scores = evidence.score_labels({feature: label for feature, (label, _) in chosen.items()})
    return to_labels(evidence, chosen, scores, {}, settings.model)


def _ask(
    prompts: Sequence[Prompt],
    settings: LlmSettings,
    answers: dict[str, str],
    keep: Callable[[], None],
    *,
    limit: RequestLimit | None,
    progress: Progress | None,
) -> None:
    """Put the answers to `prompts` into `answers`; stops asking as soon as one fails or `progress` raises."""
    import openai

    def count(request: Any) -> None:
        if limit is not None and request.headers.get("x-stainless-retry-count", "0") != "0":
            limit.count()  # the first attempt was counted before

    with openai.OpenAI(
        base_url=settings.base_url, api_key=settings.api_key, max_retries=_RETRIES, timeout=_TIMEOUT,
        http_client=openai.DefaultHttpxClient(timeout=_TIMEOUT, event_hooks={"request": [count]}),
    ) as client:  # fmt: skip
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="llm")
        try:
            waiting = {pool.submit(_answer, client, settings, prompt, limit): prompt for prompt in prompts}
            for done, future in enumerate(as_completed(waiting), 1):
                answers[waiting[future].key] = future.result()
                if progress:
                    progress(done, len(prompts))
                if not done % _KEPT_EVERY:
                    keep()
        except openai.APIStatusError as fault:
            what = _FEW.get(fault.status_code, f"answered with status {fault.status_code}")
            raise InputError(
                f"The language model's endpoint {what} ({settings.model}): see [llm] in the secrets, or try later. "
                "What it answered so far is kept."
            ) from None
        except openai.OpenAIError as fault:
            raise InputError(
                f"The language model's endpoint cannot be used ({type(fault).__name__}): see base_url under [llm] in "
                "the secrets, and whether it runs. What it answered so far is kept."
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _answer(client: Any, settings: LlmSettings, prompt: Prompt, limit: RequestLimit | None) -> str:
    if limit is not None:
        limit.take()
    found = client.chat.completions.create(
        model=settings.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        max_completion_tokens=settings.most_answer_tokens,
    )
    choices = getattr(found, "choices", None) or []
    return str(choices[0].message.content or "")[:1_000] if choices else ""


def _inputs(evidence: Evidence, settings: LlmSettings) -> dict[str, Any]:
    return {
        "endpoint": settings.base_url,
        "model": settings.model,
        "answer_tokens": settings.most_answer_tokens,  # an answer that was cut short is asked for again with more
        "sae": evidence.sae.key,
    }


def _kept(evidence: Evidence, settings: LlmSettings, shelf: Shelf) -> dict[str, str]:
    found = shelf.get(LlmAnswers, _inputs(evidence, settings))
    return dict(found.answers) if found else {}


def _keep(answers: dict[str, str], evidence: Evidence, settings: LlmSettings, shelf: Shelf) -> None:
    """Put the answers beside those that others may have kept meanwhile."""
    shelf.put(LlmAnswers(_kept(evidence, settings, shelf) | answers), _inputs(evidence, settings))


def _cost(settings: LlmSettings, sent: int, back: int) -> float | None:
    if settings.price_in is None or settings.price_out is None:
        return None
    return (sent * settings.price_in + back * settings.price_out) / 1e6


def _price(given: object, name: str) -> float | None:
    if given is None or given == "":
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 1e9:
        raise InputError(f"{name} under [llm] in the secrets should be a number, the price of a million tokens.")
    return float(given)


def _whole(held: Mapping[str, Any], name: str, usual: int, fewest: int, most: int) -> int:
    given = held.get(name, usual)
    if isinstance(given, bool) or not isinstance(given, int) or not fewest <= given <= most:
        raise InputError(f"{name} under [llm] in the secrets should be a whole number from {fewest} to {most:,}.")
    return given
