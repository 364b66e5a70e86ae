"""The settings of a training in plain words, each with what it means."""

from dataclasses import replace
from typing import Any

import streamlit as st

from lib.encoders import Checkpoint
from lib.finetune.suggestion import Material, steps_of
from lib.finetune.training.settings import FULL_RATE, LORA_RATE, Loss, Method, Negatives, TrainingSettings
from lib.ui.controls import one_of
from lib.ui.messages import count, counted
from lib.ui.runs.live import rounded_length

METHODS: dict[str, Method] = {"LoRA adapter": "lora", "all weights": "full"}
"""What the methods are called on screen."""
LOSSES: dict[str, Loss] = {
    "InfoNCE": "infonce",
    "InfoNCE, cached": "cached infonce",
    "NT-Xent": "nt-xent",
    "triplet": "triplet",
    "cosine": "cosine",
}
"""What the losses are called on screen."""
NEGATIVES: dict[str, Negatives] = {"by BM25": "bm25", "by the encoder": "encoder", "as given": "given", "none": "none"}
"""Where negatives come from, as it is called on screen."""
_BATCHES = ["4", "8", "16", "32", "64", "128", "256"]
_PASSES = ["1", "2", "3", "4", "5", "8", "10", "20"]
_RANKS = ["1", "2", "4", "8", "16", "32", "64"]
_RATES = ["by method", "0.00001", "0.00002", "0.00005", "0.0001", "0.0002", "0.0005", "0.001"]
_HELD_OUT = ["0 %", "5 %", "10 %", "20 %", "30 %", "50 %"]
_TOKENS = ["32", "64", "128", "256", "512", "all"]
_TEMPERATURES = ["0.01", "0.02", "0.05", "0.1", "0.2"]
_MARGINS = ["0.05", "0.1", "0.2", "0.3", "0.5", "1"]
_STEPS = ["no limit", "10", "50", "100", "200", "500", "1000"]
_NARROWEST = 16
_WIDTHS = 4


def settings(checkpoint: Checkpoint, advice: TrainingSettings) -> TrainingSettings:
    """Draw the choice between the suggested settings and one's own; what was chosen."""
    if (
        one_of(
            "Settings",
            ["suggested", "my own"],
            key="tune_settings",
            help="Settings that follow from your data, or your own.",
        )
        == "suggested"
    ):
        return advice
    with st.container(horizontal=True, gap="medium"):
        method = METHODS[one_of(
            "What is trained", list(METHODS), key="tune_method",
            help="LoRA adapter: small matrices beside the frozen weights of query, key and value; a file of some "
            "hundred kB, which forgets little of what the base knew. All weights: learns more, forgets more, and takes "
            "more time, memory and disk.",
        )]  # fmt: skip
        loss = LOSSES[one_of(
            "Loss", list(LOSSES), key="tune_loss",
            help="InfoNCE: among all documents of the batch, the answer should be closest; the usual choice. Cached: "
            "the same in less memory, for large batches. NT-Xent: also among all queries, for each document. Triplet: "
            "the answer closer than one negative by a margin. Cosine: similarity as the scores say; pairs 1 and "
            "negatives 0 without scores.",
        )]  # fmt: skip
    negatives = NEGATIVES[one_of(
        "Hard negatives", list(NEGATIVES), key="tune_negatives",
        help="Documents that look like an answer and are none teach most. By BM25: the best by shared words. By the "
        "encoder: the closest to the query, less those so close that they may be unlabelled answers. Either way, pairs "
        "that bring negatives keep them. As given: only those. None: only other pairs of the batch.",
    )]  # fmt: skip
    with st.container(horizontal=True, gap="medium"):
        passes = _slider(
            "Passes", _PASSES, _nearest(_PASSES, advice.epochs), key="tune_passes",
            help="How often each pair is seen, at most: it ends early when held-out queries gain nothing more.",
        )  # fmt: skip
        batch = _slider(
            "Pairs a step", _BATCHES, str(advice.batch), key="tune_batch",
            help="With InfoNCE and NT-Xent the others of a batch are negatives: more is harder, and takes more memory; "
            "the cached loss bears large ones.",
        )  # fmt: skip
    nested = st.toggle(
        "Vectors that can be cut (Matryoshka)", key="tune_nested", bind="query-params", persist_state="session",
        help=f"The first {_said(widths_of(checkpoint.dimensions))} numbers of a vector are trained to serve alone, so "
        "that a shorter index loses less.",
    )  # fmt: skip
    chosen = replace(
        advice, method=method, loss=loss, negatives=negatives, epochs=float(passes), batch=int(batch),
        matryoshka=widths_of(checkpoint.dimensions) if nested else (),
    )  # fmt: skip
    with st.expander("More settings"):
        return replace(chosen, **_more(chosen, advice))


