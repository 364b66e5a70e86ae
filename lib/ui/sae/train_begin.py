"""What a training will give for these texts, its settings in plain words, and the button that begins it."""

from functools import partial
from typing import cast

import streamlit as st

from lib.errors import InputError
from lib.runs import RunLimits
from lib.sae.autoencoder import Rule
from lib.sae.suggestion import ENOUGH, FEW, Suggestion, suggested
from lib.sae.training import TrainingSettings
from lib.ui.controls import one_of
from lib.ui.messages import count, counted, refuse
from lib.ui.runs import starting
from lib.ui.runs.choice import look_at
from lib.ui.runs.live import rounded_length
from lib.ui.sae import train_start
from lib.ui.workspace import Space

_FEATURES = ["32", "64", "128", "256", "512", "1024", "2048", "4096", "8192", "16384"]
_KS = ["2", "4", "8", "16", "32", "64", "128"]
_BATCHES = ["64", "128", "256", "512", "1024", "2048", "4096"]
_PASSES = ["1", "2", "5", "8", "10", "20", "50", "100", "200", "500"]
_RATES = ["by size", "0.0001", "0.0003", "0.001", "0.003", "0.01"]
_HELD_OUT = ["5 %", "10 %", "20 %", "30 %"]
_NO_GROUP = "each text by itself"
_NESTED = 3  # prefixes of a Matryoshka dictionary, each a fourth of the next


def show(space: Space, token: str) -> None:
    """Draw the form."""
    st.subheader("Which concepts are in these texts? Train a dictionary on them")
    st.markdown(
        "You get a **sparse autoencoder** of your own: a dictionary of directions in this encoder's space, a few of "
        "which add up to each of your texts. With it, the other tabs and the Diagnostics page take these texts apart "
        "by concepts that are theirs, not those of the packaged dictionary, which saw general English."
    )
    advice = suggested(len(space.vectors))
    _say_how_many(advice)
    own = (
        one_of(
            "Settings",
            ["suggested", "my own"],
            key="train_settings",
            help="Settings that follow from your corpus, or your own.",
        )
        == "my own"
    )
    settings, group = _own(space, advice) if own else (_suggested(advice), None)
    try:
        seconds = train_start.check(space, settings, RunLimits.from_environment())
    except InputError as fault:
        refuse(fault)
        return
    queries = _queries(space)
    _say_what(settings, seconds)
    begin = partial(train_start.begin, space, settings, group=group, token=token, seconds=seconds, queries=queries)
    starting.offer(begin, look_at, kind="sae", token=token, prefix="train")


def _queries(space: Space) -> list[str]:
    """The query sets on which the finished dictionary is measured."""
    if space.checkpoint is None:
        return []
    if not train_start.can_ask(space):
        st.caption("Retrieval cannot be measured at the end: the encoder's prompts were changed in the sidebar.")
        return []
    chosen = st.toggle(
        "Measure retrieval at the end", True, key="train_ndcg", bind="query-params", persist_state="session",
        help="How much of NDCG@10 is kept when embeddings are replaced by what the features say of them, on the sample "
        f"query set {train_start.QUERIES}: medicine, law and finance, not your texts. They are encoded once, which "
        "takes a large encoder minutes.",
    )  # fmt: skip
    return [f"sample:{train_start.QUERIES}"] if chosen else []


def _say_how_many(advice: Suggestion) -> None:
    """How many texts are enough, and what these will bear."""
    rule = (
        f"As a rule of thumb, {count(1_000)} texts fill a dictionary of about 64 features, {count(10_000)} of 256, "
        f"{count(100_000)} of {count(1_024)}, and some {count(300_000)} of {count(4_096)}: features beyond that fire "
        "too rarely to be learnt or to be read."
    )
    texts = counted(advice.texts, "text")
    if advice.texts < FEW:
        st.warning(
            f"**{texts} are few.** {rule} What {count(advice.features)} features find in so few is a sketch of the "
            "main topics: much of each vector will stay unexplained, and another seed would find partly other ones. To "
            "look at such a corpus, the packaged dictionary usually tells more; to see how training goes, go on.",
            icon=":material/warning:",
        )
    elif advice.texts < ENOUGH:
        st.info(f"{rule} {texts} bear about {count(advice.features)}; more is better.", icon=":material/info:")
    else:
        st.info(f"{rule} {texts} are enough for {count(advice.features)}.", icon=":material/info:")


def _suggested(advice: Suggestion) -> TrainingSettings:
    return TrainingSettings(
        features=advice.features,
        k=advice.k,
        batch_size=advice.batch_size,
        passes=advice.passes,
        held_out=advice.held_out,
    )


