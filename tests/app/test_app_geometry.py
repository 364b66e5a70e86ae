"""The Geometry page through Streamlit's test double: loaded, empty, with bad files, by address, with hostile names."""

import io
import json
import re

import numpy as np
import pytest

from lib import geometry
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.geometry.neighbours import search
from lib.geometry.vectors import unit

VIEWS = ["Map", "Anisotropy", "Dimension", "Labels", "Hubs", "Outliers"]
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> [link](javascript:alert(3)) $math$ :red[hot] **bold** "
    "`code` www.evil.test https://evil.test me@evil.test ~~gone~~ # head"
)
DRAWN = [
    "<script",
    "<img",
    "](java",
    "$math",
    ":red[",
    "**bold",
    "`code",
    "www.evil",
    "://evil",
    "me@evil",
    "~~",
    "# h",
]


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def npy(array):
    sink = io.BytesIO()
    np.save(sink, array)
    return sink.getvalue()


def percent(value):
    return f"{100 * value:.1f} %"


# The sample, view by view


def test_the_map_shows_what_the_library_finds(app, sample):
    corpus, vectors = sample
    shown = app(map="PCA")
    layout = geometry.project(vectors, method="pca")
    fit = geometry.label_fit(vectors, corpus.labels)
    assert shown.numbers["Trustworthiness"] == f"{layout.trustworthiness:.3f}"
    assert shown.numbers["Label silhouette"] == f"{fit.silhouette:.3f}"
    assert shown.numbers["Label purity"] == percent(fit.purity)
    traces = shown.charts["map_2d"]["data"]
    assert [trace["name"] for trace in traces[:3]] == ["finance (126)", "legal (126)", "medical (126)"]
    assert traces[3]["name"] == "no label (24)"
    far = len(shown.table("cluster"))
    assert far > 0
    assert traces[4]["name"] == f"flagged ({far})"
    assert f"Far from any cluster ({far})" in shown.titles
    assert percent(far / 402) in shown.numbers["Far from any cluster"]


def test_the_first_view_is_the_map_that_ships(app, sample):
    shown = app()
    assert shown.titles[0] == "How is this corpus laid out?"
    assert sum(len(trace["customdata"]) for trace in shown.charts["map_2d"]["data"][:4]) == len(sample[0])
    assert "UMAP 1" in json.dumps(shown.charts["map_2d"]["layout"])


def test_anisotropy_shows_what_the_library_finds(app, sample):
    corpus, vectors = sample
    shown = app(view="Anisotropy")
    result = geometry.anisotropy(vectors)
    even = geometry.uniformity(vectors, corpus.labels)
    assert shown.numbers == {
        "Mean cosine": f"{result.mean_cosine:.3f}",
        "After mean-centering": f"{result.mean_cosine_centred:.3f}",
        "Top direction": percent(result.top_direction_share),
    }
    assert list(shown.table("measure")["value"]) == [f"{even.uniformity:.3f}", f"{even.alignment:.3f}"]
    assert set(shown.charts) == {"cosines", "dimensions"}


def test_dimension_shows_what_the_library_finds(app, sample):
    shown = app(view="Dimension")
    result = geometry.intrinsic_dimension(sample[1])
    assert shown.numbers == {
        "Components for 95 %": f"{result.components_95} of 384",
        "Participation ratio": f"{result.participation_ratio:.1f}",
        "TwoNN": f"{result.two_nn:.1f}",
    }
    assert set(shown.charts) == {"variance", "contrast"}


def test_labels_show_what_the_library_finds(app, sample):
    corpus, vectors = sample
    shown = app(view="Labels")
    fit, similarity = geometry.label_fit(vectors, corpus.labels), geometry.label_similarity(vectors, corpus.labels)
    assert shown.numbers == {"Silhouette": f"{fit.silhouette:.3f}", "Purity": percent(fit.purity)}
    assert f"within labels {similarity.mean_within:.3f}, between labels {similarity.mean_between:.3f}" in shown.captions
    assert list(shown.table("purity by chance")["texts"]) == [126, 126, 126]
    assert "texts_heatmap" in app(view="Labels", similarity="texts").charts


