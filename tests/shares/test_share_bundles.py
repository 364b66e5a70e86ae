"""A bundle comes back as it went, whatever its texts are made of, and nothing else comes back for it."""

import json

import numpy as np
import pandas as pd
import pytest

from lib.corpora import (
    ColumnChoice,
    Corpus,
    QuerySet,
    build_corpus,
    load_query_set,
    load_sample,
    read_corpus,
    read_table,
)
from lib.shares import Bundle, corpus_jsonl
from lib.shares.packing import pack, unpack
from lib.tensors import BrokenFileError

ODD = (
    "naïve",
    "日本語",
    "👩\u200d🔬",
    "e\u0301",
    "a\0b",
    "\ud800 alone",
    "line\nbreak\r\t",
    "‮right to left",
    " ",
    "=1+1",
)


def corpus(texts=ODD, **more):
    """A corpus of these texts."""
    return Corpus("odd.csv", tuple(texts), tuple(str(i) for i in range(len(texts))), **more)


def columns():
    """One column of every kind that a corpus may have, ten rows."""
    return pd.DataFrame(
        {
            "whole": pd.Series([2**53 - 1, -(2**53), *range(8)], dtype="int64"),
            "number": pd.Series([np.nan, -0.0, 1e-300, *np.linspace(0, 1, 7)], dtype="float64"),
            "truth": pd.Series([True, False] * 5, dtype="bool"),
            "maybe": pd.Series([True, None, False, *[True] * 7], dtype="boolean"),
            "text": pd.Series([None, "", "日本", *["x"] * 7], dtype="str"),
            "": pd.Series(["no name"] * 10, dtype="str"),
        }
    )


def queries(**more):
    """Two queries, three documents, three judgements."""
    return QuerySet(
        "small", ODD[:2], ("q", "r"), ODD[2:5], ("a", "b", "c"),
        np.array([0, 0, 1]), np.array([0, 2, 1]), np.array([1, 0, 3]), **more,
    )  # fmt: skip


BUNDLES = {
    "odd texts": lambda: Bundle(corpus()),
    "one text": lambda: Bundle(corpus(["x"])),
    "no text": lambda: Bundle(corpus([])),
    "labels, some missing or empty": lambda: Bundle(corpus(labels=(None, "", "ü", *["b"] * 7))),
    "columns": lambda: Bundle(corpus(columns=columns())),
    "embeddings": lambda: Bundle(corpus(embeddings=np.linspace(-1, 1, 40, dtype=np.float32).reshape(10, 4))),
    "notices": lambda: Bundle(corpus(notices=("1 row dropped.",), blank=3, duplicates=2)),
    "queries": lambda: Bundle(queries=queries()),
    "topics": lambda: Bundle(queries=queries(topics=(None, "law"), notices=("kept",))),
    "both": lambda: Bundle(corpus(), queries()),
    "the samples": lambda: Bundle(load_sample("topics"), load_query_set("topics")),
}


@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES)
def test_it_comes_back_as_it_went(bundle):
    """Texts, ids, labels, columns with their types, embeddings, judgements, names and notices."""
    given = bundle()
    found = unpack(pack(given), given.about)
    assert found.key == given.key
    assert found.holds == given.holds
    if given.corpus is not None:
        for part in ("name", "texts", "ids", "labels", "blank", "duplicates", "notices", "key"):
            assert getattr(found.corpus, part) == getattr(given.corpus, part)
        pd.testing.assert_frame_equal(found.corpus.columns, given.corpus.columns, check_column_type=False)
        assert (found.corpus.embeddings is None) == (given.corpus.embeddings is None)
    if given.queries is not None:
        for part in ("name", "queries", "query_ids", "documents", "document_ids", "topics", "notices", "key"):
            assert getattr(found.queries, part) == getattr(given.queries, part)


def test_drawn_at_random():
    """Fifty corpora of random code points, surrogates too, with missing labels."""
    draw = np.random.default_rng(7)
    for _ in range(50):
        n = int(draw.integers(0, 12))
        texts = ["".join(map(chr, draw.integers(0, 0x11000, int(draw.integers(0, 9))))) for _ in range(n)]
        given = Bundle(corpus(texts, labels=tuple(text or None for text in texts) if n else None))
        assert unpack(pack(given), given.about).corpus.texts == given.corpus.texts


def test_the_key_is_of_the_content():
    """Equal bundles have one key; a name, a notice or a letter makes another."""
    assert Bundle(corpus()).key == Bundle(corpus()).key
    others = [
        Bundle(corpus(ODD[1:])),
        Bundle(corpus(notices=("x",))),
        Bundle(corpus(), queries()),
        Bundle(queries=queries()),
    ]
    assert len({Bundle(corpus()).key, *(other.key for other in others)}) == 5
    with pytest.raises(ValueError, match="neither"):
        Bundle()


@pytest.mark.parametrize(
    "change", ["letter", "lengths", "negative", "missing array", "version", "key", "no object", "type"]
)
def test_what_was_changed_is_refused(change):
    """Nothing but what was packed is made a bundle of."""
    given = Bundle(corpus(labels=("a",) * 10), queries())
    arrays, about = pack(given), given.about
    said = json.loads(about)
    if change == "letter":
        arrays["corpus.texts.bytes"] = arrays["corpus.texts.bytes"].copy()
        arrays["corpus.texts.bytes"][0] ^= 1
    elif change == "lengths":
        arrays["corpus.texts.lengths"] = arrays["corpus.texts.lengths"] * 2**40
    elif change == "negative":
        arrays["corpus.labels.lengths"] = arrays["corpus.labels.lengths"] - 3
    elif change == "missing array":
        del arrays["queries.relevance"]
    elif change == "type":
        arrays["queries.judged_query"] = arrays["queries.judged_query"] + 5
    else:
        said = {"version": said | {"version": 2}, "key": said | {"queries": said["queries"] | {"key": "0" * 64}},
                "no object": [1]}[change]  # fmt: skip
        about = json.dumps(said, sort_keys=True)
    with pytest.raises(BrokenFileError):
        unpack(arrays, about)


def test_a_recipient_can_keep_the_texts_and_upload_them_again():
    """As JSON Lines: the same texts, ids, labels, embeddings and columns, under names that do not collide."""
    csv = "id,body,text,label,n\n7,one text,other,a,1\n8,another text,more,,2.5\n"
    table = read_table(csv.encode(), name="mine.csv")
    given = build_corpus(table, ColumnChoice("body", label="label", id="id"), embeddings=np.eye(2, 9, dtype=np.float32))
    found = read_corpus(
        corpus_jsonl(given), name="mine.jsonl", choice=ColumnChoice("text", label="label", id="id", vector="embedding")
    )
    assert (found.texts, found.ids, found.labels) == (given.texts, given.ids, given.labels)
    assert found.columns["text 2"].tolist() == ["other", "more"]
    assert found.columns["n"].tolist() == [1.0, 2.5]
    assert (found.embeddings == given.embeddings).all()
