"""Attention entropy: how narrowly each head looks, at what, and what it adds to the residual stream.

For a token i that may look at n_i tokens (all real ones; in causal attention those up to itself; in a sliding window
those inside it) with attention p_i1, p_i2, ..., the normalised entropy is -sum_j p_ij ln p_ij / ln n_i: 0 = one token
takes all, 1 = every token gets the same. A token that may look at one token only has none and is left out, and so is
a text of one token. A head's entropy is the mean over texts of each text's mean over tokens, special tokens and prompt
included, padding never.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import Corpus
from lib.embeddings import space_of
from lib.encoders import Checkpoint, Precision
from lib.encoders.batches import Distinct, distinct
from lib.encoders.prompts import Role
from lib.encoders.taps import AttentionTap
from lib.errors import InputError, Stopped
from lib.geometry.vectors import sample_rows
from lib.layers.head_sums import TARGETS, HeadSums
from lib.results import Result

if TYPE_CHECKING:
    from torch import Tensor

    from lib.encoders import Encoder
    from lib.encoders.encoder import Batch

BATCH_TOKENS = 1024
"""Fewer than for encoding: maps grow with the length of a text and should stay in the processor's caches."""
SAMPLE = 256
"""Texts measured unless more are asked for."""
MOST_MAP_BYTES = 500_000_000
"""What the maps of one layer may take for one text; longer texts are left out and counted."""
_VERSION = 1
"""Raised when the same texts, encoder and settings would give another result than before."""


@dataclass(frozen=True)
class HeadEntropy(Result):
    """What each head does, over texts. Not comparable between encoders with other tokenizers."""

    entropy: NDArray[np.float64]
    """Mean normalised entropy, shape (layers, heads), in [0, 1]: 0 = one token takes all, 1 = uniform."""
    spread: NDArray[np.float64]
    """Its standard deviation over texts, shape (layers, heads)."""
    targets: tuple[str, ...]
    """Where a head may look, m of them: the first and the last token of the text ([CLS] and [SEP] for BERT), the token
    itself, the one before it and the one after it. The first token may be the previous one as well: shares overlap."""
    masses: NDArray[np.float64]
    """Mean attention to each target over the tokens that can look there, shape (layers, heads, m), in [0, 1]; not a
    number where none can. The first and the last token are left out of the attention to themselves."""
    output_norm: NDArray[np.float64] | None
    """Mean length of what the head adds to the residual stream (attention times values, through its columns of the
    output projection, without the latter's bias), shape (layers, heads); None where the architecture hides it."""
    output_share: NDArray[np.float64] | None
    """The same divided by the mean length of what all heads of the layer add together, shape (layers, heads), >= 0; 0
    in a layer that adds nothing. Heads that oppose each other add up to more than 1."""
    sight: tuple[str, ...]
    """What a token may look at in each layer: "all", "earlier" (causal) or "window"."""
    texts: int
    """Texts measured."""
    tokens: int
    """Tokens in them."""
    one_token: int
    """Texts drawn but left out, since they have no second token to look at."""
    too_long: int
    """Texts drawn but left out, since their maps would not fit in memory."""
    most_tokens: int
    """Tokens beyond which a text is too long for that."""
    truncated: int
    """Texts measured that were cut at the encoder's maximum length."""
    drawn: int
    """Texts drawn: all, or a uniform sample without replacement."""
    items: int
    """Texts in the corpus."""
    seed: int
    """Seed of the sample."""

    @property
    def shape(self) -> tuple[int, int]:
        """Layers and heads."""
        layers, heads = self.entropy.shape
        return layers, heads