def _own(space: Space, advice: Suggestion) -> tuple[TrainingSettings, str | None]:
    """The settings, each with what it means, and what keeps texts together."""
    with st.container(horizontal=True, gap="medium"):
        features = int(_slider(
            "Features", _FEATURES, str(advice.features), key="train_features",
            help="Directions in the dictionary. More are finer and need more texts; too many die or fire for one text.",
        ))  # fmt: skip
        k = int(_slider(
            "Active a text (k)", _KS, str(advice.k), key="train_k",
            help="How many features add up to a text. Few are easier to read; many explain more of the vector.",
        ))  # fmt: skip
    rule = one_of(
        "Which features fire", list(train_start.RULES.values()), key="train_rule",
        help="TopK: the k strongest of every text. BatchTopK: k on average, more for rich texts, fewer for plain ones; "
        "usually explains most. JumpReLU: each feature above a threshold of its own that is learnt.",
    )  # fmt: skip
    with st.expander("More settings"):
        with st.container(horizontal=True, gap="medium"):
            passes = int(_slider(
                "Passes", _PASSES, _nearest(_PASSES, advice.passes), key="train_passes",
                help="How often each text is seen, at most. In the second half the learning rate falls; that begins "
                "sooner, and it ends earlier, when held-out texts gain nothing more.",
            ))  # fmt: skip
            batch = int(_slider(
                "Texts a step", _BATCHES, str(advice.batch_size), key="train_batch",
                help="Large batches are faster a text and steadier; small ones give few texts more steps.",
            ))  # fmt: skip
        with st.container(horizontal=True, gap="medium"):
            held = _slider(
                "Held out", _HELD_OUT, f"{100 * advice.held_out:.0f} %", key="train_held_out",
                help="Texts that it never sees, on which all figures are measured.",
            )  # fmt: skip
            rate = _slider(
                "Learning rate", _RATES, _RATES[0], key="train_rate",
                help="By size: 0.003 for 4,096 features, less for more. Lower it if the curves jump.",
            )  # fmt: skip
        nested = st.toggle(
            "Nested dictionaries (Matryoshka)", key="train_nested", bind="query-params", persist_state="session",
            help="The first features also have to explain the texts by themselves: general concepts come first, and "
            "fewer are swallowed by finer ones.",
        )  # fmt: skip
        group = _group(space)
        seed = st.number_input(
            "Seed", 0, 2**32 - 1, 0, key="train_seed", bind="query-params", persist_state="session", width=160,
            help="Another seed gives another dictionary; what both find is what to trust.",
        )  # fmt: skip
    return TrainingSettings(
        features=features,
        k=k,
        rule=cast(Rule, rule.lower()),
        passes=passes,
        batch_size=batch,
        held_out=int(held.removesuffix(" %")) / 100,
        learning_rate=None if rate == _RATES[0] else float(rate),
        prefixes=tuple(features // 4**n for n in range(_NESTED, 0, -1) if features // 4**n >= k) if nested else (),
        seed=int(seed),
    ), group


def _group(space: Space) -> str | None:
    """What texts that belong together have in common."""
    columns = [str(column) for column in space.corpus.columns.columns]
    options = [_NO_GROUP, *([train_start.LABEL] if space.labels is not None else []), *columns]
    chosen = st.selectbox(
        "Held out together", options, key="train_group", bind="query-params", persist_state="session", width=320,
        help="Texts with the same value stay on one side: choose the document where texts are its parts, else held-out "
        "figures flatter. Without a choice, equal texts stay together.",
    )  # fmt: skip
    return None if chosen in (None, _NO_GROUP) or chosen not in options else str(chosen)


def _say_what(settings: TrainingSettings, seconds: float) -> None:
    st.caption(
        f"{count(settings.features)} features, {settings.k} of them active a text, "
        f"{train_start.RULES[settings.rule]}; at most "
        f"{counted(settings.passes, 'passe').replace('1 passe', '1 pass')} through the texts, "
        f"{100 * settings.held_out:.0f} % of them held out. "
        f"About **{rounded_length(seconds)}**: an estimate, from how fast this machine multiplied when it was last "
        "tried; a busy server takes several times as long. It runs apart from this page, goes on when you close it, "
        "and is found again by its address. Only vectors are handed over, not texts, and they are removed when it has "
        "finished."
    )


def _slider(label: str, options: list[str], start: str, *, key: str, help: str) -> str:
    chosen = st.select_slider(
        label, options, value=start, key=key, bind="query-params", persist_state="session", help=help, width=320
    )
    return str(chosen)


def _nearest(options: list[str], value: int) -> str:
    return min(options, key=lambda option: abs(int(option) - value))
