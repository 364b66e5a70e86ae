"""Does more of a feature pull in more of its texts? The dose-response of one feature on one text."""

import pandas as pd
import streamlit as st

from lib.charts import steering_dose as charts
from lib.errors import InputError
from lib.sae.steering import Dose, Recipe, label_verdict
from lib.sae.steering.dose import PROBE
from lib.sae.steering.verdicts import LABEL_RULE, RULE
from lib.ui import downloads
from lib.ui.layout import number
from lib.ui.messages import count, plain, share, tell
from lib.ui.sae.decompose_cached import decomposition
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae.text_choice import ChosenText, choose_text
from lib.ui.sae_space import SaeSpace
from lib.ui.steering import words
from lib.ui.steering.recipe_choice import feature_options, pushed_first
from lib.ui.steering.steer import TEXT
from lib.ui.steering.steer_cached import dose, pushed

FEATURE = "steer_feature"
_TAKEN = "_steer_taken"  # what was last taken over from the recipe


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Does more of a feature pull in more of its texts?")
    if space.space.checkpoint is None:
        tell(["This corpus brought its own embeddings: without an encoder, texts of the corpus can be steered."])
    chosen = choose_text(space, key=TEXT, label="Text")
    feature, probe = _choose(space, chosen)
    result = dose(space, chosen, pushed(space, Recipe((feature,), (probe,))), probe)
    if result is None:
        return
    name = feature_name(space.database, feature)
    _verdict(space, result)
    left, right = st.columns(2)
    with left:
        st.markdown("**How far does the vector move?**")
        downloads.picture(
            charts.shift_curve(result, name),
            key="dose_shift",
            quiet=True,
            about="How far the vector moves with each dose.",
        )
        st.caption(words.of_shift_curve(result))
    with right:
        st.markdown("**Where do its texts stand?**")
        downloads.picture(
            charts.rank_curve(result, name),
            key="dose_rank",
            name="dose_ranks",
            quiet=True,
            about="Where the texts of this feature stand in the ranking with each dose.",
        )
        st.caption(words.of_rank_curve(result))
    st.markdown("**Do its texts rise more than the others?**")
    downloads.picture(
        charts.rise_strip(result, name),
        key="dose_rise",
        quiet=True,
        about="How far the texts of this feature rise, beside the other texts, dose by dose.",
    )
    st.caption(words.of_rise(result))
    _risers(space, result)
    with st.container(horizontal=True):
        downloads.offer_result(result, name="dose_response")


def _choose(space: SaeSpace, chosen: ChosenText) -> tuple[int, float]:
    """The feature and the delta of the verdict."""
    names = feature_options(space, decomposition(space, chosen.vector))
    if not names:
        raise InputError("No feature fires on this corpus: there is nothing to push.")
    _follow_recipe(pushed_first(space))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.selectbox(
            "Feature", names, key=FEATURE, bind="query-params", persist_state="session", accept_new_options=True,
            width=460, help="Those that fire on this text come first, then those that fire most on the corpus. Or type "
            "the number of any other.",
        )  # fmt: skip
        probe = st.slider(
            "Verdict at delta", 0.5, 8.0, PROBE, step=0.5, key="dose_delta", format="%+g", bind="query-params",
            persist_state="session", width=260, help="How hard the one push is that the verdict is about.",
        )  # fmt: skip
    return feature_named(str(typed or names[0]), names, space.sae.features), float(probe)


def _follow_recipe(first: str | None) -> None:
    """Ask about the recipe's first feature, whenever another one has become that; what an address says goes first."""
    fresh = _TAKEN not in st.session_state
    if first is not None and first != st.session_state.get(_TAKEN) and not (fresh and FEATURE in st.query_params):
        st.session_state[FEATURE] = st.query_params[FEATURE] = first  # what is set in a run reaches no address else
    st.session_state[_TAKEN] = first


def _verdict(space: SaeSpace, result: Dose) -> None:
    """The verdict in words with its rule, and the numbers behind it."""
    scores = space.database.numbers("score") if space.database else None
    errors = space.database.numbers("score_error") if space.database else None
    score = float("nan") if scores is None else float(scores[result.feature])
    error = float("nan") if errors is None else float(errors[result.feature])
    with st.container(horizontal=True, gap="small"):
        if result.rise is None:
            number("AUROC of its texts", "—", RULE)
        else:
            value, low, high = result.rise
            number("AUROC of its texts", f"{value:.2f}", words.of_rise(result))
            number("95 % interval", f"{low:.2f} to {high:.2f}", "Of the AUROC, by DeLong's method.", wide=True)
        number(
            "Mean rank of its texts", f"{result.rank_at(0):.0f} → {result.rank_at(result.probe):.0f}",
            f"At delta 0 and at {result.probe:+g}, of {count(result.texts)}; {result.best_rank:g} is the best that so "
            "many can have.", wide=True,
        )  # fmt: skip
        number(
            "Its label's score", "—" if score != score else f"{score:.2f} ± {1.96 * error:.2f}",
            "AUROC with which the label's words predict, on texts held out when it was made, whether the feature "
            "fires; .5 is chance.", wide=True,
        )  # fmt: skip
    st.markdown(f"**Do its texts come up with it? {plain(words.of_verdict(result))}**")
    st.caption(plain(RULE))
    label = space.database.label(result.feature) if space.database else None
    if label:
        found = label_verdict(result.verdict, score, error)
        st.markdown(f"**Does it encode “{plain(label)}”? {plain(found[0].upper() + found[1:])}.**")
        st.caption(plain(LABEL_RULE))


def _risers(space: SaeSpace, result: Dose) -> None:
    corpus = space.space.corpus
    rows = result.risers.tolist()
    table = pd.DataFrame(
        {
            "fires": result.riser_fires,
            "rank before": result.riser_before,
            "rank after": result.riser_after,
            "rose by": result.riser_before - result.riser_after,
            "text": [corpus.texts[row] for row in rows],
            "label": [corpus.labels[row] if corpus.labels else None for row in rows],
        }
    ).dropna(axis="columns", how="all")
    with st.expander(f"The {count(len(rows))} texts that rose most at delta {result.probe:+g}"):
        st.dataframe(table, hide_index=True, column_config={"text": st.column_config.TextColumn(width="large")})
        among, everywhere = float(result.riser_fires.mean()), result.firing / result.texts
        st.caption(f"The feature fires on {share(among, 0)} of them, and on {share(everywhere, 0)} of all.")
        downloads.offer_table(table, name="risers")
