"""Steering in a real browser: a delta is moved and ranks move, the vector works, and the address reopens it all."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser


def rankings(seen):
    """What the two lists say."""
    return seen.page.get_by_text("retrieval after").locator("xpath=../..").inner_text()


def test_a_delta_that_is_moved_moves_the_ranking_and_the_vector_works_elsewhere(
    server, visit, sample, tmp_path, monkeypatch
):
    seen = visit(f"{server}/steering?recipe=160:%2B4,1458:-3")
    handle = seen.page.get_by_role("slider").first
    handle.wait_for()
    before, ranks = seen.numbers["Cosine shift"], rankings(seen)
    handle.focus()
    for _ in range(6):
        handle.press("ArrowRight")
    seen.settle()
    seen.settle()
    seen.until(lambda: seen.numbers["Cosine shift"] != before)
    seen.until(lambda: rankings(seen) != ranks)
    again = visit(seen.page.evaluate("location.href"))
    again.until(lambda: again.numbers == seen.numbers)
    assert rankings(again) == rankings(seen)
    again.page.get_by_text("Use this recipe elsewhere").click()
    with again.page.expect_download() as saved:
        again.page.get_by_role("button", name="Vector as .npy").click()
    saved.value.save_as(tmp_path / saved.value.suggested_filename)
    monkeypatch.chdir(tmp_path)
    held = {"vectors": np.asarray(sample[1])}
    exec(again.page.locator('[data-testid="stCode"]:visible').inner_text(), held)
    assert f"{1 - float(held['vectors'][0] @ sample[1][0]):.3f}" == again.numbers["Cosine shift"]
    again.sound()


def test_the_other_view_asks_about_what_was_pushed_and_its_address_reopens_it(server, visit):
    seen = visit(f"{server}/steering?recipe=618:%2B4")
    seen.tab("Dose-response")
    seen.chart("dose_rank")
    chosen = seen.page.locator(".st-key-steer_feature input")
    seen.until(lambda: chosen.input_value().startswith("618"))
    again = visit(seen.page.evaluate("location.href"))
    again.chart("dose_rank")
    again.until(lambda: again.numbers == seen.numbers)
    again.sound()
