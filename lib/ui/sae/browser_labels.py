"""Where the Browser's labels come from: what ships, or made on this corpus; by keywords, the encoder, or a model."""

import streamlit as st

from lib.sae.database import FeatureDatabase, make_database
from lib.sae.labels import Labels, Method, label_features
from lib.ui.controls import one_of
from lib.ui.messages import count, counted, plain
from lib.ui.progress import started, stoppable
from lib.ui.sae import labels_in_force
from lib.ui.sae.browser_cached import embedder, part_of
from lib.ui.sae.browser_llm import llm_settings, show_llm
from lib.ui.sae.cached import codes
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_VERSION = 1  # raised when the same texts and dictionary would give other labels than before
_MOST_CORPORA = 3  # named
_MADE_BY = ("best of both", "keywords", "encoder", "language model")
_METHODS: dict[str, Method] = {"best of both": "best", "keywords": "keywords", "encoder": "encoder"}
_QUICK, _SLOW = 500, 8_000  # features that fire: labelled within seconds, and in more than a minute or two


def show_labels(space: SaeSpace, database: FeatureDatabase | None) -> None:
    """Draw what the labels are, and how to make others."""
    with st.expander("Labels: where they come from, make others", expanded=database is None):
        st.caption(plain(_told(space, database)))
        options = [name for name in _MADE_BY if name != "language model" or llm_settings() is not None]
        if space.space.checkpoint is None:
            options = ["keywords", *options[3:]]
        by = one_of(
            "Make labels by", options, key="browser_maker",
            help="keywords: phrases that stand out in activating texts (class-based TF-IDF) against near misses. "
            "encoder: those of them that fire the feature most when they are embedded themselves. best of both: for "
            "each feature what predicts best on the texts that it was made from. All are scored on other texts.",
        )  # fmt: skip
        if by == "language model":
            show_llm(space)
        else:
            _make(space, _METHODS[by])
        _back(space)


def _told(space: SaeSpace, database: FeatureDatabase | None) -> str:
    if database is None or "label" not in database.table.columns:
        return "Nothing is known of this dictionary's features yet: make labels on this corpus, or import a database."
    labelled = int(database.table["label"].notna().sum())
    edits = len(labels_in_force.edited(space.sae))
    chosen = labels_in_force.chosen_database(space.sae)
    where = "chosen in this session" if chosen is not None else "come with the dictionary"
    told = f"{counted(labelled, 'feature')} of {count(space.sae.features)} have a label; they {where}"
    told = told.replace("they chosen", "they were chosen") + f". {_scored(database, labelled)}"
    return told + (f" {counted(edits, 'label')} edited." if edits else "")


def _scored(database: FeatureDatabase, labelled: int) -> str:
    """Which corpora the scores are of."""
    corpora = database.scored_corpora()
    if not corpora:
        return "None of them is scored."
    named = [f"{count(number)} on {corpus}" for corpus, number in list(corpora.items())[:_MOST_CORPORA]]
    if len(corpora) > _MOST_CORPORA:
        named.append(f"{count(sum(list(corpora.values())[_MOST_CORPORA:]))} on others")
    unscored = labelled - sum(corpora.values())
    return f"Scored: {', '.join(named)}" + (f"; {count(unscored)} not scored." if unscored > 0 else ".")


def _make(space: SaeSpace, method: Method) -> None:
    """Labels made on this corpus: begun by a button, kept on the shelf, shown from then on."""
    made = (space.space.corpus.key, method)
    inputs = {
        "vectors": space.space.vectors_key, "corpus": space.space.corpus.key, "sae": space.sae.key, "method": method,
        "version": _VERSION,
    }  # fmt: skip
    found = shelved(Labels, inputs, lambda name: _made(name, space, method))
    if found is None:
        return
    shown = labels_in_force.chosen_database(space.sae)
    if shown is not None and shown.table.attrs.get("made") == made:
        scored = found.score[~found.weak]
        st.caption(
            f"Made on this corpus: {counted(found.labelled, 'label')}, {count(len(scored))} of them better than "
            f"chance. Predictor: {found.predictor}."
        )
        return
    st.button(
        "Show the labels made on this corpus", icon=":material/label:", key="browser_show_made", on_click=_remember,
        args=(space, found, made),
    )  # fmt: skip


def _made(name: str, space: SaeSpace, method: Method) -> Labels | None:
    firing = len(part_of(space, None).statistics.fires)
    takes = "some seconds" if firing < _QUICK else "a minute or two" if firing < _SLOW else "several minutes"
    about = (
        f"Labels for the {counted(firing, 'feature')} that fire on this corpus take {takes}, more on a busy machine, "
        "and are kept. Nothing leaves this server."
    )
    if not started(name, "Make labels", about=about):
        return None
    with stoppable(name, "Making labels") as tell:
        found = label_features(
            codes(space), space.space.corpus.texts, space.sae, embedder(space), vectors=space.space.vectors,
            method=method, progress=tell,
        )  # fmt: skip
    _remember(space, found, (space.space.corpus.key, method))
    return found


def _remember(space: SaeSpace, found: Labels, made: tuple[str, str]) -> None:
    """Show these labels in this session, with what ships about stability."""
    known = space.shipped or space.database
    shipped = known.numbers("stability") if known is not None else None
    database = make_database(
        space.sae, part_of(space, None).statistics, corpus=space.space.corpus.name, labels=found, stability=shipped
    )
    database.table.attrs["made"] = made
    labels_in_force.choose_database(space.sae, database)


def _back(space: SaeSpace) -> None:
    """Ways back: to what ships, and from what was edited."""
    with st.container(horizontal=True):
        if labels_in_force.chosen_database(space.sae) is not None:
            st.button(
                "Back to what comes with the dictionary", key="browser_shipped", icon=":material/undo:",
                on_click=labels_in_force.choose_database, args=(space.sae, None),
            )  # fmt: skip
        if labels_in_force.edited(space.sae):
            st.button(
                "Take back every edit", key="browser_unedit", icon=":material/undo:",
                on_click=labels_in_force.forget_edits, args=(space.sae,),
            )  # fmt: skip
