"""One feature of the Browser, expanded: its numbers, examples, histogram, labels of the corpus and neighbours."""

from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import sae_browser as charts
from lib.errors import InputError
from lib.sae.database import FeatureDatabase
from lib.sae.feature_table import MOST_LABEL_CHARACTERS
from lib.sae.label_lift import label_lift
from lib.sae.labels import is_weak
from lib.ui import downloads
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share
from lib.ui.sae import labels_in_force
from lib.ui.sae.browser_address import open_feature
from lib.ui.sae.browser_cached import OneFeature, Part, one_feature
from lib.ui.sae.browser_edits import save_label
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_FAULT = "_browser_edit_fault"
_LINKED = ("corpus", "sample", "encoder", "sae")  # parts of the address that a link to a feature takes along
_FIFTHS = ("Highest fifth", "Second", "Third", "Fourth", "Lowest fifth")


def show_feature(space: SaeSpace, part: Part, database: FeatureDatabase | None, feature: int) -> None:
    """Draw it."""
    st.markdown(f"#### #{feature} {plain(_label(database, feature) or 'without a label')}")
    statistics = part.statistics
    with st.container(horizontal=True, gap="small"):
        fires = int(statistics.count[feature])
        number("Frequency", share(float(statistics.frequency[feature])), f"It fires on {count(fires)} of these texts.")
        number("Max activation", f"{statistics.maximum[feature]:.3g}", "On any of these texts.")
        number(
            "Mean activation", f"{statistics.mean[feature]:.3g}" if fires else "–", "Over the texts on which it fires."
        )
        _score(database, feature)
        stability = database.numbers("stability") if database is not None else None
        if stability is not None and np.isfinite(stability[feature]):
            number(
                "Stability", f"{stability[feature]:.2f}",
                "Cosine with its match in a second training with another seed: 1 = the same direction came back.",
            )  # fmt: skip
    if not fires:
        st.caption("It fires on none of these texts. Another corpus may wake it.")
        _shipped_examples(database, feature)
    found = one_feature(space, part, feature)
    if fires:
        texts, picture = st.columns([3, 2])
        with texts:
            _examples(space, found)
        with picture:
            downloads.picture(
                charts.activation_histogram(found.histogram, found.examples),
                key="browser_histogram",
                name="feature_activations",
                about="How strongly this feature fires, as a distribution over the texts on which it does.",
            )
            st.caption("Dotted lines part the texts into five equal shares, from which examples are drawn.")
    _more(space, part, database, feature, found)


def _label(database: FeatureDatabase | None, feature: int) -> str | None:
    return database.label(feature) if database is not None else None


def _score(database: FeatureDatabase | None, feature: int) -> None:
    """The label's score, and on which corpus it was measured."""
    if database is None or database.label(feature) is None:
        return
    row = database.table.iloc[feature]
    value, error, texts = (float(row.get(name, float("nan"))) for name in ("score", "score_error", "score_texts"))
    source = str(row.get("label_source") or "an unknown way")
    if np.isnan(value):
        number(
            "Label score", "◇ not scored",
            f"There were too few held-out texts on which it fires, or nobody scored it. Made by: {plain(source)}.",
        )  # fmt: skip
        return
    where = plain(database.scored_on[feature])
    reach = f" ± {1.96 * error:.2f}" if np.isfinite(error) else ""
    weak = is_weak(value, error if np.isfinite(error) else 0.0)
    number(
        "Label score", f"{'◇ ' if weak else ''}{value:.2f}{reach}",
        f"AUROC over {count(int(np.nan_to_num(texts)))} held-out texts of {where} (fires, random, near misses): how "
        "well the likeness of the label to a text predicts whether the feature fires. .5 = chance, 1 = always."
        f"{' ◇: no better than chance as far as one can tell.' if weak else ''} Made by: {plain(source)}.",
        wide=True,
    )  # fmt: skip


def _examples(space: SaeSpace, found: OneFeature) -> None:
    """The strongest texts, and on a second tab some of every quantile."""
    shown = found.examples
    strongest, spread = st.tabs(
        ["Top activating texts", "From every fifth of its activation"],
        key="browser_examples", on_change="rerun", bind="query-params",
    )  # fmt: skip
    with strongest:
        st.html(_listed(space, shown.rows.tolist(), shown.activations.tolist(), found))
        st.caption(
            f"The strongest of {counted(shown.fires, 'different text')} on which it fires, with their activation."
        )
    with spread:
        for name, rows, values in zip(_FIFTHS, shown.by_quantile, shown.quantile_activations, strict=False):
            if rows:
                st.caption(f"**{name}**")
                st.html(_listed(space, list(rows), list(values), found))
        st.caption("Drawn by chance from each fifth of its texts: a label should fit the weak ones, too.")


def _listed(space: SaeSpace, rows: list[int], values: list[float], found: OneFeature) -> str:
    corpus = space.space.corpus
    labels = [corpus.labels[row] for row in rows] if corpus.labels else None
    return charts.example_list(
        [corpus.texts[row] for row in rows], values, labels, most=float(found.histogram.edges[-1])
    )


