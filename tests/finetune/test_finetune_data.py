import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.finetune.data import Examples, as_queries, from_queries, prepare, read_examples, split
from lib.finetune.data.examples import folded
from lib.finetune.training.settings import TrainingSettings
from tests.toy_tuning import toy_examples, toy_queries


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def settings_of(**others):
    return TrainingSettings(encoder="tiny", **others)


def random_set(seed, *, queries=40, documents=60, shared=0.1):
    """Judgements with some documents that answer several queries, some texts twice but for case, some judged 0."""
    rng = np.random.default_rng(seed)
    judged = {}
    for row in range(queries):
        for _ in range(rng.integers(1, 4)):
            at = rng.integers(documents) if rng.random() < shared else row + queries * rng.integers(0, 1 + (row < 20))
            judged[row, int(at)] = 1
        judged.setdefault((row, int(rng.integers(documents))), 0)
    texts = [f"Query {row - row % 7 if row % 7 == 1 else row}" for row in range(queries)]
    texts = [text.upper() + " " if row % 2 else text for row, text in enumerate(texts)]
    return toy_queries([(*pair, grade) for pair, grade in judged.items()], queries=texts, documents=documents)


def answers_of(queries):
    return {folded(queries.documents[row]) for row in queries.judged_document[queries.relevance > 0]}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("negatives", ["none", "given", "bm25"])
def test_nothing_trained_on_answers_a_query_held_out(seed, negatives):
    data = prepare(random_set(seed), settings_of(validation=0.2, negatives=negatives, negatives_each=2, seed=seed))
    held = answers_of(data.validation)
    asked = {folded(text) for text in data.validation.queries}
    assert 4 <= len(data.validation.queries) <= 8
    assert not asked & {folded(text) for text in data.train.anchors}
    assert not held & {folded(text) for text in data.train.positives}
    assert not held & {folded(text) for row in data.train.negatives for text in row}
    assert not held & {folded(text) for text in data.pool}
    assert len(data.validation.documents) == 60
    assert data.counts["examples"] == len(data.train)


def test_the_split_is_drawn_by_its_seed():
    made = random_set(0)
    first, again, other = (split(made, share=0.2, seed=seed) for seed in (1, 1, 2))
    assert first.key == again.key != other.key
    assert split(made, share=0).validation is None
    assert len(split(made, share=0).train) == int((made.relevance > 0).sum())


def test_where_all_hangs_together_the_texts_alone_divide_and_what_is_shared_is_told():
    everywhere = [(row, 0, 1) for row in range(20)]
    own = [(row, row + 1, 1) for row in range(20)]
    data = split(toy_queries([*everywhere, *own], queries=20, documents=21), share=0.2)
    assert len(data.validation.queries) == 4
    assert not {*data.validation.queries} & {*data.train.anchors}
    assert "20 of 20 queries hang together" in data.notices[0]
    assert data.notices[1].startswith("1 documents that answer queries held out are positives of training queries too")
    assert "document 0" not in data.pool


def test_negatives_that_answer_a_query_held_out_are_taken_out_and_counted():
    n = 20
    rows = tuple((f"answer {(row + 1) % n}", f"other {row}") for row in range(n))
    examples = Examples(
        "toy",
        tuple(f"question {row}" for row in range(n)),
        tuple(f"answer {row}" for row in range(n)),
        rows,
        np.arange(n),
        given=2,
    )
    data = prepare(examples, settings_of(validation=0.1))
    held = {*answers_of(data.validation)}
    taken = sum(folded(text) in held for row in data.train.negatives for text in row)
    assert taken == 0
    assert data.left_out["negatives that answer a query held out, or are one"] == data.mined.drawn > 0
    assert {len(row) for row in data.train.negatives} == {2}
    assert "drawn at random" in " ".join(data.notices)


def test_one_query_cannot_be_divided():
    with pytest.raises(InputError, match="all pairs are of one query"):
        split(toy_queries([(0, 0, 1), (0, 1, 1)], queries=1, documents=2))


