"""The eight signals as they come: each part in a place of its own, so that one that must wait holds up no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.charts import overview as charts
from lib.errors import InputError
from lib.layers import flag_heads
from lib.overview import depth, space
from lib.overview.finding import Answers
from lib.overview.parts import LAYERS, RETRIEVAL, SPACE, answers_part, lacks_layers, overview_of, too_few
from lib.overview.signals import GROUPS, NAMES, Name, Overview, Part, Signal, StandOut, wanting
from lib.ui.chosen import Chosen
from lib.ui.messages import refuse, tell
from lib.ui.overview import measured
from lib.ui.overview.rows import show_signal
from lib.ui.overview.spaces import Missing, corpus_in, queries_in
from lib.ui.query_space import QuerySpace
from lib.ui.workspace import Space

_HEADINGS = {
    "space": "The space of the corpus",
    "layers": "How the layers build it",
    "retrieval": "What it finds",
}
_AS_ABOVE = "It needs the same as the row above."
_BEGUN = "It has not been measured yet: begin it here, or open the page."


@dataclass
class Seen:
    """What the overview has come to know in this run."""

    space: Space | None = None
    """The corpus in the encoder's space; None where it cannot be had."""
    asked: QuerySpace | None = None
    """The query set in it; None likewise."""
    answers: Answers | None = None
    """How the query set is answered; None likewise."""
    signals: dict[Name, Signal] = field(default_factory=dict)
    """Signals so far."""
    standouts: list[StandOut] = field(default_factory=list)
    """What stands out so far."""

    def overview(self, chosen: Chosen) -> Overview:
        """All of it as one result."""
        checkpoint = chosen.encoder.checkpoint
        corpus = None if chosen.corpus is None else chosen.corpus.corpus
        part = Part(tuple(self.signals.values()), tuple(self.standouts))
        return overview_of(
            [part],
            encoder="" if checkpoint is None else checkpoint.source,
            fingerprint=None if checkpoint is None else checkpoint.fingerprint,
            corpus=corpus,
            queries=None if chosen.queries is None else chosen.queries.query_set,
        )


@contextmanager
def alone(place: DeltaGenerator) -> Iterator[None]:
    """Draw into `place`; where that cannot go on, it says why there, and what comes after is drawn all the same."""
    with place:
        try:
            yield
        except InputError as fault:
            refuse(fault)


def show_signals(chosen: Chosen) -> Seen:
    """Draw the eight rows, the quick ones first, and return what was found."""
    places = _places()
    seen = Seen()
    with places["map"]:
        corpus = corpus_in(chosen)
        if isinstance(corpus, Missing):
            _lacking(seen, places, (*SPACE, *LAYERS), corpus.why)
            corpus.offer("corpus")
        else:
            seen.space = corpus
            _quick(corpus, seen, places)
    with places["ranks"]:
        asked = queries_in(chosen)
        if isinstance(asked, Missing):
            _lacking(seen, places, RETRIEVAL, asked.why)
            if not (isinstance(corpus, Missing) and corpus.key == asked.key == "encoder"):  # one button is enough
                asked.offer("queries")
        else:
            seen.asked = asked
            _retrieval(asked, seen, places)
    _map(seen, places)
    _layers(seen, places)
    return seen


def _places() -> dict[Name, DeltaGenerator]:
    made: dict[Name, DeltaGenerator] = {}
    for group, heading in _HEADINGS.items():
        with st.container(key=f"signals_{group}"):
            st.subheader(heading)
            for name in NAMES:
                if GROUPS[name] == group:
                    made[name] = st.container()
    return made


def _draw(seen: Seen, place: DeltaGenerator, signal: Signal, picture: charts.Small | None = None) -> None:
    seen.signals[signal.name] = signal
    with place:
        show_signal(signal, picture)


def _lacking(seen: Seen, places: dict[Name, DeltaGenerator], names: tuple[Name, ...], needs: str) -> None:
    for place, signal in enumerate(wanting(names, needs)):
        seen.signals[signal.name] = signal
        with places[signal.name]:
            show_signal(signal if not place else replace(signal, needs=_AS_ABOVE))


def _quick(of: Space, seen: Seen, places: dict[Name, DeltaGenerator]) -> None:
    """Mean cosine, dimension and outliers."""
    few = too_few(len(of.corpus))
    if few:
        _lacking(seen, places, (*SPACE, *LAYERS), few)
        return
    with alone(places["anisotropy"]):
        shape = measured.anisotropy(of)
        _draw(seen, places["anisotropy"], space.anisotropy_signal(shape), charts.cosine_picture(shape))
    with alone(places["dimension"]):
        filled = measured.dimension(of)
        _draw(seen, places["dimension"], space.dimension_signal(filled), charts.dimension_picture(filled))
    with alone(places["outliers"]):
        fence = measured.far_out(of)
        _draw(seen, places["outliers"], space.outliers_signal(fence), charts.outlier_picture(fence))
        seen.standouts.append(space.suspicious_inputs(of.corpus, fence))
    fit = measured.label_fit(of)
    if fit is not None:
        seen.standouts.append(space.weakest_label(fit))


def _map(seen: Seen, places: dict[Name, DeltaGenerator]) -> None:
    of = seen.space
    if of is None or "map" in seen.signals:
        return
    with alone(places["map"]):
        layout, groups = measured.layout(of)
        signal = space.map_signal(layout, groups, measured.label_fit(of))
        _draw(seen, places["map"], signal, charts.map_picture(layout, of.labels))


def _layers(seen: Seen, places: dict[Name, DeltaGenerator]) -> None:
    of = seen.space
    if of is None or "layers" in seen.signals:
        return
    why = lacks_layers(of.checkpoint)
    if of.checkpoint is None or why:
        _lacking(seen, places, LAYERS, str(why))
        return
    with alone(places["layers"]):
        built = measured.build_up(of, of.checkpoint)
        if built is None:
            _lacking(seen, places, ("layers",), _BEGUN)
        else:
            _draw(seen, places["layers"], depth.layers_signal(built), charts.build_up_picture(built))
    with alone(places["heads"]):
        heads = measured.heads(of, of.checkpoint)
        if heads is None:
            _lacking(seen, places, ("heads",), _BEGUN)
        else:
            flags = flag_heads(heads)
            _draw(seen, places["heads"], depth.heads_signal(heads, flags), charts.heads_picture(heads, flags))
            seen.standouts.append(depth.flagged_heads(heads, flags))


def _retrieval(asked: QuerySpace, seen: Seen, places: dict[Name, DeltaGenerator]) -> None:
    with alone(places["ranks"]):
        seen.answers = measured.answers(asked)
    found = seen.answers
    if found is None:
        _lacking(seen, places, RETRIEVAL, _BEGUN)
        return
    pictures: dict[Name, charts.Small] = {"ranks": charts.ranks_picture(found.ranks)}
    if found.negatives is not None:
        pictures["hard_negatives"] = charts.gap_picture(found.negatives)
    part = answers_part(found)
    for signal in part.signals:
        _draw(seen, places[signal.name], signal, pictures.get(signal.name))
    with places["ranks"]:
        tell(part.notices)
    seen.standouts += part.standouts