def test_hubs_show_what_the_library_finds(app, sample):
    shown = app(view="Hubs", k=7)
    result = geometry.hubness(sample[1], k=7)
    assert shown.numbers == {
        "Skewness": f"{result.skewness:.2f}",
        "Nobody's neighbour": percent(result.antihub_share),
    }
    assert list(shown.table("times a neighbour")["times a neighbour"]) == list(result.hub_counts)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("corpus centroid", "centroid"),
        ("nearest label centroid", "label_centroid"),
        ("k-th neighbour", "neighbour"),
        ("nearest local centroid", "local_centroid"),
        ("Mahalanobis", "mahalanobis"),
    ],
)
def test_outliers_show_what_the_library_finds(app, sample, name, rule):
    corpus, vectors = sample
    shown = app(view="Outliers", rule=name, quantile="0.9")
    scored = geometry.score(vectors, rule=rule, reference_labels=corpus.labels)
    flagged = geometry.flag(scored, quantile=0.9)
    found = geometry.detection(scored.scores, corpus.columns["ood"].to_numpy(dtype=bool))
    assert shown.numbers == {
        "Flagged": f"{len(flagged.rows)} ({percent(flagged.share)})",
        "Threshold": f"{flagged.threshold:.3f}",
        "AUROC": f"{found.auroc:.3f}",
        "FPR at 95 % recall": percent(found.fpr_at_95_recall),
    }
    assert list(shown.table("marked out")["id"]) == [corpus.ids[row] for row in flagged.rows]
    assert set(shown.charts) == {"scores", "roc"}


def test_a_threshold_by_value_and_without_a_truth_column(app, sample):
    shown = app(view="Outliers", threshold="value", above="0.9", truth="(none)")
    scores = geometry.score(sample[1]).scores
    assert shown.numbers["Threshold"] == "0.900"
    assert shown.numbers["Flagged"].startswith(f"{int((scores > 0.9).sum())} ")
    assert "AUROC" not in shown.numbers


# Addresses


def test_an_address_sets_every_control(app):
    shown = app(map="PCA", dims="3D", clusters="k-means", count="4", label="subtopic", colour="cluster", flags="false")
    assert shown.numbers["Clusters"] == "4"
    assert "26 labels" in shown.captions
    assert [trace["name"].split(" (")[0] for trace in shown.charts["map_3d"]["data"]] == [
        f"cluster {number}" for number in range(1, 5)
    ]


def test_colours_by_a_number_and_by_a_column_of_many_groups(app):
    numbers = app(map="PCA", clusters="k-means", colour="distance from the corpus", flags="false").charts["map_2d"]
    assert len(numbers["data"]) == 1
    assert "corpus centroid" in numbers["data"][0]["marker"]["colorbar"]["title"]["text"]
    groups = app(map="PCA", clusters="k-means", colour="subtopic", flags="false").charts["map_2d"]["data"]
    assert [trace["name"] for trace in groups][-1] == "19 more"
    assert len(groups) == 8


@pytest.mark.parametrize("value", ["", "nonsense", "-1e99", "nan", "<b>"])
def test_a_parameter_that_makes_no_sense_falls_back(app, value):
    keys = ["view", "map", "dims", "clusters", "near", "min_dist", "perplexity", "seed", "rule", "colour", "flags",
            "label", "corpus", "precision", "min_size"]  # fmt: skip
    assert app(**dict.fromkeys(keys, value)).numbers == app().numbers


