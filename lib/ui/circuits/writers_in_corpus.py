"""What writes a feature in general? Both measures over the texts on which it fires, less those on which it does not."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts.circuits_writers import corpus_writers_figure
from lib.encoders import Checkpoint
from lib.sae.circuits.corpus_writers import CorpusWriters
from lib.sae.circuits.writers import Replacement
from lib.ui import downloads
from lib.ui.circuits import writers_corpus_words as words
from lib.ui.circuits.choice import Choice
from lib.ui.circuits.writers_cached import written_over
from lib.ui.circuits.writers_words import of_agreement
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain, tell
from lib.ui.sae import cached
from lib.ui.sae_space import SaeSpace


def show(space: SaeSpace, checkpoint: Checkpoint, chosen: Choice, replacement: Replacement) -> None:
    """Draw the picture of the feature that was chosen; its text does not matter."""
    rows, _ = cached.codes(space).firing(chosen.feature)
    texts = len(space.space.corpus)
    if not len(rows):
        st.info(
            f"{plain(chosen.name)} fires on none of the {counted(texts, 'text')} of the corpus, so there is nothing to "
            "average: choose another feature, or a corpus on which it fires.", icon=":material/search_off:",
        )  # fmt: skip
        return
    fires = np.zeros(texts, dtype=bool)
    fires[rows] = True
    result = written_over(space, checkpoint, chosen.feature, fires, replacement)
    if result is None:
        return
    tell(words.notices(result))
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(result)
    with picture:
        st.markdown(f"**{plain(chosen.name)}** · {plain(words.finding(result))}")
        fig = corpus_writers_figure(result)
        downloads.picture(
            fig,
            key="corpus_writers_figure",
            quiet=True,
            about="Which parts of the model write this feature over the corpus, part by part.",
        )
        st.caption(words.of_figure(result))
    st.markdown(f"**Do the two agree?** {plain(of_agreement(result.agreement, result.parts))}")
    st.caption(plain(result.agreement.rule))
    _everything(result)
    with st.container(horizontal=True):
        downloads.offer_result(result, name="corpus_writers")


def _numbers(result: CorpusWriters) -> None:
    of_all = count(result.of_firing + result.of_silent)
    number("Fires on", f"{count(result.of_firing)} of {of_all}", words.fires(result), wide=True)
    number("Pre-activation", f"{result.pre_activation:.3f}", words.pre_activation(result))
    part, value = words.surely(result, "direct")
    number("Writes most, layer", part, f"{words.DIRECT} Here {value}.", wide=True)
    part, value = words.surely(result, "left_out")
    number("Missed most, layer", part, f"{words.LEFT_OUT} Here {value}.", wide=True)
    number("Half of it from", "—" if result.half is None else counted(result.half, "part"), words.HALF)
    number("The two ways", result.agreement.verdict, result.agreement.rule, wide=True)


def _everything(result: CorpusWriters) -> None:
    table = words.table(result)
    with st.expander("All parts", expanded=True):
        st.dataframe(
            pd.DataFrame(table), hide_index=True, height="content",
            column_config={
                name: st.column_config.NumberColumn(format="percent" if name == words.STRONGEST else "%+.4f", help=help)
                for name, help in words.MEANINGS.items()
            },
        )  # fmt: skip
        downloads.offer_table(pd.DataFrame(table), name="corpus_writers_parts")
