"""The sample sets are varied, as a reader of real text would expect: no templates, no repeated phrases."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from lib.corpora import QUERY_SET_NAMES, SAMPLE_NAMES, load_query_set, load_sample
from lib.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "sample_data"
RUN = 6  # words in a row that no two documents share
STEM = 5  # letters that tell one content word from another
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an the of in on at to for from by with and or is are was were be been it its this that these those as what
        which who whom when where why how does do did can could should would may might will not no if than then there
        their they he she his her you your my our we i about into over under after before during between must have has
        had one any""",
    )
)


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def content_stems(text):
    return {word[:STEM] for word in words(text) if word not in STOP_WORDS}


def shared_runs(texts):
    """Runs of six words that stand in two of the texts."""
    first = {}
    shared = []
    for i, text in enumerate(texts):
        spoken = words(text)
        for j in range(len(spoken) - RUN + 1):
            run = tuple(spoken[j : j + RUN])
            if first.setdefault(run, i) != i:
                shared.append(" ".join(run))
    return shared


def sentences(text):
    return len([part for part in re.split(r"(?<=[.!?;:])[\s\"”’)]+(?=[\"“‘(]?[A-Z0-9])", text) if part.strip()])


def rows_of(name):
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def topics():
    return rows_of("topics.jsonl")


@pytest.fixture(scope="module")
def inside(topics):
    return [row for row in topics if not row["ood"]]


@pytest.fixture(scope="module")
def judged():
    return rows_of("retrieval.jsonl")


@pytest.fixture(scope="module")
def by_query(judged):
    grades = defaultdict(dict)
    for row in judged:
        grades[row["query"]][row["document"]] = row["relevance"]
    return grades


@pytest.fixture(scope="module")
def documents(judged):
    return list(dict.fromkeys(row["document"] for row in judged))


def test_the_helpers_find_what_they_are_for():
    assert shared_runs(["one two three four five six", "zero one two three four five six"]) == [
        "one two three four five six"
    ]
    assert shared_runs(["a b c d e f g a b c d e f"]) == []
    assert sentences("One. Two? “Three!” Four") == 4


def test_every_row_has_the_same_fields(topics):
    assert {tuple(row) for row in topics} == {("id", "text", "label", "subtopic", "ood")}
    assert len({row["id"] for row in topics}) == len({row["text"] for row in topics}) == len(topics)


def test_three_labels_of_six_subtopics_of_twenty_documents(inside):
    assert len(inside) >= 360
    subtopics = defaultdict(Counter)
    for row in inside:
        subtopics[row["label"]][row["subtopic"]] += 1
    assert set(subtopics) == {"medical", "legal", "finance"}
    for counts in subtopics.values():
        assert len(counts) >= 6
        assert min(counts.values()) >= 20


def test_out_of_distribution_rows_have_no_label(topics):
    outside = [row for row in topics if row["ood"]]
    assert len(outside) >= 24
    assert all(row["label"] is None for row in outside)
    assert len({row["subtopic"] for row in outside}) >= 5  # code, recipe, verse, noise, another language


def test_no_two_documents_of_a_subtopic_share_a_run_of_words(inside):
    groups = defaultdict(list)
    for row in inside:
        groups[row["subtopic"]].append(row["text"])
    assert {group: shared for group, texts in groups.items() if (shared := shared_runs(texts))} == {}


def test_documents_of_a_subtopic_begin_in_different_ways(inside):
    starts = Counter((row["subtopic"], *words(row["text"])[:2]) for row in inside)
    assert [start for start, count in starts.items() if count > 2] == []