@pytest.mark.parametrize("value", ["", "nonsense", "7", "nan"])
@pytest.mark.parametrize("view", VIEWS[1:])
def test_a_view_falls_back_too(app, view, value):
    keys = ["rule", "quantile", "threshold", "truth", "similarity"] + (["k", "pairs"] if value != "7" else ["pairs"])
    assert app(view=view, **dict.fromkeys(keys, value)).numbers == app(view=view).numbers


def test_choices_of_one_view_outlive_a_look_at_another(app):
    shown = app(map="PCA", clusters="k-means", colour="cluster")
    before = shown.numbers
    for view in ("Hubs", "Map"):
        shown.page.session_state["view"] = view
        shown.run()
    assert shown.numbers == before
    assert shown.charts["map_2d"]["data"][0]["name"].startswith("cluster 1")


# A sentence, new inputs


def test_a_sentence_lists_its_neighbours(app, sample):
    corpus, vectors = sample
    text = corpus.texts[5]
    shown = app(map="PCA", clusters="k-means", probe=f"  {text} ")
    nearest = search(unit(vectors[5:6]), vectors, 10)[0][0]
    table = shown.table("cosine")
    assert list(table["id"]) == [corpus.ids[row] for row in nearest]
    assert table["cosine"][0] == pytest.approx(1, abs=1e-5)
    star = shown.charts["map_2d"]["data"][-1]
    assert star["name"] == "your text"
    shown.choose("probe", "")
    assert "Nearest to your sentence" not in shown.titles


def test_new_inputs_are_checked_against_the_corpus(app, sample):
    corpus, vectors = sample
    texts = [corpus.texts[0], "How do I boil an egg?", ":) :) :)", "a patient with a fever", "ja ja, ach so"]
    shown = app(view="Outliers", rule="nearest local centroid", quantile="0.9")
    shown.choose("new_inputs", "\n\n".join(texts) + "\n")
    new = open_encoder(PACKAGED, policy=Policy.from_environment()).encode(texts).vectors
    scored = geometry.score(new, rule="local_centroid", reference=vectors)
    assert verdicts(shown) == dict(zip(texts, scored.scores > float(shown.numbers["Threshold"]), strict=True))
    assert len(set(verdicts(shown).values())) == 2
    table = shown.table("verdict").set_index("text")
    assert list(table["score"][texts]) == pytest.approx(list(scored.scores), abs=1e-5)
    assert float(table["further out than"][texts[0]].removesuffix("\u202f%")) < 90


def verdicts(shown):
    """New inputs: text to whether it is flagged."""
    table = shown.table("verdict")
    return {text: verdict.endswith("flagged") for text, verdict in zip(table["text"], table["verdict"], strict=True)}


def test_new_inputs_may_come_as_a_file(app, sample):
    shown = app(view="Outliers").upload("new.txt", b"one new text\nanother new text\n", into="new_file")
    assert set(verdicts(shown)) == {"one new text", "another new text"}
    shown.upload("new.csv", b"text,n\na,1\nb,2,3\n", into="new_file")
    assert "new.csv, line 3: expected 2 fields" in shown.refusals[0].replace("\\", "")


def test_too_many_new_inputs(app):
    lines = "\n".join(f"input {number}" for number in range(5_001))
    shown = app(view="Outliers").upload("new.txt", lines.encode(), into="new_file")
    assert "new inputs are checked here at once" in shown.refusals[0]
    assert "python -m lib geometry" in shown.captions.replace("\\", "")


# Nothing there yet, or very little


@pytest.mark.parametrize(("kind", "todo"), [("Upload", "Upload a file in the sidebar"), ("Paste", "Paste some texts")])
def test_without_texts_it_says_what_to_do(app, kind, todo):
    shown = app(corpus=kind)
    assert todo in shown.page.info[0].value
    assert not shown.numbers
    shown.press("Open the sample instead")
    assert shown.numbers == app().numbers


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("count", [3, 5])
def test_a_few_texts_can_be_measured(paste, count, view):
    texts = ["cats purr", "dogs bark", "the contract was void", "rates rose", "rain falls"][:count]
    shown = paste(texts, view=view)
    assert shown.charts
    assert not shown.refusals
    assert f"{count} texts" in shown.captions


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_texts_are_told(paste, count):
    shown = paste(["cats purr", "dogs bark"][:count])
    assert shown.refusals[0].replace("\\", "").startswith(f"This page needs at least 3 texts, got {count}:")
    shown.choose("pasted", "cats purr\ndogs bark\nrain falls")
    assert shown.numbers


