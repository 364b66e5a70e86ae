"""A selection of texts in an address: there and back, the shorter form, and what is no selection."""

import random

import pytest

from lib.corpora import build_corpus, read_pasted
from lib.corpora.limits import Limits
from lib.errors import InputError
from lib.ui.geometry import selection
from lib.ui.geometry.selection import MOST, NAME, fingerprint, rows_in, rows_of, written

OF = "0123abcd"


@pytest.fixture
def corpus():
    return made("\n".join(f"text {row}" for row in range(50)))


@pytest.fixture
def session(monkeypatch):
    """What the page remembers, its address, and what it says."""
    state, address, said = {}, {}, []
    monkeypatch.setattr(selection.st, "session_state", state)
    monkeypatch.setattr(selection.st, "query_params", address)
    monkeypatch.setattr(selection, "tell", said.extend)
    return state, address, said


def made(lines):
    limits = Limits.from_environment()
    return build_corpus(read_pasted(lines, limits=limits), limits=limits)


def points(rows):
    return {"map": {"selection": {"points": [{"customdata": [str(row)]} for row in rows]}}}


def test_runs_of_rows_are_readable():
    assert written(OF, [4, 5, 6, 40], 400) == f"{OF}.4-6.40"
    assert written(OF, [7], 400) == f"{OF}.7"


@pytest.mark.parametrize("n", [1, 8, 9, 402, 5_000])
@pytest.mark.parametrize("part", [0.01, 0.5, 1.0])
def test_there_and_back(n, part):
    rows = sorted(random.Random(n).sample(range(n), max(1, int(part * n))))
    text = written(OF, rows, n)
    assert rows_in(text, OF, n) == rows
    assert len(text) <= len(OF) + 2 + max(60, -(-n // 6) + 2)  # never longer than a bit for each text


def test_scattered_rows_are_written_as_bits():
    assert written(OF, list(range(0, 400, 2)), 400).startswith(f"{OF}.~")


@pytest.mark.parametrize(
    "text",
    [f"{OF}.", f"{OF}.x", f"{OF}.5-3", f"{OF}.-1", f"{OF}.50", f"{OF}.~", f"{OF}.~!!", f"{OF}.~____________",
     f"{OF}.0-99999999999999", f"{OF}.~é", OF, f"{OF}.1." + "." * MOST],
)  # fmt: skip
def test_what_is_no_selection_is_refused(text):
    with pytest.raises(InputError, match="cannot be read"):
        rows_in(text, OF, 50)


def test_a_selection_of_other_texts_is_refused(corpus):
    with pytest.raises(InputError, match="another corpus"):
        rows_in("deadbeef.1-3", fingerprint(corpus), 50)


def test_it_goes_by_texts_and_not_by_labels(corpus):
    assert fingerprint(corpus) == fingerprint(made("\n".join(corpus.texts)))
    assert fingerprint(corpus) != fingerprint(made("\n".join(reversed(corpus.texts))))


def test_points_that_are_no_texts_are_passed_over():
    assert rows_of([{"customdata": ["3"]}, {}, {"customdata": ["70"]}, {"customdata": ["1"]}], 50) == [1, 3]


def test_a_lasso_reaches_the_address_and_another_session(corpus, session):
    state, address, said = session
    state.update(points([3, 4, 9]))
    selection.take_selection("map", corpus)
    assert address[NAME] == f"{fingerprint(corpus)}.3-4.9"
    assert selection.selection(corpus) == [3, 4, 9]
    state.clear()  # another visitor
    assert selection.selection(corpus) == [3, 4, 9]
    selection.clear_selection(corpus)
    assert (selection.selection(corpus), NAME in address, said) == ([], False, [])


def test_it_comes_back_into_an_address_that_navigation_cleared(corpus, session):
    state, address, _ = session
    state.update(points([8]))
    selection.take_selection("map", corpus)
    address.clear()
    assert selection.selection(corpus) == [8]
    assert address[NAME].endswith(".8")


def test_one_of_another_corpus_is_let_go_and_said(corpus, session):
    state, address, said = session
    address[NAME] = "deadbeef.1-3"
    assert selection.selection(corpus) == []
    assert NAME not in address
    assert "another corpus" in said[0]
    said.clear()
    state.update(points([8]))
    selection.take_selection("map", corpus)
    assert selection.selection(made("one\ntwo\nthree")) == []  # the user has just chosen it: nothing to say
    assert not said


def test_one_too_long_for_an_address_holds_in_its_session(session):
    state, address, said = session
    large = made("\n".join(f"text {row}" for row in range(6 * MOST + 100)))
    rows = random.Random(0).sample(range(len(large)), len(large) // 2)
    state.update(points(rows))
    selection.take_selection("map", large)
    assert selection.selection(large) == sorted(rows)
    assert NAME not in address
    assert "too long for an address" in said[0]
