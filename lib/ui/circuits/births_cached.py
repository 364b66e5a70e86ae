"""The births of a corpus's features: held in memory, else taken from the shelf, else made here with a Stop button."""

from lib.encoders import Checkpoint
from lib.sae.circuits.births import Births, births
from lib.sae.circuits.lens import Lens
from lib.sae.circuits.shelved import births_inputs
from lib.ui import progress, resources
from lib.ui.memory import release
from lib.ui.messages import counted
from lib.ui.progress import started, stoppable
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_ASK_ABOVE = 5e10
"""Texts times parameters beyond which the page asks first: about 2,000 texts with the packaged encoder, 8 s."""


def born(space: SaeSpace, checkpoint: Checkpoint, lens: Lens, most: int | None) -> Births | None:
    """Where the features are born, on at most so many texts; None where it has not been begun, or was stopped.

    Raises:
        InputError: see `births`.
    """
    corpus = space.space.corpus
    inputs = births_inputs(
        corpus.texts, checkpoint, precision=space.space.precision, sae=space.sae, lens=lens, most=most or len(corpus)
    )
    return shelved(Births, inputs, lambda work: _made(space, checkpoint, lens, (most, work)))


def _made(space: SaeSpace, checkpoint: Checkpoint, lens: Lens, what: tuple[int | None, str]) -> Births | None:
    most, work = what
    corpus = space.space.corpus
    texts = min(most or len(corpus), len(corpus))
    if texts * checkpoint.parameters <= _ASK_ABOVE:
        progress.begin(work)  # soon done: it need not be asked for
    about = (
        f"{counted(texts, 'text')} pass through the encoder once more, which takes about as long as encoding them; "
        "the dictionary is applied at every depth."
    )
    if not started(work, "Follow the features", about=about):
        return None
    with stoppable(work, "Following the features") as tell:
        encoder = resources.encoder(checkpoint, space.space.precision)
        made = births(encoder, corpus.texts, sae=space.sae, lens=lens, most=texts, progress=tell)
    release()
    return made