def test_topics_have_a_wide_vocabulary_and_many_lengths(inside):
    assert len({word for row in inside for word in words(row["text"])}) >= 4_000
    lengths = sorted(len(words(row["text"])) for row in inside)
    tenth, median, ninth = (lengths[len(lengths) * share // 10] for share in (1, 5, 9))
    assert tenth >= 5
    assert ninth >= 2.5 * tenth
    assert 15 <= median <= 60


def test_documents_are_one_to_four_sentences(inside):
    counts = Counter(min(sentences(row["text"]), 6) for row in inside)
    assert sum(count for number, count in counts.items() if number > 5) <= 0.01 * len(inside)
    assert {1, 2, 3} <= set(counts)


def test_the_sample_loads():
    assert SAMPLE_NAMES == ("topics",)
    corpus = load_sample("topics")
    assert set(corpus.labels) == {"medical", "legal", "finance", None}
    assert corpus.columns["ood"].sum() == corpus.labels.count(None) >= 24
    assert list(corpus.columns.columns) == ["subtopic", "ood"]
    assert (corpus.blank, corpus.duplicates, corpus.notices) == (0, 0, ())
    with pytest.raises(InputError, match="No sample set is named 'news': choose from topics"):
        load_sample("news")


def test_judgements_are_grades_of_pairs_that_stand_once(judged):
    assert {tuple(row) for row in judged} == {("query", "document", "relevance", "topic")}
    assert {row["relevance"] for row in judged} == {0, 1, 2, 3}
    pairs = Counter((row["query"], row["document"]) for row in judged)
    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_queries_and_documents_are_many(by_query, documents):
    assert len(by_query) >= 150
    assert len(documents) >= 450


def test_a_query_belongs_to_one_topic(judged):
    topics = defaultdict(set)
    for row in judged:
        topics[row["query"]].add(row["topic"])
    assert all(len(names) == 1 for names in topics.values())


def test_every_query_has_an_answer_and_two_near_misses(by_query):
    for query, grades in by_query.items():
        assert 3 in grades.values(), query
        asked = content_stems(query)
        misses = [doc for doc, grade in grades.items() if grade == 0 and len(asked & content_stems(doc)) >= 2]
        assert len(misses) >= 2, query


def test_no_two_retrieval_documents_share_a_run_of_words(documents):
    assert shared_runs(documents) == []


def test_queries_are_not_copied_from_their_answers(by_query):
    for query, grades in by_query.items():
        for document, grade in grades.items():
            assert not (grade == 3 and shared_runs([query, document])), query


def test_the_query_sets_load():
    assert QUERY_SET_NAMES == ("topics", "lab", "late", "medical")
    sizes = {}
    for name in QUERY_SET_NAMES:
        queries = load_query_set(name)
        sizes[name] = (len(queries.queries), len(queries.documents), len(queries.relevance))
        assert queries.name == f"{name} (sample)"
        assert queries.notices == ()
        assert queries.relevant.min() >= 1
    assert sizes == {"topics": (156, 643, 666), "lab": (4, 15, 9), "late": (6, 12, 12), "medical": (176, 176, 704)}
    assert load_query_set("topics").topic_names == ["finance", "legal", "medical"]
    assert load_query_set("topics").graded
    with pytest.raises(InputError, match="No sample query set is named 'news': choose from topics, lab, late"):
        load_query_set("news")


def test_the_lab_has_the_exercises_ground_truth():
    lab = load_query_set("lab")
    truth = {}
    for query, document in zip(lab.judged_query, lab.judged_document, strict=True):
        truth.setdefault(lab.queries[query], []).append(int(document))
    assert truth == {
        "How do plants make food from sunlight?": [3],
        "What programming language is best for web apps?": [4],
        "Tell me about artificial intelligence techniques": [1, 5, 9, 13],
        "What are some environmental issues?": [6, 8, 12],
    }
    assert set(lab.relevance) == {1}


def test_each_late_query_has_its_passage_and_a_tempting_one():
    late = load_query_set("late")
    assert late.queries[0] == "How does GQA reduce KV cache size?"
    assert late.judged_query.tolist() == sorted([*range(6)] * 2)
    assert late.relevance.tolist() == [1, 0] * 6
    assert shared_runs(late.documents) == []
    assert shared_runs([*late.queries, *late.documents]) == []
    terms = ("GQA", "E0382", "iodine-131", "PEP 604", "SLAAC", "409")
    for term, query, right, wrong in zip(terms, late.queries, late.documents[::2], late.documents[1::2], strict=True):
        assert term in query
        assert term in right
        assert term not in wrong
        assert 3 <= sentences(right) <= 6
        assert 3 <= sentences(wrong) <= 6


def test_each_medical_question_is_answered_by_one_of_four_passages_on_its_condition():
    medical = load_query_set("medical")
    aspects = ["information", "symptoms", "causes", "treatment"]
    assert list(medical.topics) == aspects * 44
    for row in range(len(medical.queries)):
        own = medical.judged_query == row
        condition = range(row // 4 * 4, row // 4 * 4 + 4)
        assert medical.judged_document[own].tolist() == list(condition)
        assert medical.judged_document[own][medical.relevance[own] == 3].tolist() == [row]
    assert shared_runs(medical.documents) == []
    words = [len(text.split()) for text in medical.documents]
    assert 25 <= min(words) <= max(words) <= 70