def _shipped_examples(database: FeatureDatabase | None, feature: int) -> None:
    held = database.table["examples"].iloc[feature] if database is not None and "examples" in database.table else None
    if held is not None and len(held):
        st.caption(plain(f"Texts of {database.corpus if database else ''} that fire it most:"))
        downloads.table(pd.DataFrame({"text": list(held)}), name="shipped_examples", hide_index=True)


def _more(space: SaeSpace, part: Part, database: FeatureDatabase | None, feature: int, found: OneFeature) -> None:
    labels, nearest, edit, link = st.tabs(
        ["Labels of the corpus", "Nearest features", "Edit its label", "Link"],
        key="browser_more", on_change="rerun", bind="query-params",
    )  # fmt: skip
    with labels:
        _lift(part, feature)
    with nearest:
        _nearest(part, database, found)
    with edit:
        _edit(space, database, feature)
    with link:
        kept = {name: st.query_params[name] for name in _LINKED if name in st.query_params}
        base = (st.context.url or "").split("?")[0]
        st.code(f"{base}?{urlencode({'view': 'Browser', 'feature': feature, **kept})}", language=None, wrap_lines=True)
        st.caption("Opens this feature for whoever has the same corpus; an upload stays in its session.")


def _lift(part: Part, feature: int) -> None:
    if part.counts is None:
        st.caption("This corpus has no labels.")
        return
    found = label_lift(part.counts, feature)
    if not found.names:
        st.caption("It fires on no text that has a label.")
        return
    downloads.picture(
        charts.lift_by_label(found),
        key="browser_lift",
        about="For each label, how much more often it stands on texts where this feature fires than elsewhere.",
    )
    more = len(found.names) - charts.MOST_LABELS
    st.caption(
        f"How much more often each label stands on the {count(found.fires)} labelled texts where it fires than on all "
        f"{count(part.counts.labelled)}; 1 is chance, ◆ amber: the interval lies above it. In brackets the texts "
        "behind it. Labels stand in the order of the lower end, so that one text alone does not come first. Many "
        "labels and features are looked at, so some intervals lie above 1 by luck."
        + (f" {count(more)} labels of lower lift are not drawn." if more > 0 else "")
    )


def _nearest(part: Part, database: FeatureDatabase | None, found: OneFeature) -> None:
    table = pd.DataFrame(
        {
            "feature": [feature_name(database, f) for f in found.nearest.features.tolist()],
            "decoder cosine": found.nearest.cosines,
            "frequency": 100 * part.statistics.frequency[found.nearest.features],
            "max activation": part.statistics.maximum[found.nearest.features],
        }
    )
    downloads.table(
        table,
        name="nearest_features",
        hide_index=True, key="browser_nearest", on_select=_open_neighbour, selection_mode="single-row",
        column_config={
            "feature": st.column_config.TextColumn(width="medium"),
            "decoder cosine": st.column_config.NumberColumn(format="%.2f"),
            "frequency": st.column_config.NumberColumn(format="%.3g %%"),
            "max activation": st.column_config.NumberColumn(format="%.3g"),
        },
    )  # fmt: skip
    st.session_state["_browser_neighbours"] = [str(f) for f in found.nearest.features.tolist()]
    st.caption("Select a row to open it. Directions of unrelated features have a cosine near 0; near 1, two features "
               "say almost the same.")  # fmt: skip


def _open_neighbour() -> None:
    rows = st.session_state.get("browser_nearest", {}).get("selection", {}).get("rows", [])
    known = st.session_state.get("_browser_neighbours", [])
    if rows and rows[0] < len(known):
        open_feature(known[rows[0]])


def _edit(space: SaeSpace, database: FeatureDatabase | None, feature: int) -> None:
    with st.form(f"browser_edit_{feature}", border=False):
        st.text_input(
            "Its label", _label(database, feature) or "", max_chars=MOST_LABEL_CHARACTERS,
            key=f"browser_text_{feature}", help="A few words. Leave it empty to take the label away.",
        )  # fmt: skip
        st.form_submit_button(
            "Save the label", icon=":material/save:", key=f"browser_save_{feature}", on_click=_save,
            args=(space, feature),
        )  # fmt: skip
    if _FAULT in st.session_state:
        st.warning(plain(st.session_state.pop(_FAULT)))
    kept = labels_in_force.are_kept()
    st.caption(
        ("It is kept on this machine, beside the store. " if kept else "It holds in this session: export the database "
         "below to keep it. ") + "A label that you write is scored on this corpus like any other when it is saved."
    )  # fmt: skip


def _save(space: SaeSpace, feature: int) -> None:
    try:
        save_label(space, feature, st.session_state[f"browser_text_{feature}"])
    except InputError as fault:
        st.session_state[_FAULT] = str(fault)
