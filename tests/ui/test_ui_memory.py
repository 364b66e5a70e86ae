"""What is there is spared from being looked through for garbage; what becomes garbage later is still found."""

import gc
import weakref

import pytest

from lib.ui import memory


class Ring:
    """Garbage that only a collector finds."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def spared(monkeypatch):
    """As in a process in which nothing has been spared yet."""
    monkeypatch.setattr(memory, "_spared", [0, 0.0])
    yield memory._spared
    gc.unfreeze()


def test_what_is_there_is_spared_once(spared, monkeypatch):
    memory.spare()
    assert gc.get_freeze_count() > 10_000
    monkeypatch.setattr(memory, "collect", lambda: pytest.fail("nothing has come"))
    memory.spare()


def test_it_is_spared_again_when_modules_came_or_time_passed(spared, monkeypatch):
    memory.spare()
    times = []
    monkeypatch.setattr(memory, "collect", lambda: times.append(True))
    spared[0] -= 2 * memory._MANY_MODULES
    memory.spare()
    spared[1] -= 2 * memory._SECONDS
    memory.spare()
    assert len(times) == 2


def test_what_was_spared_and_became_garbage_is_collected(spared):
    ring = Ring()
    gone = weakref.ref(ring)
    memory.spare()
    del ring
    gc.collect()
    assert gone() is not None  # it is among what is spared
    memory.collect()
    assert gone() is None
