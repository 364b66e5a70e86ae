"""Passages: exact slices with exact overlap that cover the text; max-pooling against brute force."""

import itertools
import json

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError, Stopped
from lib.retrieval import judged_ranks, query_metrics, search
from lib.retrieval.chunking import chunk_documents, cut_documents
from lib.retrieval.measures import MEASURES, pair_score
from lib.retrieval.pooled import compare_chunks, pooled_ranks, pooled_search

RNG = np.random.default_rng(11)
ONE_TOKEN = ["the", "bank", "court", "patient", "contract", "heart", "judge", "loan", "of", "and", "to", "a"]
WORDS = [*ONE_TOKEN, "aspirin", "unbelievably", "reinsurance"]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


def text_of(words):
    return " ".join(RNG.choice(WORDS, size=words))


TEXTS = [
    "",
    "  ",
    "one",
    text_of(40),
    "  leading and trailing   white \n\t space " * 9 + " \n",
    text_of(700),
    "dose-response, 3.5 mg/kg; β-blockers: naïve 😀 漢字 " * 40,
    "x" * 3000,
]


def parts(made, row):
    return [i for i in range(len(made.texts)) if made.document[i] == row]


@pytest.mark.parametrize(("size", "overlap"), [(1, 0), (7, 0), (7, 3), (30, 29), (64, 16), (256, 50)])
def test_passages_are_slices_that_cover_the_text(encoder, size, overlap):
    made = chunk_documents(TEXTS, encoder, size=size, overlap=overlap)
    assert sorted(set(made.document.tolist())) == list(range(len(TEXTS)))
    assert (np.diff(made.document) >= 0).all()
    for row, text in enumerate(TEXTS):
        here = parts(made, row)
        assert made.start[here[0]] == 0
        assert made.end[here[-1]] == len(text)
        for i in here:
            assert made.texts[i] == text[made.start[i] : made.end[i]]
        for a, b in itertools.pairwise(here):
            assert made.start[a] < made.start[b] <= made.end[a] < made.end[b]
    assert made.size == min(size, 254)
    assert made.asked_size == size
    assert made.split == sum(len(parts(made, row)) > 1 for row in range(len(TEXTS)))
    json.dumps(made.to_dict(), allow_nan=False)


@pytest.mark.parametrize("size", [1, 5, 60])
def test_without_overlap_the_passages_put_together_are_the_text(encoder, size):
    made = chunk_documents(TEXTS, encoder, size=size, overlap=0)
    for row, text in enumerate(TEXTS):
        assert "".join(made.texts[i] for i in parts(made, row)) == text
    whole = cut_documents(TEXTS, encoder).tokens
    if not made.shortened:
        assert np.bincount(made.document, made.tokens).astype(int).tolist() == whole.tolist()


def test_neighbours_share_exactly_the_overlap(encoder):
    text = " ".join(RNG.choice(ONE_TOKEN, size=800))
    made = chunk_documents([text], encoder, size=50, overlap=12)
    words = [part.split() for part in made.texts]
    assert all(a[-12:] == b[:12] for a, b in itertools.pairwise(words))
    assert all(len(part) == 50 for part in words[:-1])
    assert made.tokens.tolist() == [len(part) for part in words]
    assert len(words[-1]) > 12  # a last passage of nothing but overlap would add nothing


def test_a_document_of_just_the_size_stays_whole(encoder):
    words = list(RNG.choice(ONE_TOKEN, size=61))
    made = chunk_documents([" ".join(words[:60]), " ".join(words)], encoder, size=60, overlap=10)
    assert made.document.tolist() == [0, 1, 1]
    assert made.tokens.tolist() == [60, 60, 11]


def test_every_passage_is_read_whole(encoder):
    """Also where a passage begins within a word and is tokenised otherwise than there."""
    text = "pneumonoultramicroscopicsilicovolcanoconiosis" * 60 + " " + text_of(600)
    made = chunk_documents([text, *TEXTS], encoder)
    assert encoder.encode(made.texts).truncated == 0
    assert made.size == 254
    strict = encoder.under(encoder.checkpoint.with_prompts(document="search_document: "))
    assert strict.encode(chunk_documents([text], strict).texts).truncated == 0


def test_cut_documents_are_those_that_the_encoder_cuts(encoder):
    found = cut_documents(TEXTS, encoder)
    mask = encoder.encode(TEXTS).truncated_mask
    assert ((found.lost > 0) == mask).all()
    assert (found.room, found.max_tokens, found.cut, found.items) == (254, 256, int(mask.sum()), len(TEXTS))
    assert found.lost_share == pytest.approx(found.lost.sum() / found.tokens.sum())
    assert found.tokens[:3].tolist() == [0, 0, 1]
    assert found.lost[5] == found.tokens[5] - 254