@pytest.mark.parametrize("view", VIEWS)
def test_copies_of_one_text(paste, view):
    shown = paste(["the same"] * 6, view=view)
    assert shown.charts
    assert "5 texts kept that repeat an earlier one" in shown.captions
    if view == "Anisotropy":
        assert shown.numbers["Mean cosine"] == "1.000"


def test_new_inputs_against_copies_of_one_text(paste):
    shown = paste(["the same"] * 6, view="Outliers").choose("new_inputs", "the same\nsomething else")
    assert verdicts(shown) == {"the same": False, "something else": True}


# Files


BAD = {
    "broken JSON": ("a.jsonl", jsonl([{"text": "good"}] * 16) + b'{"text": "bad" "label": 1}\n', "a.jsonl, line 17: "),
    "cut JSON": ("a.jsonl", b'{"text": "a"}\n{"text": "b', "a.jsonl, line 2: broken JSON"),
    "JSON list": ("a.jsonl", b'[{"text": "a"}]', "a.jsonl, line 1: expected an object a line"),
    "number for a text": ("a.jsonl", b'{"text": "a"}\n{"text": 7}\n', "a.jsonl, line 2: column 'text': expected text"),
    "too many fields": ("a.csv", b"text,label\na,x\nb,y,z\n", "a.csv, line 3: expected 2 fields as in the header"),
    "too few fields": ("a.tsv", b"text\tlabel\na\tx\nb\n", "a.tsv, line 3: expected 2 fields"),
    "open quote": ("a.csv", b'text,n\na,1\nb,"never\n', "a.csv, line 3: the double quote at column 3"),
    "header only": ("a.csv", b"text,label\n", "a.csv: only a header"),
    "numbers only": ("a.csv", b"n,m\n1,2\n", "a.csv: no column holds text"),
    "empty": ("a.txt", b"", "a.txt: the file is empty"),
    "white space": ("a.txt", b" \n\n", "a.txt: the file is empty"),
    "binary": ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(50), "a.txt: expected text, got a binary file that"),
    "zero bytes": ("a.csv", b"good\nba\0d\n", "a.csv: expected text, got a binary file (a zero byte on line 2"),
    "cut UTF-8": ("a.txt", "größe é".encode()[:-1], "a.txt: the last character on line 1, column 7 is incomplete"),
    "cut Parquet": ("a.parquet", b"PAR1" + bytes(40), "a.parquet: "),
    "CSV as Parquet": ("a.parquet", b"text\na\n", "a.parquet: expected a Parquet file"),
    "hostile name": ("<img src=x> [a](b).csv", b"text\n", "<img src=x> [a](b).csv: only a header"),
}  # fmt: skip


@pytest.fixture(scope="module")
def visitor():
    """One session that uploads file after file, as a user would who mends them."""
    return {}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_and_the_page_goes_on(app, visitor, shown, case):
    name, content, sentence = BAD[case]
    at = visitor.setdefault("at", None) or app(corpus="Upload", map="PCA", clusters="k-means")
    visitor["at"] = at.upload(name, content)
    assert len(at.refusals) == 1
    assert at.refusals[0].startswith(shown(sentence))
    assert not at.numbers
    assert "Open the sample instead" in at.buttons