def head_entropy(
    encoder: "Encoder",
    texts: Sequence[str],
    *,
    role: Role = "document",
    sample: int = SAMPLE,
    batch_tokens: int = BATCH_TOKENS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> HeadEntropy:
    """Measure the heads of `encoder` over `texts`, in one pass, a batch and a layer at a time.

    Args:
        encoder: a transformer that shows its attention.
        texts: any number; above `sample` a uniform sample of them is taken.
        role: "query" or "document", for its prompt.
        sample: texts at most.
        batch_tokens: tokens in a batch, padding included.
        seed: of the sample.
        progress: told the distinct texts done and all of them, first with 0 and then after every batch.
        should_stop: asked before every batch.

    Raises:
        InputError: no attention to be had, no text of two tokens, or a sample of less than 1.
        Stopped: `should_stop` said so.
    """
    if sample < 1 or not len(texts):
        raise InputError(f"Attention needs at least one text, got {len(texts)} and a sample of {sample}.")
    rows = sample_rows(len(texts), min(sample, len(texts)), seed=seed)
    todo = distinct([texts[row] for row in rows])
    walk = _Walk(AttentionTap(encoder, role), todo)
    done = 0
    if progress:
        progress(0, len(todo.texts))
    for batch in encoder.batches(todo, role, batch_tokens=min(batch_tokens, walk.most_tokens)):
        if should_stop and should_stop():
            raise Stopped(f"Stopped after {done:,} of {len(todo.texts):,} texts.")
        walk.take(batch)
        done += len(batch.items)
        if progress:
            progress(done, len(todo.texts))
    return walk.result(drawn=len(rows), items=len(texts), seed=seed)


def head_entropy_inputs(
    corpus: Corpus, checkpoint: Checkpoint, *, precision: Precision, sample: int = SAMPLE, seed: int = 0
) -> dict[str, Any]:
    """Inputs of `lib.shelf.Shelf` for `head_entropy` of a corpus as documents: what the result depends on.

    A sample as large as the corpus, or larger, is the corpus.
    """
    return {
        "corpus": corpus.key,
        "space": space_of(checkpoint, role="document", precision=precision),
        "version": _VERSION,
        "sample": min(sample, len(corpus)),
        "seed": seed if sample < len(corpus) else 0,
    }


class _Walk:
    """The state of one pass over the texts; `most_tokens` is the longest text whose maps fit in memory."""

    def __init__(self, tap: AttentionTap, todo: Distinct) -> None:
        self._tap = tap
        self._times = np.bincount(todo.place, minlength=len(todo.texts))
        self._sums = HeadSums.empty(tap.layers, tap.heads)
        self._weights = [tap.weight(layer) for layer in range(tap.layers)]
        self.most_tokens = int((MOST_MAP_BYTES / (4 * tap.heads)) ** 0.5)
        self._ends: tuple[set[str], set[str]] = (set(), set())
        self._tokens = self._one_token = self._too_long = self._truncated = 0

    def take(self, batch: "Batch") -> None:
        """Add a batch."""
        times, lengths = self._times[batch.items], batch.lengths
        if lengths.max() > self.most_tokens:  # in a batch of its own, since no batch has more tokens
            self._too_long += int(times.sum())
            return
        counted = times * (lengths > 1)
        self._one_token += int(times.sum() - counted.sum())
        self._tokens += int(counted @ lengths)
        self._truncated += int(counted @ batch.truncated)
        for encoding in batch.encodings:
            if len(encoding.ids) > 1:
                special, spelled = encoding.special_tokens_mask, self._tap.tokens(encoding)
                for names, place in zip(self._ends, (0, -1), strict=True):
                    names.add(spelled[place] if special[place] else "")
        self._run(batch, counted)

    def _run(self, batch: "Batch", counted: NDArray[np.int64]) -> None:
        import torch

        real = batch.features["attention_mask"].bool()
        times = torch.from_numpy(counted.astype(np.float64))

        def maps(layer: int, given: "Tensor", keys: "Tensor") -> None:
            self._sums.add_maps(layer, given, keys=keys, real=real.to(given.device), times=times.to(given.device))

        def outputs(layer: int, given: "Tensor") -> None:
            weight = _fine(self._weights[layer])
            if weight is not None:
                self._sums.add_outputs(
                    layer, given, weight=weight, real=real.to(given.device), times=times.to(given.device)
                )

        self._tap.run(batch, maps, outputs)

    def result(self, *, drawn: int, items: int, seed: int) -> HeadEntropy:
        """What was found.

        Raises:
            InputError: nothing, since no text could be measured.
        """
        sums, texts = self._sums, int(self._sums.texts.max())
        if not texts:
            raise InputError(
                f"Attention needs a text of at least 2 and at most {self.most_tokens:,} tokens; of the {drawn:,} drawn "
                f"{self._one_token:,} have fewer and {self._too_long:,} more."
            )
        mean = sums.entropy / texts
        with np.errstate(invalid="ignore"):
            masses = sums.masses / sums.mass_texts[:, None]
        hidden = any(weight is None for weight in self._weights)
        totals = sums.totals[:, None]
        return HeadEntropy(
            entropy=mean,
            spread=np.sqrt(np.maximum(sums.squares / texts - mean**2, 0)),
            targets=_target_names(*self._ends),
            masses=masses,
            output_norm=None if hidden else sums.norms / texts,
            output_share=None if hidden else np.divide(sums.norms, totals, out=0 * sums.norms, where=totals > 0),
            sight=tuple(
                "window" if narrow else "all" if later else "earlier"
                for later, narrow in zip(sums.later, sums.narrowed, strict=True)
            ),
            texts=texts,
            tokens=self._tokens,
            one_token=self._one_token,
            too_long=self._too_long,
            most_tokens=self.most_tokens,
            truncated=self._truncated,
            drawn=drawn,
            items=items,
            seed=seed,
        )


def _fine(weight: "Tensor | None") -> "Tensor | None":
    """The same in float32, or as it is where it is finer."""
    import torch

    return weight if weight is None or weight.dtype == torch.float64 else weight.float()


def _target_names(first: set[str], last: set[str]) -> tuple[str, ...]:
    """Names of TARGETS; a token that begins (or ends) every text and is a special one goes by its own."""
    begin, end = (next(iter(names)) if len(names) == 1 else "" for names in (first, last))
    names = {"first": begin or "first token", "last": end or "last token", "self": "itself"}
    return tuple(names.get(target, f"{target} token") for target in TARGETS)
