"""MaxSim: against einsum, the library's own scoring and the textbook's lines; reranking against a loop over pairs."""

import json

import numpy as np
import pytest

from lib.corpora import QuerySet, load_query_set
from lib.encoders import PACKAGED, Policy, TokenBatch, TokenVectors, open_encoder
from lib.errors import InputError, Stopped
from lib.retrieval import Run, search
from lib.retrieval.late import maxsim, maxsim_rerank, tokens_of

RNG = np.random.default_rng(5)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def tokens(a, b, d=6):
    return RNG.normal(size=(a, d)).astype(np.float32), RNG.normal(size=(b, d)).astype(np.float32)


def test_it_is_the_textbooks():
    torch = pytest.importorskip("torch")
    query, document = tokens(8, 50, 128)
    q = torch.nn.functional.normalize(torch.from_numpy(query), dim=-1)
    d = torch.nn.functional.normalize(torch.from_numpy(document), dim=-1)
    expected = torch.matmul(q, d.T).max(dim=-1).values.sum().item()
    assert maxsim(query, document).score == pytest.approx(expected, abs=1e-5)


def test_it_is_the_librarys():
    from sentence_transformers.multi_vector_encoder import maxsim as library

    queries, documents = [tokens(a, 1)[0] for a in (1, 4, 9)], [tokens(1, b)[1] for b in (1, 7, 30)]
    expected = library(queries, documents).numpy()
    ours = [[maxsim(q, d, normalise=False).score for d in documents] for q in queries]
    assert np.allclose(ours, expected, atol=1e-4)


def test_the_grid_holds_every_pair_and_the_best_of_each_row():
    query, document = tokens(5, 9)
    result = maxsim(query, document)
    grid = np.einsum("ad,bd->ab", unit(query), unit(document))
    assert np.allclose(result.grid, grid, atol=1e-6)
    assert result.best.tolist() == grid.argmax(axis=1).tolist()
    assert np.allclose(result.best_similarity, grid.max(axis=1), atol=1e-6)
    assert result.mean == pytest.approx(result.score / 5)
    json.dumps(result.to_dict(), allow_nan=False)


def test_order_of_tokens_and_scale_change_nothing():
    query, document = tokens(6, 11)
    score = maxsim(query, document).score
    assert maxsim(query[RNG.permutation(6)], 7 * document[RNG.permutation(11)]).score == pytest.approx(score, abs=1e-5)
    rotation, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    assert maxsim(query @ rotation, document @ rotation).score == pytest.approx(score, abs=1e-5)


def test_more_document_tokens_never_lower_it_and_repeating_them_changes_nothing():
    query, document = tokens(6, 11)
    score = maxsim(query, document).score
    assert maxsim(query, np.vstack([document, document])).score == pytest.approx(score, abs=1e-6)
    assert maxsim(query, np.vstack([document, tokens(1, 5)[1]])).score >= score - 1e-6
    assert maxsim(query, query).score == pytest.approx(6, abs=1e-5)


def test_equal_ones_go_to_the_first():
    query, document = tokens(3, 2)
    assert maxsim(query, np.vstack([document, document])).best.max() < 2


def test_without_tokens():
    query, document = tokens(3, 4)
    nothing = maxsim(query, document[:0])
    assert (nothing.score, nothing.best.tolist(), nothing.grid.shape) == (-3, [-1] * 3, (3, 0))
    silent = maxsim(query[:0], document)
    assert (silent.score, silent.mean) == (0, 0)
    assert maxsim(np.zeros((1, 6)), document).score == 0


def test_it_refuses_vectors_that_do_not_fit():
    with pytest.raises(InputError, match=r"one width.*\(3, 6\) and \(4, 5\)"):
        maxsim(np.ones((3, 6)), np.ones((4, 5)))
    with pytest.raises(InputError, match="one width"):
        maxsim(np.ones(6), np.ones((4, 6)))


class Words:
    """A token encoder of random word vectors; it counts how often each text came."""

    def __init__(self, d=8):
        self.d, self.seen = d, []

    def vectors_of(self, text):
        words = ["[S]", *text.split()]
        rows = np.array([np.random.default_rng(sum(map(ord, word))).normal(size=self.d) for word in words])
        own = np.arange(len(words)) > 0
        return TokenVectors(tuple(words), own, unit(rows).astype(np.float32), len(words) > 9)

    def token_states(self, texts, *, role="document", progress=None, should_stop=None):
        for start in range(0, len(texts), 3):
            if should_stop and should_stop():
                raise Stopped("Stopped.")
            part = list(texts[start : start + 3])
            self.seen += [(role, text) for text in part]
            rows = np.arange(start, start + len(part))[::-1]
            yield TokenBatch(rows, tuple(self.vectors_of(texts[row]) for row in rows))


def words(n, length):
    return [" ".join(RNG.choice(list("abcdefghijklmnop"), size=length)) for _ in range(n)]


@pytest.fixture
def letters():
    """7 queries over 40 documents of letters, some of them twice."""
    documents = words(36, 6)
    documents += documents[:4]
    return QuerySet(
        "letters", tuple(words(7, 3)), tuple(f"q{i}" for i in range(7)), tuple(documents),
        tuple(f"d{i}" for i in RNG.permutation(40)), np.arange(7), np.arange(7), np.ones(7, dtype=np.int64),
    )  # fmt: skip


