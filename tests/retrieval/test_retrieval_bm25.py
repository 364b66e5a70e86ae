"""BM25: a reference by hand, ties, texts without words, ranks, what trec_eval makes of it, refusals."""

import math
import subprocess
import sys

import numpy as np
import pytest
import pytrec_eval

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.retrieval import judged_ranks, query_metrics
from lib.retrieval.bm25 import BM25, Bm25Index, bm25_search
from lib.retrieval.words import spaceless_share, words_of

DOCUMENTS = [
    "The patient took aspirin for the pain, and the pain went away.",
    "Aspirin thins the blood.",
    "Courts dismissed the appeal; the court of appeal upheld it.",
    "",
    "Rates fell and a bank raised its forecast.",
    "Aspirin thins the blood.",
    "of the and",
]
QUERIES = ["aspirin for pains", "the court", "appeals appeals bank", "", "zebra", "of the"]


def made_up(*, q=40, n=200, seed=0):
    """A query set of random words, with repeated documents, graded judgements and an empty document."""
    rng = np.random.default_rng(seed)
    words = [f"word{number}" for number in range(60)]
    weights = 1 / np.arange(1, 61)
    documents = [" ".join(rng.choice(words, rng.integers(3, 30), p=weights / weights.sum())) for _ in range(n)]
    documents[3], documents[50:60] = "", [documents[7]] * 10
    queries = [" ".join(rng.choice(words, rng.integers(1, 6))) for _ in range(q)]
    pairs = sorted({(int(rng.integers(q)), int(rng.integers(n))) for _ in range(8 * q)})
    judged = np.array(pairs)
    return QuerySet(
        "made up", tuple(queries), tuple(f"q{i}" for i in range(q)), tuple(documents),
        tuple(f"d{i}" for i in range(n)), judged[:, 0], judged[:, 1], rng.integers(0, 4, len(judged)),
    )  # fmt: skip


def by_hand(query, documents, *, k1, b, method, language):
    """Score of every document in plain Python; None where it shares no word with the query."""
    split = words_of(documents, language=language)
    n, mean = len(documents), sum(map(len, split)) / len(documents)
    scores = []
    for words in split:
        total, shared = 0.0, False
        for word in words_of([query], language=language)[0]:
            df, tf = sum(word in other for other in split), words.count(word)
            if not tf:
                continue
            shared, odds = True, (n - df + 0.5) / (df + 0.5)
            idf = {"lucene": math.log(1 + odds), "robertson": max(math.log(odds), 0), "atire": math.log(n / df)}[method]
            part = tf / (tf + k1 * (1 - b + b * len(words) / mean))
            total += idf * part * (k1 + 1 if method == "atire" else 1)
        scores.append(total if shared else None)
    return scores


@pytest.mark.parametrize("language", ["english", None])
@pytest.mark.parametrize("method", ["lucene", "robertson", "atire"])
@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (0.0, 0.0), (2.0, 1.0)])
def test_scores_are_those_of_the_formula(method, language, k1, b):
    run = bm25_search(QUERIES, DOCUMENTS, 10, k1=k1, b=b, method=method, language=language)
    assert (run.system, run.items, run.documents.shape) == (BM25, 7, (6, 7))
    for row, query in enumerate(QUERIES):
        slow = by_hand(query, DOCUMENTS, k1=k1, b=b, method=method, language=language)
        expected = {document for document, score in enumerate(slow) if score is not None}
        found = run.documents[row][run.documents[row] >= 0]
        assert set(found) == expected
        np.testing.assert_allclose(run.scores[row, : len(found)], [slow[document] for document in found], atol=1e-5)
        assert (np.diff(run.scores[row, : len(found)]) <= 0).all()
        assert (run.documents[row, len(found) :] == -1).all()
        assert np.isneginf(run.scores[row, len(found) :]).all()


def test_words_of_english():
    assert words_of(["The Cats' vitamin C: running, RUNS_2!", ""]) == [["cat", "vitamin", "run", "runs_2"], []]
    assert words_of(["The Cats run"], language=None) == [["the", "cats", "run"]]


def test_equal_scores_stand_in_the_order_of_ties():
    assert list(bm25_search(["blood"], DOCUMENTS, 2).documents[0]) == [1, 5]
    order = np.arange(7)[::-1]
    assert list(bm25_search(["blood"], DOCUMENTS, 2, tie_order=order).documents[0]) == [5, 1]
    assert list(bm25_search(["blood"], DOCUMENTS, 1, tie_order=order).documents[0]) == [5]


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    queries = made_up()
    index = Bm25Index(queries.documents)
    long = index.search(queries.queries, 200, tie_order=queries.tie_order)
    for k in (1, 7, 100):
        short = index.search(queries.queries, k, tie_order=queries.tie_order)
        assert np.array_equal(short.documents, long.documents[:, :k])
        assert np.array_equal(short.scores, long.scores[:, :k])