def test_bm25_takes_the_documents_with_the_same_words():
    documents = ["red fox runs", "red fox sleeps", "blue whale swims", "blue whale sings", "green tree", "red fox"]
    made = toy_queries([(0, 0, 1), (1, 2, 1)], queries=["red fox", "blue whale"], documents=documents)
    data = prepare(made, settings_of(validation=0, negatives="bm25"))
    assert data.train.negatives == (("red fox sleeps",), ("blue whale sings",))  # the query's own text is none
    assert data.mined.to_dict() | {"margin": None} == {
        "method": "bm25", "each": 1, "margin": None, "given": 0, "mined": 2, "drawn": 0, "suspicious": 0,
        "suspicious_queries": 0, "left_out": 0,
    }  # fmt: skip


def test_judged_documents_come_first_and_the_hardest_of_them():
    documents = ["red fox runs", "red fox sleeps", "green tree", "red stone"]
    made = toy_queries([(0, 0, 1), (0, 2, 0), (0, 3, 0)], queries=["red fox"], documents=documents)
    for method, each, wanted in (
        ("given", 1, ("green tree",)),
        ("bm25", 1, ("red stone",)),
        ("bm25", 3, ("red stone", "green tree", "red fox sleeps")),
    ):
        data = prepare(made, settings_of(validation=0, negatives=method, negatives_each=each))
        assert data.train.negatives == (wanted,)


