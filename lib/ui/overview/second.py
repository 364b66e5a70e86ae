"""A second encoder beside the first: both numbers of each signal, and which differences are more than chance."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_STATIC, PACKAGED_TUNED, Checkpoint
from lib.errors import InputError
from lib.overview import depth, finding, space
from lib.overview.beside import Difference
from lib.overview.parts import LAYERS, RETRIEVAL, SPACE, lacks_layers, too_few
from lib.overview.signals import NAMES, TITLES, Name, Signal, wanting
from lib.ui import downloads, resources
from lib.ui.chosen import Chosen
from lib.ui.encoding import encoded_or_none
from lib.ui.messages import plain, refuse, tell
from lib.ui.overview import measured
from lib.ui.overview.spaces import WAITING
from lib.ui.overview.whole import Seen, alone
from lib.ui.query_space import read_by
from lib.ui.retrieval.contenders import short_name
from lib.ui.workspace import Space

_CHOSEN = "beside"
_OFFERED = (PACKAGED, PACKAGED_STATIC, PACKAGED_TUNED, PACKAGED_HARMFUL)


def second_encoder() -> Checkpoint | None:
    """Who is chosen to compare with on this page or was on the last one; None where nobody is, or it cannot open."""
    name = st.session_state.get(_CHOSEN)
    found = resources.checkpoint(str(name)) if name else None
    return None if isinstance(found, InputError) else found


def choose_second(chosen: Chosen) -> Checkpoint | None:
    """Draw the choice; None where nobody is chosen, or it cannot be opened, which is then said."""
    own = chosen.encoder.checkpoint
    name = st.selectbox(
        "Compare with", [one for one in _OFFERED if own is None or one != own.source], index=None, key=_CHOSEN,
        bind="query-params", persist_state="session", accept_new_options=True, width=380,
        placeholder="A second encoder: choose or type one",
        help="Both numbers of each signal on the same texts and queries, and paired tests where there are any.",
    )  # fmt: skip
    if not name:
        return None
    found = resources.checkpoint(str(name))
    if isinstance(found, InputError):
        refuse(found)
        return None
    if own is not None and found.fingerprint == own.fingerprint:
        tell([f"{name} is the encoder in the sidebar: choose another one to compare."])
        return None
    return found


def show_second(place: DeltaGenerator, chosen: Chosen, second: Checkpoint, seen: Seen) -> None:
    """Measure the second encoder and draw the table into `place`."""
    with alone(place):
        other = _measured(chosen, second, seen)
        spaces = (seen.space, other.space) if seen.space is not None and other.space is not None else None
        asked = (seen.asked, other.asked) if seen.asked is not None and other.asked is not None else None
        answers = (seen.answers, other.answers) if seen.answers is not None and other.answers is not None else None
        found = measured.compared(spaces, asked, answers if asked else None)
        _table(chosen, second, (seen.signals, other.signals), found)


def _measured(chosen: Chosen, second: Checkpoint, first: Seen) -> Seen:
    seen = Seen()
    signals: list[Signal] = []
    own = first.space
    if own is None or own.checkpoint is None or too_few(len(own.corpus)):
        why = "The corpus brought embeddings of its own, or cannot be read by a second encoder."
        signals += wanting((*SPACE, *LAYERS), why)
    else:
        seen.space = _read_by(second, own)
        if seen.space is None:
            signals += wanting((*SPACE, *LAYERS), WAITING)
        else:
            signals += _of_space(seen.space)
            signals += _of_layers(seen.space, second)
    if first.asked is not None:
        seen.asked = read_by(first.asked.queries, second, chosen.encoder.precision)
        seen.answers = None if seen.asked is None else measured.answers(seen.asked, words=False)
    if seen.answers is not None and first.answers is not None:
        seen.answers = replace(seen.answers, rival=first.answers.rival)
        signals += [finding.ranks_signal(seen.answers), finding.negatives_signal(seen.answers)]
    else:
        signals += wanting(RETRIEVAL, "It needs a query set that was answered.")
    seen.signals = {signal.name: signal for signal in signals}
    return seen


def _read_by(second: Checkpoint, own: Space) -> Space | None:
    made = encoded_or_none(own.corpus.key, own.corpus.texts, second, own.precision)
    if made is None:
        return None
    return Space(own.corpus, second, own.precision, made.vectors, f"{made.key}/{own.corpus.key}", made.key)


def _of_space(of: Space) -> list[Signal]:
    fit = measured.label_fit(of)
    layout, groups = (None, None) if fit is not None else measured.layout(of)
    return [
        space.map_signal(layout, groups, fit),
        space.anisotropy_signal(measured.anisotropy(of)),
        space.dimension_signal(measured.dimension(of)),
        space.outliers_signal(measured.far_out(of)),
    ]


def _of_layers(of: Space, second: Checkpoint) -> list[Signal]:
    why = lacks_layers(second)
    if why:
        return list(wanting(LAYERS, why))
    built, heads = measured.build_up(of, second), measured.heads(of, second)
    return [
        depth.layers_signal(built) if built is not None else wanting(("layers",), "It has not been begun.")[0],
        depth.heads_signal(heads) if heads is not None else wanting(("heads",), "It has not been begun.")[0],
    ]


def _table(
    chosen: Chosen,
    second: Checkpoint,
    signals: tuple[dict[Name, Signal], dict[Name, Signal]],
    found: Sequence[Difference],
) -> None:
    first = chosen.encoder.checkpoint
    names = (short_name(first.source) if first else "corpus", short_name(second.source))
    st.subheader(f"{plain(names[0])} beside {plain(names[1])}")
    one, other = signals
    change = {difference.name: difference for difference in found}
    table = pd.DataFrame(
        {
            "signal": [TITLES[name] for name in NAMES],
            "number": [_quantity(one.get(name), other.get(name)) for name in NAMES],
            names[0]: [_shown(one.get(name)) for name in NAMES],
            names[1]: [_shown(other.get(name)) for name in NAMES],
            "second − first": [_difference(change[name]) for name in NAMES],
            "told": [change[name].verdict for name in NAMES],
            "rule": [change[name].rule for name in NAMES],
        }
    )
    st.dataframe(table.drop(columns=["signal", "rule"]), hide_index=True, height="content")
    st.caption(
        "Both encoders read the same texts and queries, each with its own prompts. A difference is paired, text by "
        "text or query by query, with its 95 % interval; of several, one in twenty is told by chance alone. Higher is "
        "better for label purity and NDCG@10, lower for hard negatives that lead; of mean cosine and dimension neither "
        "is better by itself. Distances, layers and heads of two encoders have no common scale: they are not compared."
    )
    with st.expander("By which rule"):
        for name in NAMES:
            st.markdown(f":small[**{plain(TITLES[name])}** {plain(change[name].rule)}]")
    downloads.offer_table(table, name="beside")


def _quantity(one: Signal | None, other: Signal | None) -> str:
    return next((signal.quantity for signal in (one, other) if signal is not None and signal.quantity), "")


def _shown(signal: Signal | None) -> str:
    return "—" if signal is None else signal.shown


def _difference(of: Difference) -> str:
    """In words; TwoNN by its name, since the number shown is another."""
    return f"{of.quantity} {of.shown}" if of.name == "dimension" and of.quantity else of.shown
