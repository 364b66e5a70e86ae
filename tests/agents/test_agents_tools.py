"""Every tool, called with the SDK's own client: its answer fits its schema, and its numbers are the command line's."""

import base64
import json

import pytest
from mcp import Client, MCPError

from lib.agents.answers import MOST_CHARACTERS
from lib.agents.tools import TOOLS
from lib.cli import main
from lib.encoders import PACKAGED_STATIC
from tests.toy_loop import finished

TEXT = "The court dismissed the appeal."
TEXTS = [
    "The court dismissed the appeal.", "A judge heard the case.", "The bank raised its rates.",
    "Shares fell on Monday.", "The patient has a fever.", "Chest pain needs a doctor.",
    "The lawyer filed a motion.", "Bonds are safer than shares.", "A nurse took the blood pressure.",
    "The jury returned a verdict.", "Inflation eats savings.", "The surgeon closed the wound.",
]  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n"
CALLS = {
    "list_encoders": {},
    "describe_encoder": {},
    "load_encoder": {},
    "embed": {"texts": TEXTS[:3], "numbers": 4},
    "overview": {"queries": "sample:lab"},
    "report": {"queries": "sample:lab", "assertions": ["ndcg@10>=0.1"]},
    "geometry": {"limit": 3},
    "layers": {},
    "search": {"query": "heart", "corpus": TEXTS, "limit": 2},
    "evaluate_retrieval": {"queries": "sample:lab"},
    "hard_negatives": {"queries": "sample:lab"},
    "decompose": {"text": TEXT, "tokens_of": [4083], "limit": 5},
    "contrast": {"a": TEXT, "b": TEXTS[2]},
    "list_features": {"corpus": TEXTS, "limit": 4},
    "search_features": {"words": "court"},
    "describe_feature": {"feature": 4083, "corpus": TEXTS},
    "network": {"corpus": TEXTS, "features": 12},
    "circuit": {"text": TEXT, "feature": 4083},
    "births": {"corpus": TEXTS, "least": 2, "limit": 3},
    "writers": {"text": TEXT, "feature": 4083},
    "steer": {"text": TEXT, "recipe": "4083:+4", "corpus": TEXTS, "limit": 3},
    "diagnose": {"limit": 2},
    "diff": {"tuned": "all-MiniLM-L6-v2", "queries": "sample:lab", "corpus": TEXTS},
}
DRAWN = {"geometry", "layers", "evaluate_retrieval", "decompose", "contrast", "network", "circuit", "diff"}


def test_every_tool_is_called_here():
    assert set(CALLS) == {tool.name for tool in TOOLS}


@pytest.mark.parametrize("name", CALLS)
def test_a_tool_answers_in_plain_words_within_bounds(agent, name):
    result = agent.call(name, **CALLS[name])
    assert not result.is_error, result.content[0].text
    text, *pictures = result.content
    assert json.loads(text.text) == result.structured_content
    assert len(text.text) < MOST_CHARACTERS
    assert result.structured_content["says"].rstrip().endswith((".", ")"))
    assert bool(pictures) == (name in DRAWN)
    for picture in pictures:
        assert picture.mime_type == "image/png"
        assert base64.b64decode(picture.data).startswith(PNG)


def test_tools_say_what_they_take_and_give(agent):
    tools = agent.asks("list_tools").tools
    assert [tool.name for tool in tools] == [tool.name for tool in TOOLS]
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert not tool.annotations.open_world_hint  # no hub here
        assert tool.description.strip()
        assert tool.output_schema["properties"]["says"]
        assert "desk" not in tool.input_schema["properties"]
        assert "ctx" not in tool.input_schema["properties"]
        for name, argument in tool.input_schema["properties"].items():
            assert argument.get("description"), (tool.name, name)


def test_pictures_are_left_out_when_not_wanted(agent):
    assert len(agent.call("decompose", text=TEXT, picture=False).content) == 1


def test_a_decomposition_is_that_of_the_command_line(agent, capsys):
    told = agent.answer("decompose", text=TEXT, limit=100)
    main(["sae", "decompose", "--text", TEXT])
    (written,) = json.loads(capsys.readouterr().out)["texts"]
    assert [one["feature"] for one in told["features"]] == [one["feature"] for one in written["features"]]
    assert [one["label"] for one in told["features"]] == [one["label"] for one in written["features"]]
    for name in ("active", "features_share", "bias_share", "error_share", "cosine", "fvu"):
        assert told[name] == pytest.approx(written[name], rel=1e-4)
    assert told["features_share"] + told["bias_share"] + told["error_share"] == pytest.approx(1, abs=1e-4)


def test_an_evaluation_is_that_of_the_command_line(agent, capsys):
    told = agent.answer("evaluate_retrieval", queries="sample:lab", picture=False)
    main(["retrieval", "--queries", "sample:lab", "--bm25"])
    written = json.loads(capsys.readouterr().out)
    whole = {one["metric"]: one for one in told["metrics"] if one["topic"] is None}
    assert {name: one["mean"] for name, one in whole.items()} == pytest.approx(
        {name: value for name, value in written["metrics"].items() if name in whole}, rel=1e-4
    )
    assert [whole["ndcg@10"][end] for end in ("low", "high")] == pytest.approx(
        written["intervals"]["ndcg@10"], rel=1e-4
    )
    beside = {one["metric"]: one["bm25"] for one in told["against_bm25"]}
    assert beside == pytest.approx(written["bm25"]["metrics"], rel=1e-4)


