"""Two checkpoints on one corpus: what the views of a diff look at. The sidebar's encoder is the base."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from lib import runs
from lib.corpora import QuerySet
from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_TUNED, Checkpoint
from lib.errors import InputError
from lib.finetune.sources import KIND, RUN
from lib.ui import resources
from lib.ui.chosen import Chosen
from lib.ui.encoding import encoded
from lib.ui.messages import count, counted, plain, refuse, tell
from lib.ui.query_choice import QueryChoice, choose_query_set
from lib.ui.query_space import QuerySpace
from lib.ui.runs.choice import token
from lib.ui.sharing import share
from lib.ui.workspace import Space, corpus_space, query_space

TUNED = "tuned"
"""Key of the choice of the tuned checkpoint; it stands in the address as `?tuned=NAME` (or run:ID)."""
_BEGAN = "_tuned_began"
_OWN_DOMAIN = "medical"  # the sample queries of the kind that the packaged adapter was tuned on


@dataclass(frozen=True)
class PairSpace:
    """A corpus in the spaces of two checkpoints: the same texts in the same order on both sides."""

    base: Space
    """In the sidebar's encoder."""
    tuned: Space
    """In the one that is held against it."""

    @property
    def key(self) -> str:
        """Content hash of both sides' vectors and of the corpus."""
        return f"{self.base.vectors_key}/{self.tuned.key}"

    @property
    def checkpoints(self) -> tuple[Checkpoint, Checkpoint]:
        """Base and tuned."""
        base, tuned = self.base.checkpoint, self.tuned.checkpoint
        if base is None or tuned is None:
            raise TypeError("a pair is made of two encoders")  # for the type checker: `about_pair` refused it
        return base, tuned

    @property
    def one_width(self) -> bool:
        """Whether both vectors have the same length, which one space takes."""
        return bool(self.base.vectors.shape[1] == self.tuned.vectors.shape[1])


@dataclass(frozen=True)
class AskedPair:
    """A query set in the spaces of two checkpoints."""

    base: QuerySpace
    """In the base."""
    tuned: QuerySpace
    """In the tuned one."""

    @property
    def queries(self) -> QuerySet:
        """Queries, documents and judgements: the same on both sides."""
        return self.base.queries

    @property
    def key(self) -> str:
        """Content hash of both sides' vectors, texts and judgements."""
        return f"{self.base.key}/{self.tuned.key}"


def about_pair(show: Callable[[PairSpace], None]) -> Callable[[Chosen], Space]:
    """A view of what is chosen out of one of two checkpoints: the choice of the tuned one is drawn above it.

    Says what is missing where there is no other.
    """

    def draw(chosen: Chosen) -> Space:
        space = corpus_space(chosen)
        if space.checkpoint is None:
            raise InputError(
                "This corpus brought its own embeddings, and two checkpoints must read its texts: choose another "
                "corpus in the sidebar."
            )
        checkpoint = _choose_tuned(space.checkpoint)
        if checkpoint is not None:
            show(PairSpace(space, _read_by(checkpoint, space)))
        return space

    return draw


def choose_queries(pair: PairSpace) -> AskedPair:
    """Draw the choice of the query set; says what is missing and ends the page, if there is none."""
    choice = choose_asked()
    if choice.query_set is None:
        say_missing(choice)
        st.stop()
    return asked(pair, choice.query_set)


def choose_asked() -> QueryChoice:
    """Draw the choice of the query set, which begins with what the packaged fine-tune is for."""
    choice = choose_query_set(first=_OWN_DOMAIN, key="diff_sample")
    share.also(choice)
    return choice


def asked(pair: PairSpace, queries: QuerySet) -> AskedPair:
    """The query set in both spaces. Ends the page where its vectors cannot be had yet."""
    precision = pair.base.precision
    base, tuned = (query_space(queries, checkpoint, precision) for checkpoint in pair.checkpoints)
    return AskedPair(base, tuned)


def say_missing(choice: QueryChoice) -> None:
    """Say why there is no query set, or what to do for one."""
    if choice.fault:
        refuse(choice.fault)
    else:
        st.info(str(choice.todo).replace("in the sidebar", "here"), icon=":material/upload:")


