"""Drift, Space and Texts of two checkpoints whose difference is planted: what the page says of it, and draws."""

import base64
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_STATIC, PACKAGED_TUNED, Policy, describe
from lib.errors import InputError
from lib.finetune.diff.space import space_diff
from lib.ui.chosen import Chosen
from lib.ui.corpus_choice import CorpusChoice
from lib.ui.encoder_choice import EncoderChoice
from lib.ui.finetune import drift, pair
from lib.ui.query_space import QuerySpace
from lib.ui.workspace import Space
from tests.query_spaces import made_set

VIEWS = ("Drift", "Space", "Texts")
WEIGHTS = ("drift_weight_shift", "drift_weight_ranks", "drift_weight_anisotropy")


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def tuned(sample):
    """The sample after "medical" moved away from the others and drew together a little, all else but for noise."""
    corpus, base = sample
    medical = np.array([label == "medical" for label in corpus.labels])
    rng = np.random.default_rng(0)
    made = np.asarray(base) + 0.002 * rng.normal(size=base.shape)
    made[medical] += 0.5 * unit(rng.normal(size=(1, base.shape[1])))
    return unit(made)


@pytest.fixture
def diff(app, tuned, monkeypatch):
    """Open a view of the page on the sample and that: `diff("Texts", texts_row="med-psy-16")`."""
    queries, rng = made_set(24, 40, topics=2), np.random.default_rng(1)
    documents = rng.normal(size=(40, 16)).astype(np.float32)
    before = documents[:24] + 1.8 * rng.normal(size=(24, 16))
    after = documents[:24] + 0.3 * rng.normal(size=(24, 16))

    def read(checkpoint, base):
        vectors = base.vectors if checkpoint.source == PACKAGED else tuned[:, : checkpoint.dimensions]
        key = base.vectors_key if checkpoint.source == PACKAGED else f"planted/{checkpoint.dimensions}"
        return Space(base.corpus, checkpoint, "float32", vectors, f"{key}/{base.corpus.key}", key)

    def asked(two, given):
        same = two.checkpoints[0] == two.checkpoints[1]
        sides = (before, before if same else after)
        return pair.AskedPair(
            *(
                QuerySpace(queries, of, "float32", side.astype(np.float32), documents, f"planted/{same}/{at}", 0, 0)
                for at, (of, side) in enumerate(zip(two.checkpoints, sides, strict=True))
            )
        )

    monkeypatch.setattr(pair, "_read_by", read)
    monkeypatch.setattr(drift, "asked", asked)
    return lambda view="Drift", **query: app(page="finetune_diff", view=view, **query)


def told(shown):
    """Markdown, captions and table cells without the signs that keep names from being Markdown."""
    texts = [*shown.page.markdown, *shown.page.caption, *shown.page.info]
    return re.sub(r"\\(.)", r"\1", "\n".join(one.value for one in texts)).replace("\u202f", " ").replace("\u2060", "")


def values(drawn):
    """The numbers of a trace, which plotly may have packed."""
    if isinstance(drawn, dict):
        drawn = np.frombuffer(base64.b64decode(drawn["bdata"]), np.dtype(drawn["dtype"])).tolist()
    return drawn


def arrows(figure):
    return [note for note in figure["layout"].get("annotations", []) if note.get("showarrow")]


def test_the_verdict_the_picture_and_every_topic(diff, sample, tuned):
    shown = diff()
    assert not shown.refusals
    assert "▲" in told(shown)
    assert "Improved" in told(shown)
    assert "The rule of this verdict: Retrieval improved" in told(shown)
    picture = shown.charts["drift_picture"]
    rings = [trace for trace in picture["data"] if "line" in trace and len(values(trace["x"])) > 70]
    circles = [trace["line"].get("dash", "solid") for trace in rings]
    assert sorted(circles) == ["dash"] * 3 + ["solid"] * 3
    found = space_diff(sample[1], tuned, sample[0].labels, shared=True, resamples=20)
    medical = found.topics.names.index("medical")
    shift = f"{found.centroids.angle[medical]:.0f}°"
    assert f"<b>medical {shift}</b>" in {note["text"] for note in picture["layout"]["annotations"]}
    assert len(arrows(picture)) == 1  # the others hardly moved
    assert "The picture shows " in told(shown)
    table = shown.table("shift").set_index("topic")
    assert table.loc["medical", "shift"].startswith(f"{found.centroids.angle[medical]:.1f}° (")
    assert table.loc["medical", "texts"] == "126"
    assert table.loc["topic 0", "NDCG@10"].endswith("▲")
    assert table.loc["topic 0", "texts"] == "–"  # a topic of queries alone
    assert "this<br>pair" in str(shown.charts["drift_scale"]["layout"]["annotations"])