def test_after_bad_files_a_good_one_opens(app, visitor):
    at = visitor.get("at") or app(corpus="Upload", map="PCA", clusters="k-means")
    at.upload("a.txt", b"one text\nanother text\na third one\n")
    assert not at.refusals
    assert "3 texts · no labels" in at.captions
    at.upload("b.csv", b"text,n\n,\n")
    assert at.refusals
    assert at.press("Open the sample instead").numbers["Label purity"]
    assert "402 texts · 3 labels" in at.captions


def test_columns_can_be_chosen(upload):
    rows = [{"a": f"a short text {n}", "b": f"another, much longer text of the same row {n}", "c": "xy"[n % 2]}
            for n in range(8)]  # fmt: skip
    shown = upload("a.jsonl", jsonl(rows), probe="text")
    assert "longer" in shown.table("cosine")["text"][0]
    text = next(box for box in shown.page.selectbox if box.label == "Text")
    label = next(box for box in shown.page.selectbox if box.label == "Label")
    assert text.value == "b"
    assert label.value == "c"
    text.set_value("a")
    shown.run()
    assert "longer" not in shown.table("cosine")["text"][0]
    next(box for box in shown.page.selectbox if box.label == "Label").set_value("a")
    assert "'a' is chosen as text and as label" in shown.run().refusals[0].replace("\\", "")


def test_a_limit_of_the_server(upload, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MAX_ROWS", "4")
    shown = upload("a.txt", b"a text\n" * 5)
    assert "a.txt: " in shown.refusals[0].replace("\\", "")
    assert "EMBEDSCOPE_MAX_ROWS" in shown.refusals[0].replace("\\", "")


# Embeddings of the corpus's own


def test_precomputed_embeddings_take_the_encoders_place(upload):
    vectors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    shown = upload("a.txt", b"".join(b"text %d\n" % n for n in range(12)), view="Anisotropy")
    shown.upload("v.npy", npy(vectors), into="upload_vectors")
    assert shown.numbers["Mean cosine"] == f"{geometry.anisotropy(vectors).mean_cosine:.3f}"
    assert "with their own 5-d embeddings" in shown.captions


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npy(np.ones((4, 3), np.float32)), "expected one vector a row"),
        (npy(np.full((5, 3), np.nan, np.float32)), "v.npy, row 1: number 1 of the vector is not a number (NaN)"),
        (npy(np.ones(5, np.float32)), "v.npy"),
        (npy(np.array([["a"] * 3] * 5)), "v.npy"),
        (npy(np.ones((5, 3), np.float32))[:-8], "v.npy"),
        (b"no array", "v.npy"),
        (b"", "v.npy"),
    ],
)
def test_bad_embeddings_are_refused(upload, content, words):
    shown = upload("a.txt", b"text one\ntwo\nthree\nfour\nfive\n")
    shown.upload("v.npy", content, into="upload_vectors")
    assert words in shown.refusals[0].replace("\\", "")
    assert "Open the sample instead" in shown.buttons


def test_a_zero_vector_is_refused_in_every_view(upload):
    vectors = np.eye(5, 3, dtype=np.float32)
    shown = upload("a.txt", b"text one\ntwo\nthree\nfour\nfive\n")
    shown.upload("v.npy", npy(vectors), into="upload_vectors")
    for view in VIEWS:
        shown.page.session_state["view"] = view
        assert "zero length" in shown.run().refusals[0]


@pytest.mark.parametrize("view", VIEWS)
def test_a_corpus_with_embeddings_of_its_own(upload, view):
    rng = np.random.default_rng(1)
    rows = [{"text": f"text {n}", "label": "xyz"[n % 3], "embedding": list(rng.normal(size=8))} for n in range(30)]
    shown = upload("a.jsonl", jsonl(rows), view=view, encoder="no/such")  # the encoder is not needed
    assert shown.numbers
    if view == "Map":
        assert "no new sentence can be placed" in shown.captions
        assert not [box for box in shown.page.text_input if box.key == "probe"]
    if view == "Outliers":
        assert "no new text can be scored" in shown.captions
        assert not [box for box in shown.page.text_area if box.key == "new_inputs"]