def say_what(settings: TrainingSettings, material: Material, seconds: float) -> None:
    """What will happen, and how long it takes."""
    loss = next(name for name, value in LOSSES.items() if value == settings.loss)
    what = f"a LoRA adapter of rank {settings.rank}" if settings.method == "lora" else "all weights"
    passes = f"{count(int(settings.epochs))} {'pass' if settings.epochs == 1 else 'passes'}"
    mined = {"bm25": "mined by BM25", "encoder": "mined by the encoder", "given": "as given", "none": "none"}
    others = " where none are given" if material.negatives and settings.negatives in ("bm25", "encoder") else ""
    held = f"{100 * settings.validation:.0f} % of the queries held out"
    st.caption(
        f"Trains {what} by {loss}, {count(settings.batch)} pairs a step, {passes}: at most "
        f"{counted(steps_of(settings, material), 'step')}; hard negatives {mined[settings.negatives]}{others}; "
        f"{held if settings.validation else 'no query held out, so nothing tells whether it gained'}"
        f"{f'; vectors that can be cut to {_said(settings.matryoshka)}' if settings.matryoshka else ''}. "
        f"About **{rounded_length(seconds)}**: an estimate, from the size of the encoder, the length of the texts and "
        "how fast this machine multiplied when it was last tried; a busy server takes several times as long. Once it "
        "runs, the Monitor tells by its own pace. It runs apart from this page, goes on when you close it, and is "
        "found again by its address. The texts are handed to it, and removed when it has finished."
    )


def widths_of(dimensions: int) -> tuple[int, ...]:
    """Widths to which vectors can be cut: all, half, a quarter, an eighth, none too narrow to tell texts apart."""
    return tuple(dimensions // 2**n for n in range(_WIDTHS) if dimensions // 2**n >= _NARROWEST) or (dimensions,)


def _more(chosen: TrainingSettings, advice: TrainingSettings) -> dict[str, Any]:
    made: dict[str, Any] = {}
    with st.container(horizontal=True, gap="medium"):
        if chosen.method == "lora":
            rank = int(_slider("Rank", _RANKS, str(chosen.rank), key="tune_rank",
                               help="Of the adapter's matrices; alpha is twice that."))  # fmt: skip
            made |= {"rank": rank, "alpha": 2.0 * rank}
        usual = f"{LORA_RATE:g} for an adapter, {FULL_RATE:g} for all weights"
        rate = _slider("Learning rate", _RATES, _RATES[0], key="tune_rate",
                       help=f"By method: {usual}. Lower it if the loss jumps or held-out queries lose.")  # fmt: skip
        made["learning_rate"] = None if rate == _RATES[0] else float(rate)
        if chosen.loss == "triplet":
            made["margin"] = float(_slider("Margin", _MARGINS, "0.2", key="tune_margin",
                                           help="In cosine distance."))  # fmt: skip
        elif chosen.loss != "cosine":
            made["temperature"] = float(_slider("Temperature", _TEMPERATURES, "0.05", key="tune_temperature",
                                                help="Lower minds the hardest more."))  # fmt: skip
    with st.container(horizontal=True, gap="medium"):
        held = _slider("Queries held out", _HELD_OUT, f"{100 * advice.validation:.0f} %", key="tune_held_out",
                       help="Never trained on: on them all figures are measured.")  # fmt: skip
        tokens = _slider("Tokens read", _TOKENS, str(advice.max_tokens or "all"), key="tune_tokens",
                         help="Of a text, in training: fewer is faster.")  # fmt: skip
        most = _slider("Steps at most", _STEPS, _STEPS[0], key="tune_steps", help="Whatever the passes say.")
        each = st.number_input("Negatives a pair", 1, 8, 1, key="tune_each", bind="query-params",
                               persist_state="session", width=160, help="How many are mined.")  # fmt: skip
        seed = st.number_input("Seed", 0, 2**32 - 1, 0, key="tune_seed", bind="query-params",
                               persist_state="session", width=160,
                               help="Another seed gives another model; what both gain is what to trust.")  # fmt: skip
    share = int(held.removesuffix(" %")) / 100
    return made | {
        "validation": share,
        "patience": advice.patience if share else 0,
        "max_tokens": None if tokens == "all" else int(tokens),
        "max_steps": None if most == _STEPS[0] else int(most),
        "negatives_each": int(each),
        "seed": int(seed),
    }


def _said(widths: tuple[int, ...]) -> str:
    return ", ".join(map(count, widths))


def _slider(label: str, options: list[str], start: str, *, key: str, help: str) -> str:
    return st.select_slider(
        label, options, value=start, key=key, bind="query-params", persist_state="session", help=help, width=240
    )


def _nearest(options: list[str], value: float) -> str:
    return min(options, key=lambda option: abs(float(option) - value))