def test_weights_stand_in_the_address_and_move_the_number(diff):
    shown = diff(drift_weight_shift="0.0", drift_weight_anisotropy="0.0")
    bars = [trace for trace in shown.charts["drift_parts"]["data"] if trace["type"] == "bar"]
    ranks = next(trace["x"][0] for trace in bars if trace["customdata"][0][1] == 1.0)
    place = next(
        trace for trace in shown.charts["drift_scale"]["data"] if "this pair" in trace.get("hovertemplate", "")
    )
    assert place["y"] == pytest.approx([ranks])
    assert "measured with equal weights" in told(shown)
    shown.choose("drift_weight_ranks", 0.0)
    assert "one above 0" in re.sub(r"\\(.)", r"\1", shown.refusals[0])


def test_the_plane_stands_in_the_address(diff):
    shown = diff(drift_plane="shows the topics")
    assert "first axis" in str(shown.charts["drift_picture"]["layout"]["xaxis"]["title"])


def test_a_checkpoint_against_itself_is_exactly_zero(diff):
    shown = diff(tuned=PACKAGED)
    assert "Unchanged" in told(shown)
    assert "Drift 0.000: identical" in told(shown)
    assert not arrows(shown.charts["drift_picture"])
    shown = diff("Texts", tuned=PACKAGED)
    assert shown.numbers["Kept them all"] == "402 of 402"


def test_another_width_leaves_out_what_needs_one_space(diff):
    shown = diff(tuned=PACKAGED_STATIC)
    assert "drift_picture" not in shown.charts
    assert "drift_spread" in shown.charts
    assert "384 dimensions" in told(shown)
    assert "Two spaces" in told(shown)
    assert "Collapsed" not in told(shown)
    assert "neither has moved into the other" in told(shown)
    assert "shift" not in shown.table("spread").columns
    shown = diff("Space", tuned=PACKAGED_STATIC)
    assert "Centroid shift, the picture of both, and how far single texts moved need one space" in told(shown)
    shown = diff("Texts", tuned=PACKAGED_STATIC)
    assert "texts_order" not in {group.key for group in shown.page.button_group}
    assert "Cosine with itself" not in shown.numbers


def test_texts_cut_by_the_tuned_checkpoint_are_told(sample, monkeypatch):
    corpus, vectors = sample
    base, tuned = (describe(name, policy=Policy(allow_hub=False)) for name in (PACKAGED, PACKAGED_TUNED))
    cut = SimpleNamespace(vectors=vectors, key="cut", truncated=3)
    said = []
    monkeypatch.setattr(pair, "encoded", lambda *_, **__: cut)
    monkeypatch.setattr(pair, "tell", said.extend)
    made = pair._read_by(tuned, Space(corpus, base, "float32", vectors, "base", "base"))
    assert made.checkpoint is tuned
    assert said == [
        f"The tuned checkpoint read only the beginning of 3 of 402 texts: longer than {tuned.max_tokens} tokens."
    ]
    cut.truncated = 0
    pair._read_by(tuned, made)
    assert len(said) == 1


