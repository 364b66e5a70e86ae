"""The row above every page: copy the link, share, report, help."""

import streamlit as st

from lib.ui import downloads
from lib.ui.chosen import Chosen
from lib.ui.reports.offer import offer_report
from lib.ui.sharing.copy_link import offer_link
from lib.ui.sharing.share import ask_deletion, offer_share
from lib.ui.tour import offer_help


def draw(page: st.Page, chosen: Chosen) -> None:
    """Draw the row for `page`, on what is chosen in the sidebar."""
    ask_deletion()
    downloads.dress()
    with st.container(horizontal=True, horizontal_alignment="right", gap="small", key="toolbar"):
        offer_link()
        offer_share(chosen)
        offer_report(chosen)
        offer_help(page.url_path or "overview")
