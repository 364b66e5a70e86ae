"""Work on the Retrieval page that was stopped: it says so, and waits until it is asked for again."""

import pytest

from lib.ui.retrieval import search_cached


@pytest.mark.parametrize("again", [False, True])
def test_indexes_that_were_stopped_are_not_built_by_themselves(app, again):
    search_cached.known_indexes.clear()
    shown = app(page="retrieval", view="Search", query_sample="late")
    (begin,) = (button.key for button in shown.page.button if button.label == "Build and measure")
    shown.page.session_state[f"_work_{begin.removesuffix('_begin')}"] = "stopped"
    shown.run()
    assert any(info.value.startswith("Stopped. Builds indexes") for info in shown.page.info)
    assert "index" not in [column for frame in shown.page.dataframe for column in frame.value.columns]
    if again:
        assert len(shown.press("Build and measure").table("index")) == 3