class Space:
    """Texts whose vectors are known."""

    def __init__(self, degrees):
        self.degrees = degrees

    def __call__(self, texts, role):
        angles = np.radians([self.degrees[text] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) * 3


def test_the_encoder_mines_the_nearest_below_its_margin_and_counts_those_above():
    degrees = {
        "query 0": 0,
        "document 0": 30,
        "document 5": 5,
        "document 1": 10,
        "document 2": 33,
        "document 3": 40,
        "document 4": 90,
    }
    made = toy_queries([(0, 0, 1), (0, 5, 1)], queries=1, documents=6)  # the lower of the two sets the limit
    for margin, wanted, suspicious in ((0.0, "document 2", 1), (0.05, "document 3", 2), (0.5, "document 4", 3)):
        how = settings_of(validation=0, negatives="encoder", false_negative_margin=margin)
        data = prepare(made, how, embed=Space(degrees))
        assert data.train.negatives == ((wanted,), (wanted,))
        assert (data.mined.suspicious, data.mined.suspicious_queries, data.mined.margin) == (suspicious, 1, margin)


def test_the_encoder_mines_as_a_slow_search_would():
    rng = np.random.default_rng(3)
    vectors = {}

    def embed(texts, role):
        return np.stack([vectors.setdefault((text, role), rng.normal(size=6)) for text in texts]).astype(np.float32)

    made = random_set(5, shared=0)
    data = prepare(made, settings_of(validation=0.1, negatives="encoder", negatives_each=3), embed=embed)
    for anchor, negatives in zip(data.train.anchors, data.train.negatives, strict=True):
        group = [row for row, text in enumerate(data.train.anchors) if folded(text) == folded(anchor)]
        query = vectors[data.train.anchors[group[0]], "query"]

        def score(text, query=query):
            vector = vectors[text, "document"]
            return query @ vector / np.linalg.norm(query) / np.linalg.norm(vector)

        positives = {data.train.positives[row] for row in group}
        lowest = min(map(score, positives))
        own = {text for query, text in zip(*judged_zero(made), strict=True) if folded(query) == folded(anchor)}
        own -= positives
        near = [text for text in data.pool if text not in positives | own]
        near = [text for text in sorted(near, key=score, reverse=True) if score(text) <= lowest - 0.05 * abs(lowest)]
        mined = [text for text in negatives if text not in own][: len(near)]
        assert mined == near[: len(mined)]
        assert len(negatives) == 3


def judged_zero(queries):
    rows = np.flatnonzero(queries.relevance == 0)
    return (
        [queries.queries[row] for row in queries.judged_query[rows]],
        [queries.documents[row] for row in queries.judged_document[rows]],
    )


def test_a_file_without_negatives_beside_some_is_filled():
    rows = [
        {"anchor": f"a{i}", "positive": f"b{i}", "negative": [f"n{i}"] * (i > 0) + ["x"] * (i > 8)} for i in range(10)
    ]
    data = prepare(read_examples(lines(*rows), name="a.jsonl"), settings_of(validation=0))
    assert data.train.negatives[1:] == tuple((f"n{i}",) for i in range(1, 10))
    assert data.train.negatives[0][0] in data.pool
    assert (data.mined.given, data.mined.drawn) == (9, 1)


def test_pairs_without_any_other_document_are_left_out_and_told():
    made = toy_queries([(0, 0, 1), (0, 1, 1)], queries=1, documents=2)
    with pytest.raises(InputError, match="no document is left that could be a negative"):
        prepare(made, settings_of(validation=0, negatives="bm25"))
    made = toy_queries([(0, 0, 1), (0, 1, 1), (1, 0, 1)], queries=2, documents=2)
    data = prepare(made, settings_of(validation=0, negatives="bm25"))
    assert (data.train.anchors, data.train.negatives) == (("query 1",), (("document 1",),))
    assert data.left_out == {"pairs for which no document is left as a negative": 2}
    assert "2 pairs left out, as no document is left to be their negative." in data.notices


def test_what_retrieval_exports_loads():
    from lib.corpora import load_query_set
    from lib.retrieval import bm25_search, triplets
    from lib.retrieval.triplets import triplet_lines, triplet_table

    queries = load_query_set("topics")
    made = triplets(queries, bm25_search(queries.queries, queries.documents), negatives=2, keep_suspicious=True)
    exported = read_examples(triplet_lines(queries, made).encode(), name="triplets.jsonl")
    assert len(exported) == len(made.query)
    assert exported.negatives[0] == (queries.documents[made.negative[0]],)
    marked = read_examples(triplet_table(queries, made).to_csv(index=False).encode(), name="triplets.csv")
    assert len(marked) == int((~made.suspicious).sum()) < len(exported)
    assert marked.scores is None
    assert "marked as suspicious left out" in marked.notices[0]


def test_columns_lists_and_blanks_are_read():
    made = read_examples(
        lines(
            {"Query": "a", "document": "b", "negative_1": "c", "hard_negative_2": ["d", "e"], "score": 1},
            {"Query": " A", "document": "f", "negative_1": None, "score": "0.25"},
            {"Query": "a", "document": "b", "negative_1": "c", "hard_negative_2": ["d", "e"], "score": 1},
            {"Query": None, "document": None},
        ),
        name="pairs.jsonl",
    )
    assert (made.anchors, made.positives) == (("a", " A"), ("b", "f"))
    assert made.negatives == (("c", "d", "e"), ())
    assert made.groups.tolist() == [0, 0]
    assert made.scores.tolist() == [1, 0.25]
    assert made.given == 3
    assert made.notices[0] == "1 row the same as an earlier one left out."
    assert made.notices[2].startswith("Pairs bring 0 to 3 negatives along: each is to have 3")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.jsonl", lines({"text": "a"}), "no column is named anchor and positive (columns: text)"),
        ("a.jsonl", lines({"anchor": "a", "other": "b"}), "no column is named positive"),
        ("a.jsonl", lines({"anchor": "a", "positive": "b"}, {"anchor": "c"}), "a.jsonl, line 2: column 'positive'"),
        ("a.csv", b"anchor,positive\na,b\n\n,d\n", "a.csv, line 4: column 'anchor': expected an anchor"),
        (
            "a.jsonl",
            lines({"anchor": "a", "positive": 4}),
            "line 1: column 'positive': expected text, got the number 4",
        ),
        ("a.jsonl", lines({"anchor": "a", "positive": "b", "score": 5}), "the score 5 is not from -1 to 1"),
        ("a.jsonl", lines({"anchor": "a", "positive": "b", "score": 10**400}), "expected a score from -1 to 1"),
        ("a.jsonl", lines({"anchor": "a", "positive": "b", "score": None}), "got nothing"),
        ("a.jsonl", lines({"anchor": "a", "positive": "b", "negative": ["n"] * 65}), "more than 64 negatives"),
        ("a.jsonl", lines({"anchor": None, "positive": None}), "no row holds an anchor and a positive"),
        ("a.xlsx", b"PK", "expected a file ending in"),
    ],
)
def test_errors_say_what_and_where(name, data, said):
    with pytest.raises(InputError) as told:
        read_examples(data, name=name)
    assert said in str(told.value)


