"""Ranks and Concepts of two checkpoints whose difference is planted: what the page says of it."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED_STATIC, PACKAGED_TUNED, Policy, describe
from lib.finetune.concepts import ConceptSide, diff_concepts
from lib.sae import save
from lib.sae.database import FeatureDatabase
from lib.ui import resources
from lib.ui.finetune import pair as pairs
from lib.ui.query_space import QuerySpace
from tests.query_spaces import made_set
from tests.toy_sae import packaged_sae

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def dictionary():
    return packaged_sae(96, 8)


@pytest.fixture(scope="module")
def sides(sample, dictionary):
    """The sample before, and after feature 7 was pushed into every text; queries that lose feature 3, or gain it."""
    base = np.asarray(sample[1])
    tuned = unit(base + 0.4 * dictionary.decoder_weights[7])
    rng, queries = np.random.default_rng(0), made_set(40, 60, topics=2, skip=1)
    documents = unit(rng.normal(size=(60, 384)))
    asked = unit(documents[:40] + 0.09 * rng.normal(size=(40, 384)) + 0.3 * dictionary.decoder_weights[3])
    after = unit(asked - np.where(np.arange(40) % 4 > 1, 2.5, 0)[:, None] * documents[:40] * 0.3)
    return (base, tuned), queries, (asked, after, documents)


@pytest.fixture
def diff(app, sides, dictionary, tmp_path, monkeypatch):
    """Open a view of the page on them: `diff("Concepts", concepts_kind="lost")`."""
    (_, tuned), queries, (before, after, documents) = sides
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    save(dictionary, tmp_path / "small")
    resources.policy.clear()

    def read(checkpoint, base):
        kept = tuned[:, :128] if checkpoint.dimensions == 128 else tuned
        return replace(base, checkpoint=checkpoint, vectors=kept[: len(base.corpus)], key=f"made/{checkpoint.source}",
                       vectors_key=f"made/{checkpoint.source}/{len(base.corpus)}")  # fmt: skip

    def asked(pair, given):
        made = [
            QuerySpace(queries, of, "float32", vectors, documents, f"made/{side}", 0, 0)
            for of, vectors, side in zip(pair.checkpoints, (before, after), "ab", strict=True)
        ]
        return pairs.AskedPair(*made)

    monkeypatch.setattr(pairs, "_read_by", read)
    monkeypatch.setattr(pairs, "asked", asked)
    yield lambda view, **query: app(page="finetune_diff", view=view, **{"sae": str(tmp_path / "small")} | query)
    resources.policy.clear()


def told(shown):
    """Markdown, captions and HTML without the signs that keep names from being Markdown."""
    texts = [*shown.page.markdown, *shown.page.caption]
    return re.sub(r"\\(.)", r"\1", "\n".join(one.value for one in texts)).replace("\u202f", " ").replace("\u2060", "")


def drawn(shown):
    """The HTML that stands on the page."""
    return "\n".join(str(one.proto) for one in shown.page.get("html"))


def test_every_query_and_metric_is_told(diff):
    shown = diff("Ranks")
    assert not shown.refusals
    counts = [int(shown.numbers[name]) for name in ("▲ Improved", "▼ Worse", "● Same rank")]
    assert sum(counts) == 39  # one has no relevant document
    assert counts[1] > 0
    assert "1 query has no relevant document" in told(shown)
    assert "the tuned checkpoint is worse: NDCG@10" in told(shown)
    slopes = shown.charts["ranks_slopes"]
    named = [trace["name"] for trace in slopes["data"] if "name" in trace]
    assert f"worse ({counts[1]})" in named
    assert len(shown.table("rank, base")) == 39
    assert "◆ relevant" in drawn(shown)
    assert "Why did it get worse?" in shown.titles
    assert "Which features cost the relevant document its lead?" in told(shown)
    assert "all bars sum to the change" in told(shown)
    leads = shown.charts["ranks_leads_chart"]["layout"]["xaxis"]["title"]["text"]
    assert f"over {counts[1]} queries" in leads


def test_a_query_in_the_address_is_opened_and_lists_are_cut(diff):
    shown = diff("Ranks", ranks_query="q5 · query 5 text", ranks_kind="● same")
    assert shown.page.selectbox(key="ranks_query").value == "q5 · query 5 text"
    assert "query 5 text" in told(shown)
    assert set(shown.table("rank, base")[""]) == {"same"}
    shown.choose("ranks_topic", "topic 1")
    assert len(shown.table("rank, base")) < 39
    shown.choose("ranks_topic_metric", "mrr")
    assert shown.charts["ranks_topics"]["layout"]["xaxis"]["title"]["text"].startswith("change of MRR")


def test_the_planted_concept_is_the_one_that_is_told(diff, sides, dictionary, sample):
    shown = diff("Concepts")
    assert not shown.refusals
    both = [ConceptSide(vectors, dictionary.encode(vectors)) for vectors in sides[0]]
    found = diff_concepts(dictionary, *both, labels=sample[0].labels)
    assert found.changed[0] == 7
    for name, kind in (("+ Gained", "gained"), ("✕ Lost", "lost"), ("▲ Strengthened", "strengthened")):
        assert int(shown.numbers[name]) == found.counts[kind]
    table = shown.table("became")
    assert table["feature"].tolist() == found.changed.tolist()
    bars = shown.charts["concepts_picture_chart"]["data"][0]
    assert bars["customdata"][0][0] == "7"
    assert "Where did feature 7 change?" in shown.titles
    assert "had every text moved as another one did" in str([one.help for one in shown.page.metric])
    for picture, key in (("How often", "scattergl"), ("By topic", "heatmap")):
        shown.choose("concepts_picture", picture)
        assert key in {trace["type"] for trace in shown.charts["concepts_picture_chart"]["data"]}
    shown.choose("concepts_feature", "12")
    assert "Where did feature 12 change?" in shown.titles
    shown.choose("concepts_kind", "gained")
    assert set(shown.table("became")["became"]) == {"gained"}


def test_a_feature_that_there_is_not_is_refused(diff):
    shown = diff("Concepts", concepts_feature="999")
    assert "A feature is a number from 0 to 95" in re.sub(r"\\(.)", r"\1", shown.refusals[0])


def test_another_width_and_another_dictionary_are_said(diff):
    shown = diff("Concepts", tuned=PACKAGED_STATIC)
    assert "384 dimensions" in shown.refusals[0]
    assert "tuned from the base" in re.sub(r"\\(.)", r"\1", shown.refusals[0])
    shown = diff("Ranks", sae="packaged-static")
    assert "takes vectors of 128 dimensions apart" in re.sub(r"\\(.)", r"\1", shown.refusals[0])
    assert "ranks_slopes" in shown.charts  # what needs no features is told all the same


def test_the_base_against_itself_has_no_change(diff, monkeypatch):
    monkeypatch.setattr(pairs, "_read_by", lambda checkpoint, base: replace(base, checkpoint=checkpoint))
    shown = diff("Concepts")
    assert "no concept changed" in told(shown)
    assert not shown.charts


def test_each_through_its_own_dictionary(diff, dictionary, tmp_path):
    tuned = describe(PACKAGED_TUNED, policy=Policy())
    order = np.random.default_rng(0).permutation(96)
    directions, about = dictionary.decoder_weights[order], replace(dictionary.about, fingerprint=tuned.fingerprint)
    save(replace(dictionary, encoder_weights=directions.T, decoder_weights=directions, about=about), tmp_path / "own")
    shown = diff("Concepts", concepts_through="each its own", concepts_sae=str(tmp_path / "own"))
    assert not shown.refusals
    assert shown.numbers["In both"] == "96"
    table = shown.table("of the other")
    assert order[table["of the other"]].tolist() == table["feature"].tolist()
    assert "concepts_pairs" in shown.charts
    shown = diff("Concepts", concepts_through="each its own", concepts_sae=str(tmp_path / "small"))
    assert "was trained on" in re.sub(r"\\(.)", r"\1", shown.refusals[0])


def test_hostile_labels_are_shown_as_they_are(diff, dictionary, monkeypatch):
    database = FeatureDatabase(pd.DataFrame({"label": [HOSTILE] * 96}), dictionary.key, HOSTILE, 1)
    monkeypatch.setattr(resources, "feature_database", lambda opened: database)
    for view in ("Ranks", "Concepts"):
        shown = diff(view)
        text = "\n".join(re.sub(r"\\.", "", one.value) for one in (*shown.page.caption, *shown.page.markdown))
        assert not any(sign in text for sign in ("<img", ":red[hot]", "](java", "$math$"))
        assert "<img" not in str(shown.charts) + drawn(shown)


def test_what_another_set_or_address_left_behind_is_no_fault(diff, monkeypatch):
    shown = diff("Ranks", ranks_query="nonsense", ranks_topic="of another set", ranks_kind="nothing")
    assert not shown.refusals
    assert len(shown.table("rank, base")) == 39
    shown.choose("ranks_topic", "topic 1").choose("ranks_query", "q5 · query 5 text")
    before, other = pairs.asked, made_set(40, 60, word="other")

    def asked(pair, given):
        found = before(pair, given)
        sides = [replace(side, queries=other, key=f"other/{side.key}") for side in (found.base, found.tuned)]
        return pairs.AskedPair(*sides)

    monkeypatch.setattr(pairs, "asked", asked)
    shown.run()
    assert not shown.refusals
    assert len(shown.table("rank, base")) == 40
    assert shown.page.selectbox(key="ranks_query").value.endswith(" other")


def test_another_list_begins_with_its_first_query(diff):
    shown = diff("Ranks")
    first = shown.page.selectbox(key="ranks_query").value
    shown.choose("ranks_kind", "▲ improved" if shown.numbers["▲ Improved"] != "0" else "● same")
    assert shown.page.selectbox(key="ranks_query").value != first
    assert shown.page.selectbox(key="ranks_query").value == shown.page.selectbox(key="ranks_query").options[0]
