"""What is known of an encoder's layers on a corpus: from the shelf, or by running them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lib.encoders import Encoder
from lib.errors import InputError
from lib.kept import kept
from lib.layers import (
    BuildUp,
    HeadEntropy,
    build_up_inputs,
    head_entropy,
    head_entropy_inputs,
    layer_build_up,
)
from lib.overview.parts import lacks_layers, layer_texts
from lib.progress import Progress
from lib.reports.material import CorpusSide
from lib.shelf import Shelf

NOT_ASKED = "The layers were not run: ask for them, or open the Layers page first."


def known_layers(side: CorpusSide, shelf: Shelf, *, seed: int = 0) -> CorpusSide:
    """`side` with what the shelf has of its layers; what it has not says that it was not asked for."""
    lacking = lacks_layers(side.checkpoint)
    if side.checkpoint is None or lacking is not None:
        return replace(side, layers_needed=lacking or NOT_ASKED, heads_needed=lacking or NOT_ASKED)
    settings: dict[str, Any] = {"precision": side.precision, "seed": seed}
    most = layer_texts(side.corpus)
    built = shelf.get(BuildUp, build_up_inputs(side.corpus, side.checkpoint, most_texts=most, **settings))
    heads = shelf.get(HeadEntropy, head_entropy_inputs(side.corpus, side.checkpoint, **settings))
    return replace(
        side,
        build_up=built,
        heads=heads,
        layers_needed="" if built else NOT_ASKED,
        heads_needed="" if heads else NOT_ASKED,
    )


def with_layers(
    side: CorpusSide,
    shelf: Shelf,
    open_it: Callable[[], Encoder],
    *,
    progress: Callable[[str], Progress],
    seed: int = 0,
) -> CorpusSide:
    """`side` with its layers, which are run where the shelf has none; one that cannot be had says why.

    Args:
        side: the corpus in the encoder's space.
        shelf: where results are kept.
        open_it: opens the encoder; called only where something must be run.
        progress: asked for what to tell how far "Running the layers" and "Measuring the heads" are.
        seed: of the samples.

    Raises:
        Stopped: what is told of the progress said so.
    """
    lacking = lacks_layers(side.checkpoint)
    if side.checkpoint is None or lacking is not None:
        return replace(side, layers_needed=lacking or NOT_ASKED, heads_needed=lacking or NOT_ASKED)
    corpus, checkpoint, most = side.corpus, side.checkpoint, layer_texts(side.corpus)
    settings: dict[str, Any] = {"precision": side.precision, "seed": seed}
    try:
        built = kept(
            BuildUp,
            build_up_inputs(corpus, checkpoint, most_texts=most, **settings),
            shelf,
            lambda: layer_build_up(
                open_it(),
                corpus.texts,
                corpus.labels,
                most_texts=most,
                progress=progress("Running the layers"),
                seed=seed,
            ),
        )
        side = replace(side, build_up=built, layers_needed="")
    except InputError as fault:
        side = replace(side, layers_needed=str(fault))
    try:
        heads = kept(
            HeadEntropy,
            head_entropy_inputs(corpus, checkpoint, **settings),
            shelf,
            lambda: head_entropy(open_it(), corpus.texts, progress=progress("Measuring the heads"), seed=seed),
        )
        return replace(side, heads=heads, heads_needed="")
    except InputError as fault:
        return replace(side, heads_needed=str(fault))
