"""Overview: what do the signals say of this encoder on these texts, and what stands out?"""

import streamlit as st

from lib.ui import downloads, workspace
from lib.ui.code import offer_code
from lib.ui.overview.old_addresses import send_on
from lib.ui.overview.second import choose_second, show_second
from lib.ui.overview.standouts import show_standouts
from lib.ui.overview.whole import show_signals

send_on()
st.title("Overview", anchor=False)
chosen = workspace.chosen()
second = choose_second(chosen)
beside = st.container()
seen = show_signals(chosen)
st.subheader("What stands out")
show_standouts(seen.standouts)
downloads.offer_result(seen.overview(chosen), name="overview")
st.caption(
    "Eight signals of one encoder on these texts, each against its baseline; a verdict stands only where the rule or "
    "test beside it gives one. No single number says whether an encoder is good: what it finds is the last two."
)
if seen.space is not None:
    offer_code("", seen.space)
if second is not None:
    show_second(beside, chosen, second, seen)
