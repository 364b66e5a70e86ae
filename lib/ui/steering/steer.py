"""What does a feature do to a text's vector, and to what it finds?"""

import pandas as pd
import streamlit as st

from lib.charts import steering as charts
from lib.sae.steering import Recipe, Reranked, Side, Steered
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain, tell
from lib.ui.sae import cached
from lib.ui.sae.decompose_cached import decomposition
from lib.ui.sae.names import feature_name
from lib.ui.sae.text_choice import ChosenText, choose_text
from lib.ui.sae_space import SaeSpace
from lib.ui.steering import words
from lib.ui.steering.production import show_production
from lib.ui.steering.recipe_choice import choose_recipe
from lib.ui.steering.steer_cached import pushed, reranked, steered

TEXT = "steer_text"
_SIDES: tuple[Side, ...] = ("query", "documents")
_TOPS = ["5", "10", "20"]
_CHANGES = 12


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("What does a feature do to a text, and to what it finds?")
    if space.space.checkpoint is None:
        tell(["This corpus brought its own embeddings: without an encoder, texts of the corpus can be steered."])
    chosen = choose_text(space, key=TEXT, label="Text")
    recipe = choose_recipe(space, decomposition(space, chosen.vector))
    push = pushed(space, recipe)
    names = [feature_name(space.database, feature) for feature in recipe.features]
    units = (f"{name}: {words.unit(push, at)}" for at, name in enumerate(names))
    st.caption("Left of 0 suppresses, right of it boosts, 0 changes nothing. " + plain("; ".join(units)) + ".")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = one_of("Steer the", _SIDES, key="steer_side", help=words.SIDES)
        side: Side = "documents" if asked == "documents" else "query"
        shown = st.select_slider(
            "Texts shown",
            _TOPS,
            value="10",
            key="steer_top",
            bind="query-params",
            persist_state="session",
            width=200,
            help="How many texts of both lists are shown.",
        )
    top = int(str(shown))
    result, ranking = steered(space, chosen, push), reranked(space, chosen, push, side)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(result, ranking, top)
    with picture:
        st.caption(words.of_random(result))
        _rankings(space, chosen, recipe, names, ranking, top)
    _changes(space, result, names, side)
    show_production(space, push)
    with st.container(horizontal=True):
        downloads.offer_result(result, name="steering")
        downloads.offer_result(ranking, name="rankings", label="Rankings as JSON")


def _numbers(result: Steered, ranking: Reranked, top: int) -> None:
    if ranking.side == "query":
        number("Cosine shift", f"{ranking.shift:.3f}", words.of_shift(result))
    else:
        number("Mean cosine shift", f"{ranking.shift:.3f}", "1 − cos(v, v′), mean over the texts of the corpus.")
    number(
        f"Activation of {result.targets[0]}", f"{result.target_before[0]:.2f} → {result.target_after[0]:.2f}",
        "Of the recipe's first feature in the text, before and after it is pushed; the others stand in the picture "
        "below.", wide=True,
    )  # fmt: skip
    number("Side effects", count(result.side_effects), words.of_side_effects(result))
    shown = min(top, len(ranking.before))
    number(f"Kept of the first {shown}", f"{ranking.kept(shown)} of {shown}", "Texts in both lists, wherever in them.")
    moved = f"{ranking.firing_before:.0f} → {ranking.firing_after:.0f}" if ranking.firing else "—"
    number(
        f"Mean rank of its {counted(ranking.firing, 'text')}", moved,
        f"Of the texts on which the recipe's first feature fires, among {count(ranking.items)}; 1 is the top, and "
        f"{(ranking.firing + 1) / 2:g} the least that so many can have.", wide=True,
    )  # fmt: skip


def _rankings(
    space: SaeSpace, chosen: ChosenText, recipe: Recipe, names: list[str], ranking: Reranked, top: int
) -> None:
    corpus = space.space.corpus
    fires = set(cached.codes(space).firing(recipe.features[0])[0].tolist())
    chips = [f"{name}, delta {delta:+g}" for name, delta in zip(names, recipe.deltas, strict=True)]
    before, after = charts.cards(ranking, corpus.texts, corpus.labels, fires, top=top)
    shift = f"{'mean ' if ranking.side == 'documents' else ''}cosine shift {ranking.shift:.3f}"
    st.html(charts.two_rankings(before, after, text=chosen.text, chips=[*chips, shift]))
    st.caption(plain(words.of_rankings(ranking, names[0])))


def _changes(space: SaeSpace, result: Steered, targets: list[str], side: Side) -> None:
    st.subheader("Which features change with it?")
    names = [feature_name(space.database, feature) for feature in result.features.tolist()]
    shown = min(_CHANGES, len(names))
    fig = charts.changed_features(result, names, targets, shown=shown)
    downloads.picture(
        fig,
        key="steer_changes",
        quiet=True,
        about="Which features change with the steered one, and by how much.",
    )
    st.caption(words.of_changes(result, shown, side) if names else "Nothing else changed.")
    if not names:
        return
    table = pd.DataFrame(
        {
            "feature": result.features,
            "label": [space.database.label(f) if space.database else None for f in result.features.tolist()],
            "before": result.before,
            "after": result.after,
            "change": result.changes,
        }
    )
    with st.expander(f"All {counted(len(names), 'other feature')} that changed"):
        digits = {name: st.column_config.NumberColumn(format="%.3f") for name in ("before", "after")}
        signed = {"change": st.column_config.NumberColumn(format="%+.3f")}
        wide = {"label": st.column_config.TextColumn(width="large")}
        st.dataframe(table, hide_index=True, column_config=digits | signed | wide)
        downloads.offer_table(table, name="side_effects")
    feature = result.targets[0]
    st.page_link(
        "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
        query_params={"view": "Browser", "feature": str(feature)},
    )  # fmt: skip