def test_a_geometry_is_that_of_the_command_line(agent, capsys):
    told = agent.answer("geometry", picture=False, limit=1)
    main(["geometry", "--corpus", "sample:topics"])
    written = json.loads(capsys.readouterr().out)
    assert told["mean_cosine"] == pytest.approx(written["anisotropy"]["mean_cosine"], rel=1e-4)
    assert told["components_95"] == written["dimension"]["components_95"]
    assert told["two_nn"] == pytest.approx(written["dimension"]["two_nn"], rel=1e-4)
    assert told["outliers"][0]["id"] in written["ood"]["flagged"]["ids"]


def test_two_equal_encoders_do_not_differ(agent):
    told = agent.answer("diff", tuned="all-MiniLM-L6-v2", queries="sample:lab", corpus=TEXTS, picture=False)
    assert told["drift"] == pytest.approx(0, abs=1e-6)
    assert (told["improved"], told["worse"]) == (0, 0)


def test_pages_of_a_list_hold_every_row_once(agent):
    seen, offset = [], 0
    while True:
        told = agent.answer("decompose", text=TEXT, offset=offset, limit=25, picture=False)
        seen += [one["feature"] for one in told["features"]]
        if not told["cut"]:
            break
        offset += 25
        assert f"offset {offset}" in told["cut"][0]
    assert len(seen) == len(set(seen)) == told["active"]
    assert agent.answer("decompose", text=TEXT, offset=4_000, picture=False)["cut"] == [
        f"There are {told['active']} features, so none from offset 4,000 on."
    ]


def test_an_encoder_without_layers_says_so(agent):
    assert "no layer stands" in agent.refusal("layers", encoder="static MiniLM, 128 d (packaged)")
    told = agent.answer("overview", encoder="static MiniLM, 128 d (packaged)", queries="sample:lab", corpus=None)
    needs = {one["name"]: one["needs"] for one in told["signals"]}
    assert "corpus" in needs["layers"]
    assert needs["ranks"] is None
    told = agent.answer("overview", queries=None, corpus=["one text", "two texts"])
    assert {one["name"]: one["needs"] for one in told["signals"]}["map"].startswith("A space has a shape from 3 texts")


def test_resources_and_prompts_can_be_read(agent):
    listed = [str(one.uri) for one in agent.asks("list_resources").resources]
    assert "embedscope://corpora/topics" in listed
    for uri in listed:
        (content,) = agent.asks("read_resource", uri).contents
        assert len(content.text) < MOST_CHARACTERS
        assert json.loads(content.text)
    feature = json.loads(agent.asks("read_resource", "embedscope://features/packaged/4083").contents[0].text)
    assert feature["label"] == agent.answer("describe_feature", feature=4083, corpus=TEXTS)["feature"]["label"]
    prompts = agent.asks("list_prompts").prompts
    assert {one.name for one in prompts} >= {"why_is_this_query_bad"}
    filled = agent.asks("get_prompt", "why_is_this_query_bad", {"query": "chest pain"})
    assert "'chest pain'" in filled.messages[0].content.text


@pytest.mark.parametrize("uri", ["embedscope://features/packaged/4096", "embedscope://features/mine/1",
                                 "embedscope://features/packaged/-1", "embedscope://features/packaged/x"])  # fmt: skip
def test_a_resource_that_is_not_there_is_refused(agent, uri):
    async def ask():
        async with Client(agent.server) as client:
            with pytest.raises(MCPError, match=r"features 0 to 4095|No dictionary"):
                await client.read_resource(uri)

    finished(ask)


def test_one_query_has_no_interval(agent, folder):
    """The sentence leaves it out, and does not say that it is from nan to nan."""
    (folder / "one.jsonl").write_text('{"query": "a cat", "document": "cats purr"}\n')
    told = agent.answer("evaluate_retrieval", queries="one.jsonl", picture=False)
    assert told["says"].startswith("NDCG@10 1.000 over 1 query; BM25")


def test_a_report_is_that_of_the_command_line(agent, capsys):
    demands = ["ndcg@10>=0.01", "anisotropy<=-1", "against.p<=1"]
    told = agent.answer("report", queries="sample:lab", against=PACKAGED_STATIC, assertions=demands, limit=100)
    options = [option for text in demands for option in ("--assert", text)]
    status = main(["report", "--corpus", "sample:topics", "--queries", "sample:lab", "--against", PACKAGED_STATIC,
                   "--no-layers", "--without-texts", "--json", "-", *options])  # fmt: skip
    written = json.loads(capsys.readouterr().out)
    assert status == 1
    assert [one["holds"] for one in told["assertions"]] == [one["holds"] for one in written["assertions"]]
    assert [one["holds"] for one in told["assertions"]] == [True, False, True]
    assert "2 of 3 demands hold; anisotropy <= -1 does not." in told["says"]
    had = {one["name"]: one["value"] for one in told["numbers"] if one["value"] is not None}
    assert had == {name: pytest.approx(written["facts"][name], rel=1e-5) for name in had}
    assert len(had) > 15