# Labels


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("names", [[None], ["one"], ["one", None], [f"label {n:02}" for n in range(15)]])
def test_none_one_some_and_many_labels(upload, view, names):
    rng = np.random.default_rng(2)
    rows = [{"text": f"text {n}", "label": names[n % len(names)], "embedding": list(rng.normal(size=8))}
            for n in range(45)]  # fmt: skip
    shown = upload("a.jsonl", jsonl(rows), view=view)
    different = len({name for name in names if name})
    said = "no labels" if not different else "1 label" if different == 1 else f"{different} labels"
    assert said in shown.captions
    if view == "Map":
        traces = [trace["name"] for trace in shown.charts["map_2d"]["data"]]
        assert ("8 more" in traces) == (different == 15)
        assert ("Label purity" in shown.numbers) == (different > 1)
    if view == "Labels":
        assert ("labels_heatmap" in shown.charts) == bool(different)
        assert ("label_bars" in shown.charts) == (different > 1)
        assert bool(shown.page.info) == (not different)
    if view == "Outliers":
        shown.choose("rule", "nearest label centroid")
        assert bool(shown.refusals) == (not different)


# Hostile names


@pytest.mark.parametrize("view", VIEWS)
def test_names_and_texts_draw_nothing(upload, view):
    rng = np.random.default_rng(3)
    rows = [
        {"text": f"{HOSTILE} {n}", "label": f"{HOSTILE[: 25 * (1 + n % 5)]}", "id": f"{n} {HOSTILE}", HOSTILE: HOSTILE,
         "out": n % 4 == 0, "embedding": list(rng.normal(size=8))}
        for n in range(24)
    ]  # fmt: skip
    query = {"colour": HOSTILE} if view == "Map" else {}
    for more in ({}, {"similarity": "texts"}) if view == "Labels" else ({},):
        shown = upload(f"{HOSTILE.replace('/', '')}.jsonl", jsonl(rows), view=view, **query, **more)
        page = shown.page
        for element in (*page.caption, *page.markdown, *page.subheader, *page.info, *page.error, *page.title):
            unescaped = re.sub(r"\\.", "", element.value)
            assert not [sign for sign in DRAWN if sign in unescaped], element.value
        figures = json.dumps(shown.charts)
        assert "<script" not in figures
        assert "<img" not in figures


def test_a_map_says_hostile_names_as_they_are(upload):
    rows = [{"text": f"{HOSTILE} {n}", "label": HOSTILE[:25], "embedding": [1.0, n, n * n]} for n in range(6)]
    trace = upload("a.jsonl", jsonl(rows)).charts["map_2d"]["data"][0]
    assert trace["name"] == "&lt;script&gt;alert(1)&lt;/script&gt; (6)"
    assert "&lt;img src=x onerror=alert(2)&gt;" in trace["text"][0]
    assert all(isinstance(row, str) for [row] in trace["customdata"])


# Encoders


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("no/such", "the hub may not be asked (offline)"),
        ("BAAI/bge-small-en-v1.5", "BAAI/bge-small-en-v1.5 is not in the model cache"),
        ("/etc", "no folder may be opened here"),
        ("../..", "no folder may be opened here"),
        ("a b c", "neither the packaged encoder, nor a folder"),
        ("<img src=x>", "neither the packaged encoder"),
        ("x" * 5_000, "at most 300 characters"),
    ],
)
def test_an_encoder_that_cannot_be_opened(app, source, words):
    shown = app(encoder=source, map="PCA", clusters="k-means")
    assert words in shown.refusals[0].replace("\\", "")
    assert not shown.numbers
    assert shown.press("Open the packaged encoder instead").numbers == app(map="PCA", clusters="k-means").numbers
    assert shown.page.selectbox(key="encoder").value == PACKAGED