def _read_by(checkpoint: Checkpoint, base: Space) -> Space:
    """The base's corpus in the space of `checkpoint`."""
    corpus, precision = base.corpus, base.precision
    made = encoded(corpus.key, corpus.texts, checkpoint, precision)
    if made.truncated:  # of the base it was said where the sidebar's corpus was read
        tell(
            [
                f"The tuned checkpoint read only the beginning of {count(made.truncated)} of "
                f"{counted(len(corpus.texts), 'text')}: longer than {count(checkpoint.max_tokens or 0)} tokens."
            ]
        )
    return Space(corpus, checkpoint, precision, made.vectors, f"{made.key}/{corpus.key}", made.key)


def _choose_tuned(base: Checkpoint) -> Checkpoint | None:
    """Draw the choice of the tuned checkpoint; None where nobody has made one.

    Raises:
        InputError: it cannot be opened.
    """
    offered = [*_own_runs(), PACKAGED_TUNED, PACKAGED_HARMFUL, PACKAGED]
    offered = [name for name in offered if name != base.source]
    first = PACKAGED_TUNED if base.source == PACKAGED else None
    _follow(first)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        typed = st.selectbox(
            "Tuned checkpoint, held against the sidebar's encoder", offered,
            index=offered.index(first) if first else None, placeholder="Choose or type one", key=TUNED,
            bind="query-params", persist_state="session", accept_new_options=True, width=460,
            help="The base is the encoder in the sidebar. Type a hub id (owner/name), a folder that the server's owner "
            "allows, or run:ID for a fine-tune that was trained here. Two unrelated encoders can be compared as well: "
            "what needs one space is then left out, and said.",
        )  # fmt: skip
        about = st.container()
    if not typed:
        _begin(base)
        return None
    found = resources.checkpoint(str(typed))
    if isinstance(found, InputError):
        raise found
    found, edited = _same_prompts(base, found)
    with about:
        st.caption(_about(base, found))
    if edited:
        tell(["The prompts edited in the sidebar are put before the texts of both checkpoints."])
    return found


def _follow(first: str | None) -> None:
    """Move a choice that nobody made to where it now begins: the base is another one."""
    last = st.session_state.get(_BEGAN)
    if last is not None and last != first and st.session_state.get(TUNED) == last:
        st.session_state[TUNED] = first
    st.session_state[_BEGAN] = first


def _own_runs() -> list[str]:
    """This session's finished fine-tunes, latest first."""
    mine = runs.list_runs(kind=KIND, owner=token())
    return [f"{RUN}{run.id}" for run in mine if runs.status(run).state == "finished"]


def _same_prompts(base: Checkpoint, tuned: Checkpoint) -> tuple[Checkpoint, bool]:
    """The tuned one with the prompts that the user gave the base, and whether there are such."""
    if base.prompts.source != "edited":
        return tuned, False
    return tuned.with_prompts(query=base.prompts.query, document=base.prompts.document), True


def _about(base: Checkpoint, tuned: Checkpoint) -> str:
    def told(one: Checkpoint) -> str:
        return one.source + (f", {count(one.dimensions)} dimensions" if base.dimensions != tuned.dimensions else "")

    return f"◌ **base**, dashed: {plain(told(base))}  \n● **tuned**, solid: {plain(told(tuned))}"


def _begin(base: Checkpoint) -> None:
    """What to do where no tuned checkpoint is chosen."""
    st.info(
        f"Choose the checkpoint to hold against {plain(base.source)}: one that was tuned from it, or any other.",
        icon=":material/difference:",
    )
    if base.source != PACKAGED:
        st.button(
            "Show the packaged pair instead", key="tuned_sample", on_click=_set,
            args=({"encoder": PACKAGED, TUNED: PACKAGED_TUNED},), icon=":material/package_2:",
        )  # fmt: skip
    st.button(
        "Train one from this encoder", key="tuned_train", icon=":material/model_training:",
        on_click=partial(_set, {"view": "Train"}),
    )  # fmt: skip


def _set(choices: dict[str, str]) -> None:
    st.session_state.update(choices)
