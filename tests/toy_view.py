"""One view by itself, on Streamlit's own test double: what tests of it do again and again."""

import time


def run(at):
    """Run it; there must be no exception."""
    at.run()
    assert not at.exception, [fault.value for fault in at.exception]
    return at


def press(at, key):
    """Press the button of that key."""
    next(button for button in at.button if button.key == key).click()
    return run(at)


def said(at):
    """All that it says, a line each, as the reader sees it."""
    texts = (*at.caption, *at.markdown, *at.subheader, *at.info, *at.warning, *at.error)
    return "\n".join(text.value for text in texts).replace("\\", "").replace("\u202f", " ")


def keys(at):
    """Keys of its buttons."""
    return {button.key for button in at.button}


def until(at, key, *, seconds=120):
    """Look again until a button is there."""
    end = time.monotonic() + seconds
    while key not in keys(at):
        assert time.monotonic() < end, said(at)
        time.sleep(0.2)
        run(at)
    return at