def test_a_prompt_takes_room(encoder):
    prompted = encoder.under(encoder.checkpoint.with_prompts(document="search_document: "))
    found = cut_documents([text_of(400)], prompted)
    assert found.room == 254 - 4  # search, _, document, :
    assert chunk_documents([text_of(400)], prompted, size=300).size == 250


def test_refusals_and_stop(encoder):
    for size, overlap in ((0, 0), (50, 50), (50, -1)):
        with pytest.raises(InputError, match="size of at least 1 token and an overlap below it"):
            chunk_documents(["a"], encoder, size=size, overlap=overlap)
    with pytest.raises(InputError, match=r"size of 254 \(lowered from 512 to what the encoder reads\)"):
        chunk_documents(["a"], encoder, size=512, overlap=300)
    with pytest.raises(InputError, match="no documents"):
        chunk_documents([], encoder)
    with pytest.raises(InputError, match="no documents"):
        cut_documents([], encoder)
    with pytest.raises(Stopped):
        chunk_documents(["a"], encoder, should_stop=lambda: True)
    told = []
    chunk_documents(["a"] * 600, encoder, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (600, 600)


# Max-pooling


def passages(n, most):
    """Rows of documents for 1 to `most` passages each."""
    return np.repeat(np.arange(n), RNG.integers(1, most + 1, size=n))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def judged_set(q, n, m=3):
    pairs = sorted(
        {(int(a), int(b)) for a, b in zip(np.repeat(np.arange(q), m), RNG.integers(0, n, q * m), strict=True)}
    )
    query, document = np.array(pairs).T
    return QuerySet(
        "set", tuple(f"query {i}" for i in range(q)), tuple(f"q{i}" for i in range(q)),
        tuple(f"document {i}" for i in range(n)), tuple(f"d{i}" for i in RNG.permutation(n)),
        query, document, RNG.integers(0, 3, len(query)),
    )  # fmt: skip


@pytest.mark.parametrize("block", [None, 100])
def test_pooled_search_equals_brute_force(monkeypatch, block):
    if block:
        monkeypatch.setattr("lib.retrieval.pooled._BLOCK", block)
    document = passages(40, 5)
    queries, chunks = RNG.normal(size=(23, 8)).astype(np.float32), RNG.normal(size=(len(document), 8)).astype("f4")
    ties = RNG.permutation(40)
    run = pooled_search(queries, chunks, document, k=17, tie_order=ties)
    cosines = unit(queries) @ unit(chunks).T
    best = np.array([[row[document == d].max() for d in range(40)] for row in cosines])
    assert np.array_equal(run.documents, np.argsort(-best, axis=1)[:, :17])
    assert np.allclose(run.scores, -np.sort(-best, axis=1)[:, :17], atol=1e-6)
    assert run.items == 40


@pytest.mark.parametrize("measure", ["dot", "l2", "manhattan"])
def test_pooled_search_by_other_measures_equals_brute_force(measure):
    document = passages(40, 5)
    queries, chunks = RNG.normal(size=(23, 8)).astype(np.float32), RNG.normal(size=(len(document), 8)).astype("f4")
    chunks *= np.linspace(0.2, 3, len(chunks), dtype="f4")[:, None]
    scores = pair_score(queries[:, None, :], chunks, measure)
    best = np.array([[row[document == d].max() for d in range(40)] for row in scores])
    run = pooled_search(queries, chunks, document, k=40, measure=measure)
    assert np.array_equal(run.documents, np.argsort(-best, axis=1))
    assert np.allclose(run.scores, -np.sort(-best, axis=1), rtol=1e-5, atol=1e-5)
    asked = judged_set(23, 40)
    ranks = pooled_ranks(asked, queries, chunks, document, measure=measure)
    run = pooled_search(queries, chunks, document, k=40, measure=measure, tie_order=asked.tie_order)
    assert np.array_equal(ranks.rank, judged_ranks(asked, run).rank)


def test_pooled_ranks_tell_how_far_they_are_and_can_be_stopped():
    queries, told = judged_set(12, 50), []
    vectors, asked = RNG.normal(size=(50, 8)).astype("f4"), RNG.normal(size=(12, 8)).astype("f4")
    pooled_ranks(queries, asked, vectors, np.arange(50), progress=lambda *done: told.append(done))
    assert told == [(0, 600), (600, 600)]
    with pytest.raises(Stopped):
        pooled_ranks(queries, asked, vectors, np.arange(50), should_stop=lambda: True)


@pytest.mark.parametrize("measure", MEASURES)
def test_one_passage_a_document_is_plain_search(measure):
    vectors, queries = RNG.normal(size=(50, 8)).astype("f4"), judged_set(12, 50)
    asked = RNG.normal(size=(12, 8)).astype("f4")
    plain = search(asked, vectors, 50, measure=measure, tie_order=queries.tie_order)
    pooled = pooled_search(asked, vectors, np.arange(50), k=99, measure=measure, tie_order=queries.tie_order)
    assert np.array_equal(pooled.documents, plain.documents)
    ranks = pooled_ranks(queries, asked, vectors, np.arange(50), measure=measure)
    assert np.array_equal(ranks.rank, judged_ranks(queries, plain).rank)


def test_equal_documents_go_by_the_tie_order():
    vectors = np.repeat(RNG.normal(size=(9, 16)).astype("f4"), 3, axis=0)
    ties = RNG.permutation(27)
    run = pooled_search(RNG.normal(size=(40, 16)).astype("f4"), vectors, np.arange(27), k=27, tie_order=ties)
    for row in run.documents.reshape(40, 9, 3):
        for three in row:
            assert len(set(three // 3)) == 1
            assert (np.diff(ties[three]) > 0).all()


def test_ranks_are_those_of_the_whole_search():
    document = passages(60, 4)
    queries = judged_set(20, 60)
    asked, chunks = RNG.normal(size=(20, 5)).astype("f4"), RNG.normal(size=(len(document), 5)).astype("f4")
    chunks[7] = 0  # a passage without a direction
    run = pooled_search(asked, chunks, document, k=60, tie_order=queries.tie_order)
    assert np.array_equal(pooled_ranks(queries, asked, chunks, document).rank, judged_ranks(queries, run).rank)


def test_passages_that_do_not_fit_are_refused():
    x = np.ones((3, 2))
    for document in ([0, 2, 2], [1, 1, 2], [0, 1, 0], [0, 1]):
        with pytest.raises(InputError, match="document by document"):
            pooled_search(x, x, np.array(document))
    with pytest.raises(InputError, match="at least 1 document"):
        pooled_search(x, x, np.arange(3), k=0)


def test_passages_find_what_the_beginning_does_not_hold(encoder):
    filler = "The committee met again and adjourned without a decision. " * 40
    facts = ["Aspirin thins the blood.", "The tenant must repair the roof.", "The bond pays four percent a year."]
    documents = (*(filler + fact for fact in facts), "Roofs are made of tiles.", "Banks lend money.")
    questions = ("What does aspirin do to blood?", "Who repairs the roof?", "How much does the bond pay?")
    queries = QuerySet(
        "facts", questions, ("a", "b", "c"), documents, tuple("vwxyz"),
        np.arange(3), np.arange(3), np.ones(3, dtype=np.int64),
    )  # fmt: skip
    asked, whole = (encoder.encode(texts, role=role).vectors for texts, role in
                    ((questions, "query"), (documents, "document")))  # fmt: skip
    made = chunk_documents(documents, encoder, size=64, overlap=16)
    cut = cut_documents(documents, encoder).lost > 0
    result = compare_chunks(
        queries,
        made,
        cut,
        query_vectors=asked,
        document_vectors=whole,
        chunk_vectors=encoder.encode(made.texts).vectors,
    )
    tests = {test.metric: test for test in result.tests}
    assert tests["mrr"].mean_b > tests["mrr"].mean_a
    assert cut.tolist() == [True] * 3 + [False] * 2
    assert [test.difference for test in result.tests_cut] == [test.difference for test in result.tests]
    assert result.tests_whole == ()
    assert (result.documents, result.split, result.chunks) == (5, 3, len(made.texts))
    assert result.closer + result.further + result.unmoved == 3
    before = query_metrics(judged_ranks(queries, search(asked, whole, 5, tie_order=queries.tie_order)))
    assert tests["ndcg@10"].mean_a == pytest.approx(before.means["ndcg@10"])
    json.dumps(result.to_dict(), allow_nan=False)


def test_nothing_cut_nothing_changed():
    queries, vectors = judged_set(10, 30), RNG.normal(size=(30, 6)).astype("f4")
    from lib.retrieval.chunking import Chunks

    whole = Chunks(queries.documents, np.arange(30), np.zeros(30, int), np.zeros(30, int), np.ones(30, int),
                   size=256, overlap=50, asked_size=256, split=0, shortened=0, items=30)  # fmt: skip
    result = compare_chunks(
        queries, whole, np.zeros(30, dtype=bool),
        query_vectors=RNG.normal(size=(10, 6)), document_vectors=vectors, chunk_vectors=vectors,
    )  # fmt: skip
    assert all(test.difference == 0 and test.p_value == 1 for test in result.tests)
    assert result.tests_cut == ()
    assert len(result.tests_whole) == len(result.tests)
