"""Which features say the same thing? Pairs of which one fires wherever the other does, and their texts."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import diagnostics_absorption as charts
from lib.sae.diagnostics import Absorption, default_support
from lib.sae.diagnostics.absorption import MOST_SHARE, THRESHOLD
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.diagnostics import cached
from lib.ui.diagnostics.absorption_labels import show_labels
from lib.ui.diagnostics.absorption_pair import pair_name, show_pair, show_table
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, share, tell
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_CHART, _PAIR = "absorption_map", "absorption_pair"
_SHOWN = ("beyond chance", "all")
_MOST_LISTED = 1_000


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Which features say the same thing?")
    st.caption(
        "Whenever the **absorber** fires, the **absorbed** feature fires too: on those texts its firing tells nothing "
        "that the absorber's has not told already. P(absorbed | absorber) is the share of the absorber's texts on "
        "which that is so. The absorber is the narrower of the two, or, where it holds both ways, the same concept."
    )
    threshold, support, most, everything = _choose(space)
    found = cached.absorption(space, threshold, support, most)
    shown = np.arange(len(found)) if everything else np.flatnonzero(~found.chance)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found)
    with picture:
        _tell_support(found)
        if len(shown):
            names = {row: pair_name(space, found, row) for row in shown[:_MOST_LISTED].tolist()}
            _picture_and_pair(space, found, names)
        else:
            st.info(_nothing(found))
            downloads.offer_result(found, name="absorption", label="Pairs as JSON")
    _show_frequent(space, found)
    show_labels(space)


def _choose(space: SaeSpace) -> tuple[float, int, float, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        threshold = st.slider(
            "Flag from P(absorbed | absorber)", 0.5, 1.0, THRESHOLD, 0.05, key="absorption_threshold",
            bind="query-params", persist_state="session", width=240,
            help="Pairs count from this share of the absorber's texts on which the other feature fires too.",
        )  # fmt: skip
        support = st.number_input(
            "Fewest texts of the absorber", 1, 10_000, default_support(len(space.space.corpus)),
            key="absorption_support", bind="query-params", persist_state="session", width=200,
            help="By itself one text in a hundred, 5 at least and 20 at most: a share of fewer texts says little.",
        )  # fmt: skip
        most = st.slider(
            "Set apart above this share of texts", 0.05, 1.0, MOST_SHARE, 0.05, key="absorption_share",
            bind="query-params", persist_state="session", width=240,
            help="A feature that fires on most texts follows every other one by chance, and says little of any.",
        )  # fmt: skip
        which = one_of(
            "Pairs", _SHOWN, key="absorption_shown",
            help="**beyond chance**: a false discovery rate of 5 % (Fisher's exact test, Benjamini and Hochberg) over "
            "all pairs that were compared. **all**: those too that so many pairs bring about by chance.",
        )  # fmt: skip
    return float(threshold), int(support), float(most), which == "all"


def _numbers(found: Absorption) -> None:
    sure = ~found.chance
    number(
        "Pairs flagged", count(int(sure.sum())),
        "Pairs above the threshold that chance does not explain (false discovery rate 5 %).",
    )  # fmt: skip
    number("One concept twice", count(int((sure & found.mutual).sum())), "Of these, pairs that hold both ways.")
    number(
        "Chance could be", count(int(found.chance.sum())),
        f"Pairs above the threshold of which, among the {count(found.looked_at)} compared, chance could bring about as "
        "many: the absorber fires on few texts and the absorbed on many.",
    )  # fmt: skip
    number(
        "Features compared", f"{count(found.supported)} of {count(found.features)}",
        "Features that fire on enough texts, and not on too many, to be an absorber here.", wide=True,
    )  # fmt: skip
    number("Set apart", count(len(found.frequent)), f"Features that fire on more than {share(found.most_share, 0)}.")


def _tell_support(found: Absorption) -> None:
    if found.supported < found.features // 2:
        tell(
            [
                f"In {counted(found.texts, 'text')} only {count(found.supported)} of {count(found.features)} features "
                f"fire on {found.min_support} or more: of the others nothing is said here. More texts show more."
            ]
        )


def _nothing(found: Absorption) -> str:
    beside = f" {counted(int(found.chance.sum()), 'pair')} that chance could bring about can be listed above." * bool(
        found.chance.any()
    )
    return (
        f"No pair of the {count(found.supported)} features compared reaches {share(found.threshold, 0)} beyond what "
        f"chance gives.{beside}"
    )


def _picture_and_pair(space: SaeSpace, found: Absorption, names: dict[int, str]) -> None:
    place = st.container()
    show_table(space, found, np.array(list(names)))
    chosen = st.selectbox(
        "Pair", list(names.values()), key=_PAIR, bind="query-params", persist_state="session",
        help="The surest first. Or click a point.",
    )  # fmt: skip
    row = next((row for row, name in names.items() if name == chosen), next(iter(names)))
    with place:
        fig = charts.pairs_map(found, names, chosen=row)
        downloads.picture(
            fig,
            key=_CHART,
            name="absorption",
            on_select=_pick_clicked,
            selection_mode="points",
            quiet=True,
            about="Pairs of features, each by how surely one is silent where the other fires and "
            "by how far that is from chance.",
        )
        st.caption(
            "Each point is a pair. Up: surer that the absorbed fires. Right: rarer by chance. A high share with a lift "
            "near 1 only says that the absorbed fires nearly everywhere; a large lift from few texts has a wide "
            "interval. That two features fire together does not make them one concept: read their texts below."
        )
    show_pair(space, found, row)
    with st.container(horizontal=True):
        downloads.offer_result(found, name="absorption", label="Pairs as JSON")


def _pick_clicked() -> None:
    """Choose the pair whose point was clicked."""
    for point in st.session_state[_CHART]["selection"]["points"]:
        if "customdata" in point:
            st.session_state[_PAIR] = str(point["customdata"][0])


def _show_frequent(space: SaeSpace, found: Absorption) -> None:
    if not len(found.frequent):
        return
    with st.expander(f"Set apart: {counted(len(found.frequent), 'feature')} on more than {share(found.most_share, 0)}"):
        downloads.table(
            pd.DataFrame(
                {
                    "feature": found.frequent,
                    "name": [feature_name(space.database, feature) for feature in found.frequent.tolist()],
                    "share of the texts": found.frequent_share,
                    "features it would follow": found.frequent_follows,
                }
            ),
            name="absorption_frequent",
            hide_index=True,
            column_config={"share of the texts": st.column_config.NumberColumn(format="percent")},
        )
        st.caption("They fire wherever another feature does because they fire nearly everywhere: no absorption.")
