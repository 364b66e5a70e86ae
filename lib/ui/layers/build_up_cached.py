"""The build-up of a space: held in memory, else taken from the shelf, else made here with a bar and a Stop button."""

from lib.encoders import Checkpoint
from lib.layers.build_up import BuildUp, layer_build_up
from lib.layers.shelved import build_up_inputs
from lib.ui import progress, resources
from lib.ui.memory import release
from lib.ui.messages import counted
from lib.ui.progress import started, stoppable
from lib.ui.shelved import shelved
from lib.ui.workspace import Space

_ASK_ABOVE = 5e10
"""Texts times parameters beyond which the page asks first: about 2,000 texts with the packaged encoder, 7 s."""


def build_up(space: Space, checkpoint: Checkpoint, most_texts: int | None) -> BuildUp | None:
    """The build-up of at most so many texts of the space; None where it has not been begun, or was stopped.

    Raises:
        InputError: see `layer_build_up`.
    """
    inputs = build_up_inputs(space.corpus, checkpoint, precision=space.precision, most_texts=most_texts)
    return shelved(BuildUp, inputs, lambda work: _made(space, checkpoint, inputs["most_texts"], work))


def _made(space: Space, checkpoint: Checkpoint, most_texts: int | None, work: str) -> BuildUp | None:
    texts = most_texts or len(space.corpus)
    if texts * checkpoint.parameters <= _ASK_ABOVE:
        progress.begin(work)  # soon done: it need not be asked for
    about = (
        f"{counted(texts, 'text')} pass through the encoder once more, which takes about as long as encoding them; "
        "only sums and a sample of states are kept."
    )
    if not started(work, "Run the layers", about=about):
        return None
    with stoppable(work, "Running the layers") as tell:
        encoder = resources.encoder(checkpoint, space.precision)
        made = layer_build_up(encoder, space.corpus.texts, space.labels, most_texts=most_texts, progress=tell)
    release()
    return made
