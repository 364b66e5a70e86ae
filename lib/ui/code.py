"""The same in Python: code that gives a view's numbers again, beneath the view."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.encoders import PACKAGED, Checkpoint
from lib.layers.states import why_no_layers
from lib.sae.sources import PACKAGED_SAE
from lib.snippets import PAGES, Case, snippet
from lib.ui.file_names import file_name, page_name
from lib.ui.messages import plain

_SAMPLE = "Sample"
_SAMPLE_CORPUS, _FIRST_QUERIES = "topics", {"finetune_diff": "medical"}
_LABELS = {"subtopic": "subtopic"}
_NONE = "(none)"
_PLAIN = (str, int, float, bool, list, tuple)


def offer_code(view: str, space: Any) -> None:
    """Draw the code of the view of that name, "" on a page without views; nothing where there is none.

    `space` is what the page looks at: a `Space` or a `QuerySpace`.
    """
    page = page_name()
    if view not in PAGES.get(page, {}):
        return
    made = snippet(page, view, case_of(page, view, space))
    if made is None:
        return
    with st.expander("The same in Python", icon=":material/code:", key=f"code_{page}"):
        st.caption("Run in Embedscope's folder with its Python, it prints the main numbers of this view.")
        st.code(made.python, language="python")
        st.download_button(
            "Save as a script", made.python, file_name=file_name(view.lower() or page, "py"), mime="text/x-python",
            key="code_script", on_click="ignore", icon=":material/download:", help="The same code as a file.",
        )  # fmt: skip
        if made.shell is not None:
            st.caption("The command that does the same, and tells all of it as JSON:")
            st.code(made.shell, language="bash", wrap_lines=True)
        if made.note:
            st.caption(plain(made.note))


def case_of(page: str, view: str, space: Any) -> Case:
    """What the view looks at, and how its controls stand in this session; texts stay where they are."""
    settings = {str(key): value for key, value in st.session_state.items() if isinstance(value, _PLAIN)}
    checkpoint: Checkpoint | None = space.checkpoint
    corpus, queries = getattr(space, "corpus", None), getattr(space, "queries", None)
    prompts = None if checkpoint is None else (checkpoint.prompts.query, checkpoint.prompts.document)
    return Case(
        encoder=PACKAGED if checkpoint is None else checkpoint.source,
        precision=space.precision,
        prompts=prompts if checkpoint is not None and checkpoint.prompts.source == "edited" else None,
        own_prompts=prompts or ("", ""),
        dimensions=384 if checkpoint is None else checkpoint.dimensions,
        layered=not why_no_layers(checkpoint),
        corpus=_SAMPLE_CORPUS if settings.get("corpus", _SAMPLE) == _SAMPLE else None,
        texts=0 if corpus is None else len(corpus),
        columns=_columns(settings),
        own_vectors=corpus is not None and corpus.embeddings is not None,
        queries=_query_set(page, view, settings),
        asked=0 if queries is None else len(queries.queries),
        sae=str(settings.get("_sae_source") or PACKAGED_SAE),
        settings=settings,
    )


def _columns(settings: Mapping[str, Any]) -> dict[str, str]:
    """Which column holds what: of the sample its labels, of an upload all that was chosen."""
    kind = settings.get("corpus", _SAMPLE)
    if kind == _SAMPLE:
        label = _LABELS.get(str(settings.get("label")))
        return {"label": label} if label else {}
    if kind != "Upload":
        return {}
    chosen = {
        what.lower(): str(value)
        for key, value in settings.items()
        for what in ("Text", "Label", "Id")
        if key.startswith(f"column_{what}_")
    }
    return {what: value for what, value in chosen.items() if value != _NONE}


def _query_set(page: str, view: str, settings: Mapping[str, Any]) -> str | None:
    """Name of the sample query set that the view asks; None for one of the user's own."""
    if settings.get("queries", _SAMPLE) != _SAMPLE:
        return None
    if page == "finetune_diff" and view != "Train":
        return str(settings.get("diff_sample") or _FIRST_QUERIES[page])
    return str(settings.get("query_sample") or "topics")
