"""Does this dictionary fit this corpus? Features in use, what stays unexplained, stability, directions."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import diagnostics_health as charts
from lib.sae.diagnostics import Health
from lib.sae.matching import SHARED
from lib.ui import downloads
from lib.ui.diagnostics import cached
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, share, tell
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_MOST_LISTED = 500


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Does this dictionary fit this corpus?")
    found = cached.health(space)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found)
    with picture:
        fig = charts.density(found)
        downloads.picture(
            fig,
            key="health_density",
            quiet=True,
            about="How many features fire on how large a share of the texts.",
        )
        st.caption(
            "Each bar holds the features that fire on that share of the texts or more, up to twice as much. Left, "
            "features that no text here needs; right, features that most texts share, which tell them apart least."
        )
        _tell_silent(found)
    _listing(space, found)
    _unexplained(found)
    _stability(found)
    _directions(space, found)
    with st.container(horizontal=True):
        downloads.offer_result(found, name="health")


def _numbers(found: Health) -> None:
    n = len(found.counts)
    left = found.unexplained
    number(
        "FVU", f"{left.total:.3f}",
        f"Fraction of variance unexplained: 0 = perfect, 1 = no better than the mean. 95 % interval {left.low:.3f} to "
        f"{left.high:.3f} over texts. Read it with the silent features: either alone can be had cheaply.",
    )  # fmt: skip
    number("Active a text", f"{found.mean_active:.1f}", "Mean number of features that fire on a text.")
    number(
        "Silent here", f"{count(found.silent)} ({share(found.silent / n)})", "Features that fire on no text.", wide=True
    )
    if found.dead >= 0:
        number("Dead in training", count(found.dead), "Features that never fired on the texts of the training.")
    number(
        "Always on",
        count(len(found.always_on)),
        f"Features that fire on more than {share(found.most_share, 0)} of texts.",
    )
    number(
        "Duplicates", count(len(found.duplicates)),
        f"Pairs of features whose directions have a cosine of {found.duplicates.threshold:g} or more.",
    )  # fmt: skip


def _tell_silent(found: Health) -> None:
    if np.isnan(found.expected_silent):
        tell(
            [
                "How often each feature fired in training is not known, so that silent features may be dead ones, or "
                "sound ones that these texts do not need."
            ]
        )
        return
    tell(
        [
            f"Of {counted(found.texts, 'text')} drawn from the training mix, "
            f"{counted(round(found.expected_silent), 'feature')} would stay silent by chance; here "
            f"{count(found.silent)} do."
        ]
    )


def _listing(space: SaeSpace, found: Health) -> None:
    if not len(found.always_on):
        return
    with st.expander(f"Always on: {counted(len(found.always_on), 'feature')}"):
        features = found.always_on[:_MOST_LISTED]
        downloads.table(
            pd.DataFrame(
                {
                    "feature": features,
                    "name": [feature_name(space.database, one) for one in features.tolist()],
                    "share of the texts": found.counts[features] / found.texts,
                }
            ),
            name="always_on",
            hide_index=True,
            column_config={"share of the texts": st.column_config.NumberColumn(format="percent")},
        )


def _unexplained(found: Health) -> None:
    left = found.unexplained
    st.subheader("Which texts does it explain worst?")
    if not left.names:
        st.caption("The corpus has no labels to compare: choose a label column.")
        return
    downloads.picture(
        charts.unexplained_by_label(left),
        key="health_fvu",
        name="health_unexplained",
        quiet=True,
        about="For each label, the share of variance that the dictionary leaves unexplained.",
    )
    more = f" The {charts.MOST_LABELS} worst of {count(len(left.names))} labels are drawn." * (
        len(left.names) > charts.MOST_LABELS
    )
    st.caption(
        "Squared error of the reconstruction over squared distance to the corpus's mean, label by label; the dashed "
        "line is all texts, bars are 95 % intervals. A label far to the right is one that the dictionary has few "
        f"features for, or whose texts are unlike those that it was trained on.{more}"
    )


def _stability(found: Health) -> None:
    st.subheader("Would another training find the same features?")
    known = found.stability[np.isfinite(found.stability)]
    if not len(known):
        st.caption(
            "Not known for this dictionary: it takes a second training with another seed, whose features are matched "
            "with these (`python -m lib sae match`)."
        )
        return
    downloads.picture(
        charts.stability(found.stability),
        key="health_stability",
        quiet=True,
        about="How many features return, and how closely, when the training begins from another seed.",
    )
    st.caption(
        f"{share(float((known >= SHARED).mean()))} of the features return with a cosine of {SHARED} or more when "
        "the training begins from another seed. A feature that does not return is one way among several to take "
        "these texts apart: do not build on it alone."
    )


def _directions(space: SaeSpace, found: Health) -> None:
    st.subheader("Is any direction stored twice?")
    double = found.duplicates
    near, along = st.columns(2)
    with near:
        downloads.picture(
            charts.nearest_directions(double),
            key="health_nearest",
            quiet=True,
            about="How close each feature's direction is to its nearest neighbour's, beside random directions.",
        )
        st.caption(
            "Each feature's nearest neighbour by decoder cosine. As many random directions in as many dimensions have "
            f"theirs at {double.random:.2f} on average; from {double.threshold:g} on, two features are one."
        )
    with along:
        downloads.picture(
            charts.alignment(found.alignment),
            key="health_alignment",
            quiet=True,
            about="How well what each feature listens to agrees with what it writes.",
        )
        st.caption(
            "Whether a feature listens along the direction that it writes. Lower values are ordinary: a feature also "
            "listens against its neighbours. Near or below 0 it fires on something else than it stands for."
        )
    if len(double):
        table = pd.DataFrame(
            {
                "feature": double.a,
                "name": [feature_name(space.database, one) for one in double.a[:_MOST_LISTED].tolist()]
                + [None] * max(0, len(double) - _MOST_LISTED),
                "and": double.b,
                "cosine": double.cosine,
            }
        )
        st.dataframe(table.head(_MOST_LISTED), hide_index=True)
        downloads.offer_table(table, name="duplicate_features")
