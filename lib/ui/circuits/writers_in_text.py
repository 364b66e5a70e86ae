"""What writes a feature in one text? Every part told twice, beside what is usual for each."""

import pandas as pd
import streamlit as st

from lib.charts.circuits_writers import writers_figure
from lib.encoders import Checkpoint
from lib.sae.circuits.writers import Replacement, Writers
from lib.ui import downloads
from lib.ui.circuits import writers_words as words
from lib.ui.circuits.choice import Choice
from lib.ui.circuits.writers_cached import usual_terms, written
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import plain, tell
from lib.ui.sae_space import SaeSpace


def show(space: SaeSpace, checkpoint: Checkpoint, chosen: Choice, replacement: Replacement) -> None:
    """Draw the picture of the text and feature that were chosen."""
    result = _result(space, checkpoint, chosen, replacement)
    if result is None:
        return
    if not chosen.fires:
        tell(["This feature does not fire on this text; shown is what adds to its pre-activation all the same."])
    if result.truncated:
        tell([f"The text is longer than {checkpoint.max_tokens} tokens: only its beginning was read."])
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(result)
    with picture:
        st.markdown(f"**{plain(chosen.name)}** · {plain(words.finding(result))}")
        fig = writers_figure(result)
        downloads.picture(
            fig,
            key="writers_figure",
            quiet=True,
            about="Which parts of the model write this feature in this text, part by part.",
        )
        st.caption(words.of_figure(result))
    st.markdown(f"**Do the two agree?** {plain(words.of_agreement(result.agreement, result.parts))}")
    st.caption(plain(result.agreement.rule))
    _everything(result)
    with st.container(horizontal=True):
        downloads.offer_result(result, name="writers")


def _result(space: SaeSpace, checkpoint: Checkpoint, chosen: Choice, replacement: Replacement) -> Writers | None:
    beside = usual_terms(space, checkpoint, chosen.feature)
    if beside is None and replacement == "mean":
        return None
    return written(
        space, checkpoint, chosen.text.text, feature=chosen.feature, beside=beside, replacement=replacement
    )  # fmt: skip


def _numbers(result: Writers) -> None:
    fires = "fires" if result.activation > 0 else "does not fire"
    number("Pre-activation", f"{result.pre_activation:.3f}", f"{words.PRE} Here it {fires}.")
    part, value = words.short(result.parts, result.direct)
    number("Writes most, layer", part, f"{words.DIRECT} Here {value}.", wide=True)
    part, value = words.short(result.parts, result.left_out)
    number("Missed most, layer", part, f"{words.LEFT_OUT} Here {value}.", wide=True)
    number("Constant", f"{result.constant:+.3f}", words.CONSTANT)
    number("The two ways", result.agreement.verdict, result.agreement.rule, wide=True)


def _everything(result: Writers) -> None:
    table = pd.DataFrame(
        {
            "part": result.parts,
            "direct": result.direct,
            "usual in the corpus": result.usual,
            "lost when left out": result.left_out,
            "other features lose": result.others,
            "activation lost": result.left_out_activation,
            "signs": ["differ" if place in result.agreement.opposed else "" for place in range(len(result.parts))],
        }
    ).dropna(axis="columns", how="all")
    with st.expander("All parts", expanded=True):
        st.dataframe(
            table, hide_index=True, height="content",
            column_config={
                name: st.column_config.NumberColumn(format="%+.4f", help=meaning)
                for name, meaning in words.MEANINGS.items()
            },
        )  # fmt: skip
        downloads.offer_table(table, name="writers_parts")
