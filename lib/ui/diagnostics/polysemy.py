"""Which features mean more than one thing? The examples of each against random texts, and the senses of one."""

import pandas as pd
import streamlit as st

from lib.charts import diagnostics_polysemy as charts
from lib.sae.diagnostics import Polysemy
from lib.sae.diagnostics.polysemy import TIGHT
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.diagnostics import cached
from lib.ui.diagnostics.senses import show_senses
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, share, tell
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae_space import SaeSpace

_CHART, _FEATURE = "polysemy_map", "polysemy_feature"
_TOPS = ("20", "10", "40")
_SHOWN = ("several senses", "all")
_MOST_LISTED = 1_000


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Which features mean more than one thing?")
    top, flagged_only = _choose()
    found = cached.polysemy(space, top)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found)
    if not len(found):
        st.info(
            f"No feature fires on {found.fewest} different texts of this corpus: its examples cannot be compared. "
            "Add texts."
        )
        return
    names = [feature_name(space.database, feature) for feature in found.feature.tolist()]
    with picture:
        place = st.container()
    chosen = _chosen(space, found, names)
    with place:
        fig = charts.variances(found, names, chosen=chosen)
        downloads.picture(
            fig,
            key=_CHART,
            name="polysemy",
            on_select=_pick_clicked,
            selection_mode="points",
            quiet=True,
            about="Features by how far the texts on which they fire lie apart, beside unrelated texts.",
        )
        st.caption(_reading(found))
        _tell_chance(found)
    show_senses(space, found, chosen)
    _table(space, found, flagged_only)
    with st.container(horizontal=True):
        downloads.offer_result(found, name="polysemy")


def _choose() -> tuple[int, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        top = one_of(
            "Examples of each feature", _TOPS, key="polysemy_top",
            help="The texts that activate it most. More examples show rarer senses, and texts that barely fire it.",
        )  # fmt: skip
        listed = one_of("Listed", _SHOWN, key="polysemy_listed", help="What the table holds; the picture has all.")
    return int(top), listed != "all"


def _chosen(space: SaeSpace, found: Polysemy, names: list[str]) -> int:
    """The place of the feature to look into: the flagged ones first in the list, any number can be typed."""
    order = [*found.polysemous.nonzero()[0].tolist(), *(~found.polysemous).nonzero()[0].tolist()]
    listed = [names[row] for row in order[:_MOST_LISTED]]
    typed = st.selectbox(
        "Feature", listed, key=_FEATURE, bind="query-params", persist_state="session", accept_new_options=True,
        width=460, help="Those with several senses first, by variance. Or click a point, or type any number.",
    )  # fmt: skip
    feature = feature_named(str(typed or listed[0]), listed, space.sae.features)
    at = (found.feature == feature).nonzero()[0]
    if not len(at):
        fires = f"fires on fewer than {found.fewest} different texts of this corpus"
        tell([f"Feature {feature} {fires}: its examples cannot be compared. The first of the list is shown instead."])
        return order[0]
    return int(at[0])


def _pick_clicked() -> None:
    """Choose the feature whose point was clicked."""
    for point in st.session_state[_CHART]["selection"]["points"]:
        if "customdata" in point:
            st.session_state[_FEATURE] = str(point["customdata"][0])


def _numbers(found: Polysemy) -> None:
    several, measured = int(found.polysemous.sum()), max(len(found), 1)
    number(
        "Several senses", f"{count(several)} ({share(several / measured)})",
        "Features whose examples fall into two or more groups that are as far apart as random texts.", wide=True,
    )  # fmt: skip
    number(
        "Several, by chance", share(found.random_several),
        "Share of random draws of as many texts that show several senses: what the number beside it is held against.",
    )  # fmt: skip
    number(
        "No tighter than chance", f"{count(int(found.unspecific.sum()))} ({share(found.unspecific.mean())})"
        if len(found) else "0",
        f"Features whose examples vary as much as random texts: not below {share(1 - TIGHT, 0)} of the draws.",
        wide=True,
    )  # fmt: skip
    number("Measured", count(len(found)), f"Features that fire on {found.fewest} or more different texts.")
    number("Random variance", f"{found.random_mean:.3f}", "Mean cosine distance of two texts of this corpus.")


def _reading(found: Polysemy) -> str:
    return (
        "Each point is a feature: the mean cosine distance between its strongest examples. The band holds nine of ten "
        f"draws of as many random texts, the dashed line is their mean: a feature in the band or above it "
        f"(by the {share(TIGHT, 0)} quantile of the draws) is no more about one thing than texts drawn blindly. "
        f"Groups of examples count as senses when they lie {found.unrelated:.2f} or more apart, which is as far as "
        "random texts do, less three quarters of their deviation, and stand clear of each other (silhouette above "
        ".25). Variance belongs to this corpus and encoder: compare features with the band, not across corpora."
    )


def _tell_chance(found: Polysemy) -> None:
    notices = []
    several = found.polysemous.mean()
    if several <= 1.5 * found.random_several:
        notices.append(
            f"{share(several)} of the features show several senses and {share(found.random_several)} of random draws "
            "do: here one cannot tell polysemy from chance. More texts would."
        )
    if found.left_out:
        notices.append(
            f"{counted(found.left_out, 'feature')} that fire on fewer than {found.fewest} different texts were left "
            f"out, and {count(found.silent)} that fire on none."
        )
    tell(notices)


def _table(space: SaeSpace, found: Polysemy, flagged_only: bool) -> None:
    rows = found.polysemous.nonzero()[0] if flagged_only else (found.feature >= 0).nonzero()[0]
    st.subheader("Features by variance")
    if not len(rows):
        st.caption("No feature has several senses here.")
        return
    features = found.feature[rows]
    table = pd.DataFrame(
        {
            "feature": features,
            "label": [space.database.label(one) if space.database else None for one in features.tolist()],
            "variance": found.variance[rows],
            "percentile among random draws": found.percentile[rows],
            "z": found.z[rows],
            "senses": found.senses[rows],
            "between the two largest": found.apart[rows],
            "examples": found.examples[rows],
            "fires on": found.fires[rows],
        }
    ).dropna(axis="columns", how="all")
    st.dataframe(
        table.head(_MOST_LISTED), hide_index=True,
        column_config={
            "variance": st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format="%.2f"),
            "percentile among random draws": st.column_config.NumberColumn(format="percent"),
            "z": st.column_config.NumberColumn(format="%.1f", help="Deviations from the mean of the random draws."),
            "between the two largest": st.column_config.NumberColumn(format="%.2f", help="Mean cosine distance."),
        },
    )  # fmt: skip
    if len(table) > _MOST_LISTED:
        tell([f"The first {count(_MOST_LISTED)} of {count(len(table))} are listed; the downloads hold all."])
    downloads.offer_table(table, name="polysemy_features")
