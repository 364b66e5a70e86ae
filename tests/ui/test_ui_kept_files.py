"""An upload outlives its uploader: kept over a page without it, let go when it is removed or replaced."""

import pytest
from streamlit.testing.v1 import AppTest


def script():
    import streamlit as st

    from lib.ui.kept_files import upload

    away = st.toggle("away", key="away")
    if not away:
        multiple = st.session_state.get("multiple", False)
        files = upload("Files", key="mine", types=["txt"], megabytes=1, help="Any.", multiple=multiple)
        st.session_state["names"] = [(file.name, file.getvalue()) for file in files]


@pytest.fixture(params=[False, True], ids=["one", "several"])
def page(request):
    page = AppTest.from_function(script, default_timeout=30)
    page.session_state["multiple"] = request.param
    return page.run()


def put(page, *names):
    files = [(name, name.encode(), "text/plain") for name in names]
    page.file_uploader(key="mine").set_value(files if page.session_state["multiple"] else files[0])
    return page.run()


def leave_and_return(page):
    page.toggle(key="away").set_value(True).run()
    # The browser, too, begins with an empty uploader when it is drawn again.
    page.toggle(key="away").set_value(False).run()
    assert not page.exception


def test_kept_over_a_page_without_it(page):
    put(page, "a*b*.txt")
    assert not page.caption
    leave_and_return(page)
    assert page.session_state["names"] == [("a*b*.txt", b"a*b*.txt")]
    if page.caption:
        assert page.caption[0].value == r"Still here: a\*b\*\.txt"
    put(page, "c.txt")
    assert page.session_state["names"] == [("c.txt", b"c.txt")]


def test_removed(page):
    put(page, "a.txt")
    leave_and_return(page)
    page.button(key="forget_mine").click().run()
    assert page.session_state["names"] == []
    assert not page.button


def test_taken_out_of_its_uploader(page):
    put(page, "a.txt")
    page.file_uploader(key="mine").set_value([] if page.session_state["multiple"] else None).run()
    assert page.session_state["names"] == []
