"""The lens by which layers are read: tuned where one is at hand, else fitted on request; raw with a warning."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.encoders import Checkpoint
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Kind, Lens, raw_lens
from lib.sae.circuits.lens_file import known_lens
from lib.sae.circuits.lens_fit import FEWEST_TEXTS, MOST_TEXTS, fit_lens, measure_lens
from lib.ui import resources
from lib.ui.controls import one_of
from lib.ui.memory import release
from lib.ui.messages import count, counted
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

TUNED: Kind = "tuned"
RAW: Kind = "raw"
_MEASURED = 500  # texts of the corpus by which the raw lens is measured
_VERSION = 1  # raised when the same texts would give another lens than before
_HELP = (
    "How a layer's state is read. Tuned: mapped to the output by a ridge regression, one for each layer, fitted on a "
    "reference corpus (Belrose et al. 2023). Raw: as it is, which the dictionary was not trained on."
)


def choose_lens(space: SaeSpace, checkpoint: Checkpoint, row: DeltaGenerator) -> Lens | None:
    """Draw the choice of a lens in `row`; None where a tuned one must be fitted first and that has not been begun.

    Raises:
        InputError: no lens can be fitted on this corpus, or the encoder's layers cannot be read as outputs.
    """
    shipped = _at_hand(TUNED, space, checkpoint)
    with row:
        chosen = one_of("Lens", [RAW, TUNED] if shipped is None else [TUNED, RAW], key="circuit_lens", help=_HELP)
    if chosen == RAW:
        if shipped is None:
            st.caption(":material/info: A tuned lens for this encoder is fitted on this corpus when you choose it.")
        return _raw(space, checkpoint)
    return _fitted(space, checkpoint) if shipped is None else shipped


@st.cache_resource(max_entries=8, ttl=resources.HOUR, show_spinner=False)
def _shipped(kind: Kind, fingerprint: str, sae_key: str, _of: tuple[Checkpoint, SparseAutoencoder]) -> Lens | None:
    return known_lens(kind, *_of)


def _at_hand(kind: Kind, space: SaeSpace, checkpoint: Checkpoint) -> Lens | None:
    """The lens that ships for this encoder."""
    return _shipped(kind, checkpoint.fingerprint, space.sae.key, (checkpoint, space.sae))


def _raw(space: SaeSpace, checkpoint: Checkpoint) -> Lens | None:
    """The raw lens: as it ships, or measured on some texts of the corpus."""
    shipped = _at_hand(RAW, space, checkpoint)
    if shipped is not None and shipped.fvu is not None:
        return shipped
    inputs = _inputs(space, checkpoint, RAW)
    return shelved(Lens, inputs, lambda work: _raw_made(space, checkpoint, work))


def _raw_made(space: SaeSpace, checkpoint: Checkpoint, work: str) -> Lens | None:
    corpus, lens = space.space.corpus, raw_lens(checkpoint)
    if len(set(corpus.texts)) < 2:
        return lens
    begin(work)
    if not started(work, "Measure it", about="How far each layer can be read is measured on texts of this corpus."):
        return lens
    with stoppable(work, "Measuring the lens") as tell:
        encoder = resources.encoder(checkpoint, space.space.precision)
        made = measure_lens(
            lens, encoder, corpus.texts, sae=space.sae, corpus=corpus.name, most=_MEASURED, progress=tell
        )
    release()
    return made


def _fitted(space: SaeSpace, checkpoint: Checkpoint) -> Lens | None:
    """A lens fitted on the corpus."""
    return shelved(Lens, _inputs(space, checkpoint, TUNED), lambda work: _fitted_made(space, checkpoint, work))


def _fitted_made(space: SaeSpace, checkpoint: Checkpoint, work: str) -> Lens | None:
    corpus = space.space.corpus
    texts = min(len(set(corpus.texts)), MOST_TEXTS)
    about = (
        f"No tuned lens is at hand for {checkpoint.source}: {counted(texts, 'text')} of this corpus pass through its "
        "layers once, a fifth of them held out to measure it; the lens is kept. The more texts, the better: "
        f"{count(FEWEST_TEXTS)} are the fewest, thousands are good."
    )
    if not started(work, "Fit a tuned lens on this corpus", about=about):
        return None
    with stoppable(work, "Fitting the lens") as tell:
        encoder = resources.encoder(checkpoint, space.space.precision)
        made = fit_lens(encoder, corpus.texts, sae=space.sae, corpus=corpus.name, progress=tell)
    release()
    return made


def _inputs(space: SaeSpace, checkpoint: Checkpoint, kind: Kind) -> dict[str, object]:
    return {
        "kind": kind,
        "encoder": checkpoint.fingerprint,
        "precision": space.space.precision,
        "vectors": space.space.vectors_key,
        "sae": space.sae.key,
        "version": _VERSION,
    }