def test_low_scores_are_for_the_cosine_loss_alone():
    rows = [{"anchor": f"a{i}", "positive": f"b{i + 10 * j}", "score": 1 - j} for i in range(10) for j in range(2)]
    examples = read_examples(lines(*rows), name="scored.jsonl")
    kept = prepare(examples, settings_of(loss="cosine", validation=0.2))
    assert kept.counts == {"examples": 16, "queries": 8, "validation_queries": 2, "documents": 20, "pool": 18}
    data = prepare(examples, settings_of(validation=0.2))
    assert len(data.train) == 8
    assert data.train.scores is None
    assert all(row[0].startswith("b1") for row in data.train.negatives)  # what does not belong together is a negative
    assert data.left_out == {"pairs with a score below 0.5, which only the cosine loss can use": 8}


def test_a_text_with_a_score_is_no_negative_of_the_same_query():
    rows = [{"anchor": f"ba {i}", "positive": f"ba {i} {j}", "score": 1 - 0.3 * j} for i in range(4) for j in range(3)]
    examples = read_examples(lines(*rows, {"anchor": "ba 0", "positive": "ba 0 1", "score": 0.1}), name="scored.jsonl")
    for method in ("bm25", "encoder"):
        data = prepare(
            examples,
            settings_of(loss="cosine", validation=0, negatives=method, negatives_each=2),
            embed=lambda texts, _role: np.ones((len(texts), 2), np.float32),
        ).train
        own = {(anchor, positive) for anchor, positive in zip(data.anchors, data.positives, strict=True)}
        assert not own & {(a, n) for a, row in zip(data.anchors, data.negatives, strict=True) for n in row}
    data = prepare(examples, settings_of(validation=0)).train
    twice = [row for anchor, row in zip(data.anchors, data.negatives, strict=True) if anchor == "ba 0"]
    assert set(twice) == {("ba 0 2",)}  # "ba 0 1" is an answer by one row and none by another


def test_a_pair_held_out_is_not_trained_on_the_other_way_round():
    texts = [f"text {row}" for row in range(12)]
    rows = [{"anchor": a, "positive": b} for a in texts for b in texts if a != b]  # all hang together
    data = split(read_examples(lines(*rows), name="paraphrases.jsonl"), share=0.2)
    held = {
        (data.validation.queries[q], data.validation.documents[d])
        for q, d in zip(data.validation.judged_query, data.validation.judged_document, strict=True)
    }
    assert len(data.train)
    assert not held & {(b, a) for a, b in zip(data.train.anchors, data.train.positives, strict=True)}
    assert data.left_out["pairs of a query held out and its answer, the other way round"] == 2 * 10


def test_a_query_set_and_its_examples_are_the_same_pairs():
    made = random_set(2)
    once = from_queries(made)
    again = from_queries(as_queries(once))
    assert len(once) == int((made.relevance > 0).sum())
    assert {(folded(a), p) for a, p in zip(again.anchors, again.positives, strict=True)} == {
        (folded(a), p) for a, p in zip(once.anchors, once.positives, strict=True)
    }


def test_the_key_knows_every_text_and_the_dictionary_none():
    examples = toy_examples(negatives=1)
    keys = {examples.key, toy_examples(negatives=2).key, toy_examples(seed=1).key}
    assert len(keys) == 3
    told = json.dumps(split(examples, share=0.2).to_dict())
    assert not any(text in told for text in (*examples.anchors, *examples.positives))


def test_importing_the_data_imports_nothing_heavy(root):
    import subprocess
    import sys

    said = (
        "import sys, lib.finetune.data, lib.finetune.losses, lib.finetune.validation;"
        "print([name for name in ('torch', 'transformers', 'datasets', 'scipy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
