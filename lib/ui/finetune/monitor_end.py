"""A finished training in the Monitor: what its encoder gained on queries held out, and where to take it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_TUNED
from lib.finetune.sources import MODEL, RUN
from lib.finetune.training.folder import CONFIG, ENVIRONMENT, FIGURES
from lib.numerals import spelt
from lib.runs import Run, gigabytes_of
from lib.runs.run import read_json
from lib.ui import downloads
from lib.ui.finetune.monitor_logs import FOLDER, SAMPLES
from lib.ui.finetune.pair import TUNED
from lib.ui.layout import number
from lib.ui.messages import count, counted, tell
from lib.ui.runs import ended
from lib.ui.runs.choice import HARMFUL, SAMPLE
from lib.ui.runs.live import length

_CARD = "README.md"
_TUNED = {SAMPLE: PACKAGED_TUNED, HARMFUL: PACKAGED_HARMFUL}
_MOST = 5e8  # bytes that a page hands over


def show(run: Run) -> None:
    """Draw what came of a run, and what can be done with it."""
    figures = read_json(run.result / FIGURES) or {}
    _gained(figures)
    _how(figures)
    with st.container(horizontal=True):
        _compare(str(run.about.get("encoder") or PACKAGED), f"{RUN}{run.id}", primary=True)
        st.button(
            "Use as encoder", key="monitor_use", on_click=_use, args=(f"{RUN}{run.id}",), icon=":material/input:",
            help="Every page then reads texts with it; it stands in the address, for whoever has that.",
        )  # fmt: skip
        _download(run.result)
    ended.tell_to_keep("their models")


def sample(name: str) -> bool:
    """Draw what came of a packaged fine-tune's run; whether that is known."""
    figures = read_json(FOLDER / SAMPLES[name] / FIGURES) or {}
    if figures:
        _gained(figures)
        _how(figures)
    _compare(PACKAGED, _TUNED[name], primary=False)
    return bool(figures.get("validation"))


def _gained(figures: Mapping[str, Any]) -> None:
    """Each metric on the queries held out, before and after, with its test."""
    found = figures.get("validation")
    if not found:
        st.caption("No queries were held out, so nothing tells whether it gained: compare it with the base.")
        return
    with st.container(horizontal=True, gap="small"):
        for test in found["tests"]:
            number(
                spelt(test["metric"]),
                f"{test['mean_a']:.3f} → {test['mean_b']:.3f}",
                "On queries held out, before → after: mean over them, 0 to 1, higher is better.",
                wide=True,
            )
    st.markdown(_verdict(found["tests"][0]))
    st.caption(
        f"On {asked(found['queries'])} held out, over {counted(found['documents'], 'document')}. It gained where the "
        "95 % interval of the change lies above 0, lost where it lies below. The step that is kept was chosen by the "
        "same queries, which flatters it a little; and they are of the same kind as those trained on: what it forgot "
        "elsewhere, only others tell."
    )
    with st.expander("Each metric, with intervals and p-values"):
        downloads.table(_table(found), name="validation", hide_index=True)
        st.caption(
            "In brackets: 95 % intervals over queries, by bootstrap. p: share of random changes of sign that move the "
            "mean as far, corrected for the number of metrics (Holm)."
        )


def asked(queries: int) -> str:
    """So many queries in words."""
    return f"{count(queries)} {'query' if queries == 1 else 'queries'}"


def _verdict(test: Mapping[str, Any]) -> str:
    """What a metric says."""
    name, change = spelt(test["metric"]), _signed(test["difference"])
    if test["low"] is not None and test["low"] > 0:
        return f":material/trending_up: It **gained** on queries held out: {name} rose by {change}."
    if test["high"] is not None and test["high"] < 0:
        return f":material/trending_down: It **lost** on queries held out: {name} changed by {change}."
    return f":material/trending_flat: Whether it gained **cannot be told** by {name}: the interval holds 0."


def _table(found: Mapping[str, Any]) -> pd.DataFrame:
    """A row a metric."""
    return pd.DataFrame(
        {
            "metric": spelt(test["metric"]),
            "before": _between(before["mean"], before, "{:.3f}"),
            "after": _between(after["mean"], after, "{:.3f}"),
            "change": _between(test["difference"], test, "{:+.3f}"),
            "p": f"{p:.2g}",
            "queries up, same, down": f"{test['wins']}, {test['ties']}, {test['losses']}",
        }
        for before, after, test, p in zip(
            found["before"], found["after"], found["tests"], found["adjusted"], strict=True
        )
    )


def _between(value: float, ends: Mapping[str, Any], form: str) -> str:
    known = ends["low"] is not None and ends["high"] is not None
    told = form.format(value) + (f" ({form.format(ends['low'])} to {form.format(ends['high'])})" if known else "")
    return told.replace("-", "−")


def _how(figures: Mapping[str, Any]) -> None:
    """How it ended, and which weights were kept."""
    if not figures:
        return
    early = ", since queries held out gained nothing more," if figures.get("reason") == "early stop" else ""
    best = ", the best of training on queries held out." if figures.get("validation") else "."
    st.caption(
        f"It took {count(figures['steps'])} of {counted(figures['planned'], 'step')}{early} and "
        f"{length(figures['seconds'])}. Kept are the weights after step {count(figures['best_step'])}{best}"
    )
    tell(figures.get("notices") or ())


def _compare(base: str, tuned: str, *, primary: bool) -> None:
    st.button(
        "Compare with the base", key="monitor_compare", on_click=_hold_against, icon=":material/difference:",
        args=(base, tuned), type="primary" if primary else "secondary",
        help="What changed in the space, not just in the score: both read the sidebar's corpus.",
    )  # fmt: skip


def _use(source: str) -> None:
    st.session_state["encoder"] = source


def _hold_against(base: str, tuned: str) -> None:
    st.session_state.update({"encoder": base, TUNED: tuned, "view": "Drift"})
    st.query_params[TUNED] = tuned  # a choice that is drawn for the first time does not write its own


def _download(folder: Path) -> None:
    """The model as one archive, and its card."""
    files = model_files(folder)
    size = sum(path.stat().st_size for path in files.values())
    if size > _MOST:
        st.caption(f"The model takes {gigabytes_of(size)}, too much for this page: its owner finds it on the server.")
    else:
        st.download_button(
            "Download the model", data=lambda: model_zip(folder), file_name="model.zip", mime="application/zip",
            icon=":material/download:", key="monitor_zip", on_click="ignore",
            help=f"{gigabytes_of(size)}: a folder that sentence-transformers opens, and so does Embedscope, with its "
            "card and what came of the training.",
        )  # fmt: skip
    card = folder / MODEL / _CARD
    if card.is_file():
        with st.popover("Card", icon=":material/description:"):
            st.code(card.read_text(encoding="utf-8"), language="markdown", wrap_lines=True)


def model_files(folder: Path) -> dict[str, Path]:
    """The files of a finished run that are handed over, by their name in the archive."""
    model = {f"{MODEL}/{path.relative_to(folder / MODEL).as_posix()}": path for path in (folder / MODEL).rglob("*")}
    about = {name: folder / name for name in (CONFIG, ENVIRONMENT, FIGURES)}
    return {name: path for name, path in sorted((model | about).items()) if path.is_file()}


def model_zip(folder: Path) -> bytes:
    """The same as an archive."""
    return ended.zipped(model_files(folder))


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
