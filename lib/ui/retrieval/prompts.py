"""What do the prompts do? The same query set with and without them."""

import pandas as pd
import streamlit as st

from lib.charts.retrieval_contrasts import difference_forest
from lib.charts.retrieval_prompts import shift_histogram
from lib.embeddings import Embeddings
from lib.progress import Progress
from lib.retrieval.prompts import PRESETS, Arrangement, PromptComparison
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain, share
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure
from lib.ui.retrieval import prompts_cached as cached
from lib.ui.retrieval.contrast_table import contrast_table
from lib.ui.retrieval.measure_notice import tell_linear_gain

_ITS_OWN, _TYPED = "its own", "my own"
_WHERE = {"queries": "before queries", "documents": "before documents", "both": "before both"}


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("What do the prompts do?")
    has = bool(space.checkpoint.prompts.query or space.checkpoint.prompts.document)
    st.caption(
        "This encoder has prompts, which it was trained with or was given in the sidebar; they are compared with none."
        if has
        else "This encoder was trained without prompts, as far as its files tell. What another family's prompts would "
        "do to it can be tried: it reads them as part of the text."
    )
    query, document = _choose(space, has=has)
    if not (query or document):
        st.info("Type a prompt for queries, for documents, or for both.")
        return
    st.caption(f"Before queries: {_visible(query)} · before documents: {_visible(document)}")
    if not space.queries.relevant.any():
        st.info("No query has a relevant document, so nothing can be measured: add judgements above 0 first.")
        return
    made = _embedded(space, query, document)
    if made is None:
        return
    result = cached.comparison(space, measure.chosen(), made, (query, document))
    if result is not None:
        tell_linear_gain(space.queries)
        _show(result)


def _choose(space: QuerySpace, *, has: bool) -> tuple[str, str]:
    """The two prompts to try."""
    of = one_of(
        "Prompts", [*([_ITS_OWN] if has else []), *PRESETS, _TYPED], key="prompts_of",
        help="What these families were trained with; my own: type them.",
    )  # fmt: skip
    if of == _ITS_OWN:
        return space.checkpoint.prompts.query, space.checkpoint.prompts.document
    if of in PRESETS:
        return PRESETS[of]
    with st.container(horizontal=True):
        query, document = (
            st.text_input(
                label, key=key, bind="query-params", persist_state="session", max_chars=300, placeholder=example,
                help="Put before every text character for character: a space at its end counts.",
            )
            for label, key, example in (
                ("Before queries", "prompts_query", "search for: "),
                ("Before documents", "prompts_document", "text: "),
            )
        )  # fmt: skip
    return str(query or ""), str(document or "")


def _visible(prompt: str) -> str:
    """A prompt with its spaces at the end to be seen."""
    if not prompt:
        return "nothing"
    blank = len(prompt) - len(prompt.rstrip(" "))
    return f"“{plain(prompt.rstrip(' '))}{'␣' * blank}”"


def _embedded(space: QuerySpace, query: str, document: str) -> list[Embeddings] | None:
    """The embeddings of all four sides; None while they must be encoded and the user has not asked for it."""
    sides = cached.sides(space, query, document)
    todo = [(side, left) for side in sides if (left := cached.missing(space, side))]
    left = sum(number for _, number in todo)
    if left:
        work = f"prompts_{space.key[:12]}_{sides[-1].of.fingerprint[:16]}"
        about = (
            f"{counted(left, 'text')} to be encoded with these prompts. What is encoded is kept, so it can be stopped."
        )
        if not started(work, "Encode them", about=about):
            return None
        with stoppable(work, "Encoding") as tell_done:
            done = 0
            for side, part in todo:
                cached.embeddings(space, side, progress=_onward(tell_done, done, left))
                done += part
    return [cached.embeddings(space, side) for side in sides]


def _onward(tell_done: Progress, done: int, of: int) -> Progress:
    """What tells one side's progress as that of all sides."""
    return lambda part, _: tell_done(done + part, of)


def _show(result: PromptComparison) -> None:
    fullest = result.arrangements[-1]
    ndcg = next(test for test in fullest.tests if test.metric == "ndcg@10")
    numbers, picture = numbers_over_picture()
    with numbers:
        number("NDCG@10 without", f"{ndcg.mean_a:.3f}", "No prompt before either side.")
        number(
            "NDCG@10 with",
            f"{ndcg.mean_b:.3f}",
            f"Prompts {_WHERE[fullest.name]}: {ndcg.difference:+.3f}, p = {ndcg.p_value:.2g}.",
        )
        for shift, what in zip(result.shifts, ("Queries", "Documents"), strict=True):
            number(
                f"{what} moved",
                f"{shift.mean:.3f}" if shift.prompt else "—",
                "Mean cosine of a text with its prompt to the same text without: 1 = the prompt moves nothing.",
            )
    cases = [(_WHERE[part.name], part.tests) for part in result.arrangements[1:]]
    with picture:
        downloads.picture(
            difference_forest(cases, x="difference to no prompt (above 0: the prompts help)"),
            key="prompts_effect",
            about="What the prompts change in each metric, with intervals.",
        )
        st.caption(
            f"Mean differences over {count(ndcg.queries)} queries with 95 % intervals, filled where p < 0.05. This is "
            "the effect of these words on this encoder and this query set. An encoder trained with prompts may lose "
            "much without them, and one trained without them is not made better by another family's."
        )
    _ranks(result.arrangements)
    contrast_table(cases)
    st.subheader("How far do the vectors move?")
    downloads.picture(
        shift_histogram(result.shifts),
        key="prompts_shift",
        about="How far the prompts move the vectors, as a distribution.",
    )
    st.caption(_moved(result))
    downloads.offer_result(result, name="prompts")


def _ranks(arrangements: tuple[Arrangement, ...]) -> None:
    downloads.table(
        pd.DataFrame(
            [
                {
                    "prompts": _WHERE[part.name],
                    "another first document": share(part.first_changed),
                    "relevant documents nearer the top": part.risen,
                    "at the same rank": part.level,
                    "further down": part.fallen,
                }
                for part in arrangements[1:]
            ]
        ),
        name="prompts_ranks",
        hide_index=True,
    )


def _moved(result: PromptComparison) -> str:
    parts = [
        f"{'queries' if shift.role == 'query' else 'documents'} keep a cosine of {shift.mean:.3f} on average "
        f"({shift.low:.3f} or less for one in twenty), and {share(shift.common, 0)} of the movement is one step that "
        "all of them take"
        for shift in result.shifts
        if shift.prompt
    ]
    sentence = "; ".join(parts)
    return (
        f"{sentence[:1].upper()}{sentence[1:]}. The dashed lines are the means. A step that all documents share "
        "changes their order little; what moves a ranking is how differently texts are moved. A large movement is "
        "neither good nor bad by itself."
    )
