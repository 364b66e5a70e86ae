"""What the Heads view measures: held in memory, else taken from the shelf, else made with a bar and a Stop button."""

import streamlit as st

from lib.encoders import Checkpoint, Precision
from lib.layers.attention import HeadEntropy, head_entropy, head_entropy_inputs
from lib.layers.attention_map import AttentionMaps, attention_map
from lib.ui import progress, resources
from lib.ui.memory import release
from lib.ui.messages import counted
from lib.ui.shelved import shelved
from lib.ui.workspace import Space

MOST_TOKENS = 48
"""Tokens of a text that a map shows: as many as can be read on one screen."""
_ASK_ABOVE = 6e11
"""Parameters times tokens beyond which the page asks first: about ten seconds on one core."""


def heads(space: Space, checkpoint: Checkpoint, sample: int) -> HeadEntropy | None:
    """What the heads do in a sample of the space's texts; None where it has not been begun, or was stopped.

    Raises:
        InputError: see `head_entropy`.
    """
    inputs = head_entropy_inputs(space.corpus, checkpoint, precision=space.precision, sample=sample)
    return shelved(HeadEntropy, inputs, lambda work: _made(space, checkpoint, inputs["sample"], work))


def _made(space: Space, checkpoint: Checkpoint, sample: int, work: str) -> HeadEntropy | None:
    if checkpoint.parameters * _tokens(space, checkpoint, sample) <= _ASK_ABOVE:
        progress.begin(work)  # soon done: it need not be asked for
    about = (
        f"{counted(sample, 'text')} pass through the encoder once more, in a slower way that shows attention; only "
        "sums are kept."
    )
    if not progress.started(work, "Measure the heads", about=about):
        return None
    with progress.stoppable(work, "Measuring the heads") as tell:
        encoder = resources.encoder(checkpoint, space.precision)
        made = head_entropy(encoder, space.corpus.texts, sample=sample, progress=tell)
    release()
    return made


def _tokens(space: Space, checkpoint: Checkpoint, sample: int) -> float:
    """About how many tokens a sample of the texts has, by their characters."""
    limit = checkpoint.max_tokens or 10**6
    some = space.corpus.texts[:: max(1, len(space.corpus) // 1_000)]
    return sample * sum(min(limit, 2 + len(text) / 4) for text in some) / len(some)


@st.cache_resource(max_entries=8, ttl=resources.HOUR, show_spinner="Looking at the text…")
def text_maps(fingerprint: str, precision: Precision, text: str, _checkpoint: Checkpoint) -> AttentionMaps:
    """Maps of one text as a document, by the checkpoint of that fingerprint."""
    return attention_map(resources.encoder(_checkpoint, precision), text, most=MOST_TOKENS)