@pytest.fixture
def first(letters):
    """A run that knows nothing."""
    order = np.array([RNG.permutation(40)[:20] for _ in range(7)])
    return Run("chance", order, np.tile(np.arange(20, 0, -1, dtype=np.float32), (7, 1)), 40)


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("top", [1, 8, 20, 99])
def test_reranking_equals_a_loop_over_pairs(letters, first, top, special):
    encoder = Words()
    result = maxsim_rerank(letters, first, encoder, top=top, special=special)
    for row in range(7):
        q = encoder.vectors_of(letters.queries[row])
        scored = {}
        for document in first.documents[row, :top]:
            d = encoder.vectors_of(letters.documents[document])
            scored[document] = maxsim(q.vectors[q.own | special], d.vectors[d.own | special]).score
        expected = sorted(scored, key=lambda doc: (-np.float32(round(scored[doc], 4)), letters.tie_order[doc]))
        assert result.run.documents[row, :top].tolist() == expected
        assert result.run.documents[row, top:].tolist() == first.documents[row, top:].tolist()
        assert np.allclose(result.run.scores[row, : len(expected)], [scored[doc] for doc in expected], atol=1e-5)
    assert (np.diff(result.run.scores, axis=1) <= 0).all()
    assert result.reranked.top == min(top, 20)


def test_each_document_is_encoded_once_and_what_it_takes_is_told(letters, first):
    encoder = Words()
    result = maxsim_rerank(letters, first, encoder, top=20)
    asked = [text for role, text in encoder.seen if role == "document"]
    needed = np.unique(first.documents)
    assert len(asked) == len(needed) == result.documents
    assert (result.query_tokens, result.document_tokens, result.dimensions) == (3, 6, 8)
    assert result.bytes_per_document == 6 * 8 * 4
    assert result.reranked.pairs == 7 * 20
    json.dumps(result.to_dict(), allow_nan=False)


def test_equal_texts_get_equal_scores(letters):
    everything = np.tile(np.arange(40), (7, 1))
    run = Run("all", everything, np.zeros((7, 40), dtype=np.float32), 40)
    result = maxsim_rerank(letters, run, Words(), top=40)
    for row in range(7):
        scores = dict(zip(result.run.documents[row], result.run.scores[row], strict=True))
        assert all(scores[i] == scores[36 + i] for i in range(4))


def test_runs_of_uneven_depth_keep_their_gaps(letters, first):
    documents, scores = first.documents.copy(), first.scores.copy()
    documents[2, 5:], scores[2, 5:] = -1, -np.inf
    result = maxsim_rerank(letters, Run("short", documents, scores, 40), Words(), top=10)
    assert (result.run.documents[2, 5:] == -1).all()
    assert np.isneginf(result.run.scores[2, 5:]).all()
    assert result.reranked.pairs == 6 * 10 + 5


def test_empty_texts_come_last():
    queries = QuerySet("q", ("a b",), ("q",), ("", "c d", "a b"), ("x", "y", "z"), *(np.zeros(0, dtype=np.int64),) * 3)

    class Bare(Words):
        def vectors_of(self, text):
            found = super().vectors_of(text)
            return TokenVectors(found.tokens[1:], found.own[1:], found.vectors[1:], False)

    run = Run("r", np.array([[0, 1, 2]]), np.array([[3, 2, 1]], dtype=np.float32), 3)
    result = maxsim_rerank(queries, run, Bare())
    assert result.run.documents.tolist() == [[2, 1, 0]]
    assert result.run.scores[0, 2] == -2


def test_refusals_and_stop(letters, first):
    with pytest.raises(InputError, match="At least one document has to be reranked, got 0"):
        maxsim_rerank(letters, first, Words(), top=0)
    nothing = Run("none", np.full((7, 3), -1), np.full((7, 3), -np.inf, dtype=np.float32), 40)
    with pytest.raises(InputError, match="holds no document"):
        maxsim_rerank(letters, nothing, Words())
    with pytest.raises(Stopped):
        maxsim_rerank(letters, first, Words(), should_stop=lambda: True)


@pytest.fixture(scope="module")
def packaged():
    return open_encoder(PACKAGED, policy=Policy())


def test_the_sample_pairs_with_the_packaged_encoder(packaged):
    """What the late-interaction view shows first: the passage about GQA wins, and its literal term is the match."""
    queries = load_query_set("late")
    query = tokens_of(packaged, queries.queries[0], role="query")
    assert query.tokens[3:5] == ("g", "##qa")
    right, wrong = (tokens_of(packaged, queries.documents[row], role="document") for row in (0, 1))
    scores = [maxsim(query.vectors[query.own], side.vectors[side.own]) for side in (right, wrong)]
    assert scores[0].mean > scores[1].mean
    own = [token for token, is_own in zip(right.tokens, right.own, strict=True) if is_own]
    assert own[scores[0].best[3]] == "##qa"


def test_the_packaged_encoder_over_a_whole_sample(packaged):
    queries = load_query_set("late")
    vectors = [packaged.encode(texts, role=role).vectors for texts, role in
               ((queries.queries, "query"), (queries.documents, "document"))]  # fmt: skip
    run = search(*vectors, 12, tie_order=queries.tie_order)
    result = maxsim_rerank(queries, run, packaged, top=12)
    slow = np.zeros((6, 12))
    for i, text in enumerate(queries.queries):
        q = tokens_of(packaged, text, role="query")
        for j, document in enumerate(queries.documents):
            d = tokens_of(packaged, document, role="document")
            slow[i, j] = maxsim(q.vectors[q.own], d.vectors[d.own]).score
    assert np.array_equal(result.run.documents, np.argsort(-slow, axis=1))
    assert np.allclose(result.run.scores, -np.sort(-slow, axis=1), atol=1e-4)