def test_a_prompt_changes_the_space(paste):
    shown = paste(["cats purr", "dogs bark", "rain falls"], view="Anisotropy")
    plain_space = shown.numbers
    box = next(box for box in shown.page.text_input if box.label == "Before a document")
    box.set_value("passage: ")
    assert shown.run().numbers != plain_space


# Long work


@pytest.fixture
def slow_encoder(monkeypatch):
    """Encoding that the user stops after its second piece; how many texts each call was given is returned."""
    from streamlit.proto.WidgetStates_pb2 import WidgetStates
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    from lib import embeddings
    from lib.encoders import Encoder
    from lib.ui import resources

    real, calls = Encoder.encode, []

    def encode(self, texts, *, progress=None, **options):
        if len(calls) == 2:
            context = get_script_run_ctx()
            states = WidgetStates()
            pressed = states.widgets.add()
            ids = context.session_state._state._key_id_mapper
            (key,) = (key for key in ids._key_id_mapping if key.startswith("stop_encoding_document"))
            pressed.id = ids.get_id_from_key(key)
            pressed.trigger_value = True
            context.script_requests.request_rerun(
                RerunData(context.query_string, states, page_script_hash=context.page_script_hash)
            )
        calls.append(len(texts))
        return real(self, texts, progress=progress, **options)

    monkeypatch.setattr(embeddings, "_CHUNK", 4)
    monkeypatch.setattr(Encoder, "encode", encode)
    resources._ready.clear()
    return calls


def test_stopping_keeps_what_was_encoded(paste, slow_encoder):
    texts = [f"a text that nobody encoded before, number {n}" for n in range(12)]
    shown = paste(texts, view="Anisotropy")
    assert not shown.numbers
    assert "4 texts still to be encoded; what was done is kept." in shown.page.info[0].value
    assert slow_encoder == [4, 4, 4]
    shown.run()
    assert not shown.numbers  # it stays stopped
    shown.press("Encode them")
    assert shown.numbers["Mean cosine"]
    assert sum(slow_encoder[3:]) == 4


def test_a_large_corpus_is_asked_about_first(paste, monkeypatch):
    from lib.ui import encoding

    monkeypatch.setattr(encoding, "_ASK_ABOVE", 4)
    shown = paste([f"one of five texts, {n}" for n in range(5)], view="Anisotropy")
    assert "5 texts to be encoded. What is encoded is kept, so it can be stopped." in shown.page.info[0].value
    assert shown.press("Encode them").numbers["Mean cosine"]


def test_texts_that_are_cut_are_counted(paste):
    shown = paste(["word " * 400, "cats purr", "dogs bark"], view="Anisotropy")
    assert "1 of 3 texts are longer than 256 tokens: only their beginning was read." in shown.captions.replace("\\", "")


def test_a_mark_may_be_missing(upload):
    rows = [{"text": f"text {n}", "out": None if n == 3 else n < 2, "embedding": [n, 1.0, n % 3]} for n in range(12)]
    shown = upload("a.jsonl", jsonl(rows), view="Outliers")
    assert not shown.page.exception
    assert "AUROC" in shown.numbers
    assert "1 text without a mark in out" in shown.captions


def test_a_column_called_like_a_colour_can_be_chosen(app):
    shown = app(label="subtopic", colour="label (column)")
    assert {trace["name"].split(" (")[0] for trace in shown.charts["map_2d"]["data"]} >= {"finance", "legal", "medical"}


def test_an_edited_prompt_is_part_of_the_address(app):
    from lib.encoders import PACKAGED, describe

    key = f"document_prompt_{describe(PACKAGED).fingerprint[:12]}"
    plain = app(view="Anisotropy")
    edited = app(view="Anisotropy", **{key: "passage: "})
    assert edited.page.text_input(key=key).value == "passage: "
    assert edited.numbers["Mean cosine"] != plain.numbers["Mean cosine"]
