"""Would these new texts belong? They are scored against the whole corpus before they are used with it."""

from pathlib import PurePath

import numpy as np
import pandas as pd
import streamlit as st

from lib.corpora import SUFFIXES, Corpus, Limits, build_corpus, read_corpus, read_pasted
from lib.geometry import Flagged, OodScores
from lib.progress import Progress
from lib.ui import downloads, resources
from lib.ui.geometry import cached
from lib.ui.messages import count, refuse, share, tell
from lib.ui.workspace import Space

_MOST_NEW = 5_000
_MOST_LISTED = 500
_MOST_TYPED = 5_000  # characters: they stand in the address; a file takes more


def check_new(space: Space, result: OodScores, flagged: Flagged) -> None:
    """Ask for texts, and list their scores beside the corpus's own."""
    st.subheader("Check new inputs against this corpus")
    if space.checkpoint is None:
        st.caption("This corpus brought embeddings of its own, so no new text can be scored against it.")
        return
    new = _ask()
    if new is None:
        return
    if len(new) > _MOST_NEW:
        refuse(f"At most {count(_MOST_NEW)} new inputs are checked here at once, got {count(len(new))}.")
        tell(["For more: python -m lib geometry --corpus NEW --reference CORPUS --json OUT"])
        return
    tell(new.notices)
    made = resources.embeddings(new.key, new.texts, space.checkpoint, precision=space.precision, progress=_bar)
    scored = cached.ood_against(space.key, new.key, made.vectors, space.vectors, space.labels, rule=result.rule)
    _table(new, scored, result, flagged)


def _ask() -> Corpus | None:
    typed, uploaded = st.columns([3, 2])
    text = typed.text_area(
        "New inputs, one a line", key="new_inputs", bind="query-params", persist_state="session", height=120,
        max_chars=_MOST_TYPED,
        help="Texts that are held against the corpus; they stay in your session.",
    )  # fmt: skip
    file = uploaded.file_uploader(
        "or a file of them",
        type=[suffix.lstrip(".") for suffix in SUFFIXES],
        key="new_file",
        max_upload_size=20,
        help="A file of texts that are held against the corpus; it stays in your session.",
    )
    limits = Limits.from_environment()
    if file is not None:
        return read_corpus(file.getvalue(), name=PurePath(file.name).name, limits=limits)
    return build_corpus(read_pasted(text, limits=limits), limits=limits) if text.strip() else None


def _bar() -> Progress:
    bar = st.progress(0.0, text="Encoding…")

    def tell_progress(done: int, of: int) -> None:
        bar.progress(done / of if of else 1.0, text=f"Encoding {count(done)} of {count(of)} texts")
        if done == of:
            bar.empty()

    return tell_progress


def _table(new: Corpus, scored: OodScores, result: OodScores, flagged: Flagged) -> None:
    inside = np.searchsorted(result.reference_scores, scored.scores, side="left") / len(result.reference_scores)
    far = scored.scores > flagged.threshold
    table = pd.DataFrame(
        {
            "score": scored.scores,
            "verdict": np.where(far, "◇ flagged", "in"),
            "further out than": [share(float(part)) for part in inside],
            "text": new.texts,
        }
    ).sort_values("score", ascending=False, kind="stable")
    st.caption(f"{count(int(far.sum()))} of {count(len(new))} are flagged by the threshold above.")
    top = max(float(scored.scores.max()), float(result.scores.max()), 1e-9)
    st.dataframe(
        table.head(_MOST_LISTED),
        hide_index=True,
        column_config={
            "score": st.column_config.ProgressColumn(min_value=0.0, max_value=top, format="%.3f"),
            "text": st.column_config.TextColumn(width="large"),
        },
    )
    st.caption("“Further out than” is the share of the reference texts with a lower score.")
    downloads.offer_table(table, name="new_inputs")