@pytest.mark.parametrize("judged", [3, 40])
def test_ranks_are_those_of_a_whole_search(judged):
    queries = made_up(q=30 if judged == 3 else 4, n=150)
    index = Bm25Index(queries.documents)
    whole = judged_ranks(queries, index.search(queries.queries, 150, tie_order=queries.tie_order))
    found = index.ranks(queries)
    assert np.array_equal(found.rank, whole.rank)
    assert np.array_equal(found.relevance, whole.relevance)
    assert (found.rank == 0).any()


def test_trec_eval_counts_what_is_not_retrieved_as_missed():
    queries = made_up(seed=3)
    run = bm25_search(queries.queries, queries.documents, 200, tie_order=queries.tie_order)
    ours = query_metrics(judged_ranks(queries, run), cutoffs=(5, 10))
    written = {
        queries.query_ids[row]: {
            queries.document_ids[document]: float(score)
            for document, score in zip(run.documents[row], run.scores[row], strict=True)
            if document >= 0
        }
        for row in range(len(queries.queries))
    }
    theirs = pytrec_eval.RelevanceEvaluator(queries.qrels(), {"ndcg_cut.10", "recall.5", "map", "recip_rank"})
    figures = theirs.evaluate(written)
    for name, other in (("ndcg@10", "ndcg_cut_10"), ("recall@5", "recall_5"), ("map", "map"), ("mrr", "recip_rank")):
        expected = [figures.get(queries.query_ids[row], {}).get(other, 0.0) for row in ours.query]
        np.testing.assert_allclose(ours.column(name), expected, atol=1e-9)


@pytest.mark.parametrize("documents", [[""], ["", "the of"], ["!", "?", "a"]])
def test_texts_without_words_retrieve_nothing(documents):
    index = Bm25Index(documents)
    run = index.search(["the cat", ""], 5)
    assert run.documents.shape == (2, len(documents))
    assert (run.documents == -1).all()
    assert index.bytes == 0


def test_no_queries():
    assert bm25_search([], DOCUMENTS, 3).documents.shape == (0, 3)


def test_progress_counts_documents_and_queries():
    told = []
    bm25_search(QUERIES * 50, DOCUMENTS * 200, 3, progress=lambda done, of: told.append((done, of)))
    assert {of for _, of in told} == {1_700}
    assert [done for done, _ in told] == [1_000, 1_400, 1_500, 1_600, 1_700]


def test_size_and_seconds():
    index = Bm25Index(["cats sat", "cats ran off"], language=None)
    # 5 weights of 4 bytes, 5 document numbers of 4, 5 places of 8 (4 words), 13 letters
    assert index.bytes == 5 * 4 + 5 * 4 + 5 * 8 + 13
    assert index.seconds > 0


def test_spaceless_scripts():
    assert spaceless_share(["黑豹队的防守只丢了 308", ""]) == pytest.approx(9 / 12)
    assert spaceless_share(["ผู้ป่วย", "カタカナ"]) == 1
    assert spaceless_share(["The Panthers defense", "Die Verteidigung", "Пантеры", "한국어 문장"]) == 0
    assert spaceless_share(["", "  "]) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"documents": []}, "BM25 needs at least one document, got none"),
        ({"k": 0}, "at least one document a query, got k = 0"),
        ({"k1": -1.0}, "k1 of 0 or more and b between 0 and 1, got -1.0 and 0.75"),
        ({"k1": float("nan")}, "got nan and 0.75"),
        ({"b": 1.5}, "got 1.5 and 1.5"),
        ({"method": "bm25+"}, "one of lucene, robertson, atire, got 'bm25\\+'"),
        ({"language": "klingon"}, "knows the words of english, or of no language in particular \\(None\\), got 'kling"),
    ],
)
def test_refuses(settings, message):
    with pytest.raises(InputError, match=message):
        bm25_search(QUERIES, **{"documents": DOCUMENTS, **settings})


def test_misuse():
    with pytest.raises(ValueError, match="tie_order should have 7 places, got 3"):
        bm25_search(QUERIES, DOCUMENTS, tie_order=np.arange(3))
    with pytest.raises(ValueError, match="The index has 7 documents and the set 200"):
        Bm25Index(DOCUMENTS).ranks(made_up())


def test_it_compiles_nothing_and_draws_no_bar():
    code = (
        "import sys\n"
        "import lib.retrieval.bm25 as bm25\n"
        "assert 'bm25s' not in sys.modules and 'torch' not in sys.modules\n"
        "bm25.bm25_search(['cat'], ['a cat', 'a dog'])\n"
        "assert 'torch' not in sys.modules and 'jax' not in sys.modules\n"
        "import bm25s\n"
        "jitted = [f for f in vars(bm25s).values() if hasattr(f, 'signatures')]\n"
        "assert not any(f.signatures for f in jitted), jitted\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
