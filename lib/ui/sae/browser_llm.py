"""Labels by the language model that the server's owner named: what would be sent, what it costs, and only if agreed."""

from collections.abc import Callable
from urllib.parse import urlsplit

import streamlit as st

from lib.errors import InputError
from lib.sae.database import make_database
from lib.sae.labels import Evidence, gather
from lib.sae.labels.llm import Estimate, LlmSettings, estimate, label_with_llm
from lib.sae.labels.llm_limit import RequestLimit, default_limit
from lib.sae.statistics import rank_features
from lib.ui import resources
from lib.ui.messages import count, counted, plain, refuse
from lib.ui.progress import stoppable
from lib.ui.sae import labels_in_force
from lib.ui.sae.browser_cached import embedder, part_of
from lib.ui.sae.cached import codes
from lib.ui.sae_space import SaeSpace

_USUAL, _MOST = 30, 5_000
_ASKED = "_browser_llm_asked"


def llm_settings() -> LlmSettings | None:
    """The endpoint under [llm] in the secrets; None where the owner named none.

    Raises:
        InputError: what is named there cannot be used.
    """
    if not st.secrets.load_if_toml_exists() or "llm" not in st.secrets:
        return None
    return LlmSettings.from_mapping(dict(st.secrets["llm"]))


def show_llm(space: SaeSpace) -> None:
    """Draw the estimate, the agreement and the button; ask, and show what comes back.

    Raises:
        InputError: the settings cannot be used, the endpoint fails, or the day's requests do not suffice.
    """
    settings = llm_settings()
    if settings is None:
        raise InputError("No language model is set up here: its owner names one under [llm] in the secrets.")
    most = int(
        st.number_input(
            "Features to label", 1, _MOST, _USUAL, key="browser_llm_most", bind="query-params", width=170,
            help="Those of the highest total activation on this corpus.",
        )
    )  # fmt: skip
    key = f"{space.codes_key}/{space.space.corpus.key}"
    evidence = _evidence(key, most, space)
    cost = estimate(evidence, settings, resources.shelf(), tokens=_tokens(space))
    limit = default_limit(settings.most_requests)
    left = limit.left()
    host = urlsplit(settings.base_url).hostname or settings.base_url
    st.markdown(plain(_told(settings, host, cost)))
    if cost.requests > left:
        refuse(_too_many(settings, cost, left))
    agreed = st.checkbox(
        plain(f"I agree that texts of this corpus are sent to {host}"),
        key=f"browser_agree_{space.space.corpus.key[:16]}", persist_state="session",
        help="Without it nothing of this corpus leaves this machine.",
    )  # fmt: skip
    allowed = cost.requests <= left and (agreed or not cost.requests)
    st.button(
        "Ask the model", disabled=not allowed, icon=":material/send:", key="browser_ask", on_click=_begin
    )  # fmt: skip
    if st.session_state.pop(_ASKED, False) and allowed:  # popped before the work, so that Stop ends it
        _ask(space, evidence, settings, limit)


def _begin() -> None:
    st.session_state[_ASKED] = True


def _ask(space: SaeSpace, evidence: Evidence, settings: LlmSettings, limit: RequestLimit) -> None:
    with stoppable("browser_llm", f"Asking {plain(settings.model)}") as tell:
        found = label_with_llm(evidence, settings, resources.shelf(), limit=limit, progress=tell)
    corpus = space.space.corpus.name
    base = labels_in_force.chosen_database(space.sae) or space.shipped
    base = base or make_database(space.sae, part_of(space, None).statistics, corpus=corpus)
    labels_in_force.choose_database(space.sae, base.with_made(found, corpus))
    st.toast(f"{counted(found.labelled, 'label')} made.")
    st.rerun()


def _told(settings: LlmSettings, host: str, cost: Estimate) -> str:
    price = "its price is not known here"
    if cost.cost is not None and cost.cost_at_most is not None:
        price = (
            f"about {cost.cost:.3g} in the currency of its prices, {cost.cost_at_most:.3g} if every answer takes the "
            f"{count(settings.most_answer_tokens)} tokens that it may"
        )
    return (
        f"{settings.model} at {host} would be asked {counted(cost.requests, 'question')} ({count(cost.cached)} are "
        f"answered already): about {count(cost.tokens_in)} tokens of texts that fire a feature, and that do not, and "
        f"{count(cost.tokens_out)} back, at most {count(cost.tokens_out_at_most)}; {price}."
    )


def _too_many(settings: LlmSettings, cost: Estimate, left: int) -> str:
    return (
        f"This server sends its language model at most {counted(settings.most_requests, 'request')} a day, over all "
        f"visitors; {count(left)} are left today (UTC) and {count(cost.requests)} would be needed: label fewer "
        "features, or come back tomorrow."
    )


@st.cache_resource(max_entries=4, ttl=resources.HOUR, show_spinner="Choosing texts…")
def _evidence(key: str, most: int, _space: SaeSpace) -> Evidence:
    top = rank_features(part_of(_space, None).statistics, "total")[:most]
    return gather(
        codes(_space),
        _space.space.corpus.texts,
        _space.sae,
        embedder(_space),
        vectors=_space.space.vectors,
        features=top,
    )


def _tokens(space: SaeSpace) -> Callable[[str], int] | None:
    """Counts tokens as the encoder does, which is near what language models count; None without a tokenizer."""
    checkpoint = space.space.checkpoint
    if checkpoint is None:
        return None
    tokenizer = resources.encoder(checkpoint, space.space.precision).tokenizer
    return None if tokenizer is None else lambda text: len(tokenizer.spans([text])[0])