def test_the_space_before_and_after(diff, sample, tuned):
    shown = diff("Space")
    assert not shown.refusals
    found = space_diff(sample[1], tuned, sample[0].labels, shared=True, resamples=20)
    assert shown.numbers["Anisotropy"] == (
        f"{found.anisotropy.base.mean_cosine:.3f} → {found.anisotropy.tuned.mean_cosine:.3f}"
    )
    assert shown.numbers["Neighbours kept"] == f"{100 * found.neighbours.mean:.1f} %"
    dashes = [trace["line"]["dash"] for trace in shown.charts["space_similarities"]["data"]]
    assert dashes == ["dash", "solid"] * 2
    apart = shown.charts["space_apart"]
    assert "tuned: higher (95 %)" in {trace.get("name") for trace in apart["data"]}
    shown.choose("space_pairs", "all")
    assert len(shown.charts["space_similarities"]["data"]) == 2


def test_texts_that_moved_and_their_neighbours(diff):
    shown = diff("Texts")
    kept = shown.table("kept")["kept"].tolist()
    assert kept == sorted(kept)
    assert sum(sum(values(trace["y"])) for trace in shown.charts["texts_kept"]["data"]) == 402
    shown.choose("texts_topic", "medical")
    assert set(shown.table("kept")["topic"]) == {"medical"}
    shown.choose("texts_order", "distance moved")
    cosines = shown.table("kept")["cosine with itself"].tolist()
    assert cosines == sorted(cosines)
    shown = diff("Texts", texts_row="law-emp-20")
    drawn = "\n".join(str(one.proto) for one in shown.page.get("html"))
    assert "Before: nearest with the base" in drawn
    assert "neighbours kept" in told(shown)
    shown.choose("texts_row", "no-such-text")
    assert "has the id" in re.sub(r"\\(.)", r"\1", shown.refusals[0])


def test_another_base_asks_for_its_tuned_checkpoint(diff):
    shown = diff(encoder=PACKAGED_STATIC)
    assert "Choose the checkpoint to hold against" in told(shown)
    shown.press("Show the packaged pair instead")
    assert "drift_picture" in shown.charts
    assert shown.page.selectbox(key="tuned").value == PACKAGED_TUNED


def test_finished_runs_of_this_session_are_offered(diff, monkeypatch):
    ended = {"a" * 32: "finished", "b" * 32: "running"}
    mine = [SimpleNamespace(id=name, kind="finetune", title="t") for name in ended]
    monkeypatch.setattr(pair.runs, "list_runs", lambda **_: mine)
    monkeypatch.setattr(pair.runs, "status", lambda run: SimpleNamespace(state=ended[run.id]))
    shown = diff("Texts")
    assert shown.page.selectbox(key="tuned").options == [f"run:{'a' * 32}", PACKAGED_TUNED, PACKAGED_HARMFUL]


@pytest.mark.parametrize("typed", ["run:nobody", "../../etc", "<b>x</b>"])
def test_what_cannot_be_opened_is_said(diff, typed):
    assert diff(tuned=typed).refusals


def test_a_corpus_with_its_own_embeddings_is_refused(sample):
    corpus, vectors = sample
    chosen = Chosen(EncoderChoice(None, "float32", None), CorpusChoice(replace(corpus, embeddings=vectors)), None)
    view = pair.about_pair(lambda _: None)
    with pytest.raises(InputError, match="brought its own embeddings"):
        view(chosen)


@pytest.mark.parametrize(("view", "asks"), [("Drift", True), ("Monitor", False), ("Train", False)])
def test_texts_are_asked_for_where_they_are_needed(app, view, asks):
    shown = app(page="finetune_diff", view=view, corpus="Upload")
    assert any("Upload" in info.value for info in shown.page.info) == asks


def test_edited_prompts_are_put_before_both():
    base, other = (describe(name, policy=Policy()) for name in (PACKAGED, PACKAGED_STATIC))
    edited = base.with_prompts(query="ask: ", document="text: ")
    found, told_so = pair._same_prompts(edited, other)
    assert told_so
    assert (found.prompts.query, found.prompts.document) == ("ask: ", "text: ")
    assert pair._same_prompts(base, other) == (other, False)
    assert pair._same_prompts(replace(base, source="other"), other) == (other, False)
