"""Everything that cannot be opened says so in one sentence, and soon."""

import json
import shutil
import time
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.errors import InputError

ONLINE = Policy()
OFFLINE = Policy(allow_hub=False)


def refusal(source, policy=ONLINE, call=describe):
    """The sentence with which `source` is refused, which has to come within ten seconds and be one."""
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        call(str(source), policy=policy)
    assert time.monotonic() - start < 10
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", ")", "0.1.0"))
    return sentence


@pytest.fixture
def empty_cache(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *args, **kwargs: None)


def hub_answers(monkeypatch, answer):
    """Let the hub give `answer`, or raise it."""

    def model_info(self, repo_id, **kwargs):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)


def hub_error(kind, status):
    import httpx2

    request = httpx2.Request("GET", "https://huggingface.co/api/models/a/b")
    return kind("no", response=httpx2.Response(status, request=request))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "No encoder was named"),
        ("   ", "No encoder was named"),
        ("a" * 400, "at most 300 characters, got 400"),
        ("owner/na\x00me", "no control characters"),
        ("owner/na\nme", "no control characters"),
        ("owner/" + "n" * 120, "neither the packaged encoder"),
        ("a/b--c", "neither the packaged encoder"),
        ("owner/..", "neither the packaged encoder"),
        ("http://example.org/model", "is an address; give the hub id alone"),
        ("../../etc", "is a folder's path, and no folder may be opened here"),
        ("/etc", "is a folder's path, and no folder may be opened here"),
        ("~/models", "is a folder's path"),
        ("~nosuchuser/x", "is a folder's path"),
        ("..\\..\\models", "is a folder's path"),
        ("x/../../y", "is a folder's path"),
    ],
)
def test_hostile_and_broken_names(name, message):
    assert message in refusal(name)


@pytest.mark.usefixtures("empty_cache")
def test_hub_cannot_be_reached(monkeypatch):
    import httpx2

    for failure in (httpx2.ConnectError("no route"), httpx2.ReadTimeout("slow"), ConnectionError("off")):
        hub_answers(monkeypatch, failure)
        assert "The model hub cannot be reached" in refusal("owner/name")


@pytest.mark.usefixtures("empty_cache")
def test_real_call_without_a_network_ends_in_the_same_sentence():
    assert "cannot be reached" in refusal("owner/name")


@pytest.mark.usefixtures("empty_cache")
def test_offline_policy_asks_nobody(monkeypatch):
    hub_answers(monkeypatch, AssertionError("the hub was asked"))
    assert "is not in the model cache and the hub may not be asked" in refusal("owner/name", OFFLINE)


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("RepositoryNotFoundError", 404, "The hub knows no public model owner/name"),
        ("GatedRepoError", 403, "owner/name is gated"),
        ("DisabledRepoError", 403, "does not give out owner/name"),
        ("HfHubHTTPError", 500, "cannot be reached"),
    ],
)
def test_hub_says_no(monkeypatch, kind, status, message):
    hub_answers(monkeypatch, hub_error(getattr(huggingface_hub.errors, kind), status))
    assert message in refusal("owner/name")


def listing(size, parameters=None, **others):
    """What the hub says of a repository with `size` bytes of weights; `others` are further files and their bytes."""
    files = [
        *(SimpleNamespace(rfilename=name, size=bytes_) for name, bytes_ in others.items()),
        SimpleNamespace(rfilename="model.safetensors", size=size),
        SimpleNamespace(rfilename="config.json", size=600),
        SimpleNamespace(rfilename="onnx/model.onnx", size=10**13),
    ]
    counted = SimpleNamespace(total=parameters) if parameters else None
    return SimpleNamespace(siblings=files, sha="0" * 40, safetensors=counted)


@pytest.mark.usefixtures("empty_cache")
def test_too_large_for_memory_is_refused_before_the_download(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("downloaded"))
    hub_answers(monkeypatch, listing(10**12))
    assert "needs about" in refusal("owner/name")
    hub_answers(monkeypatch, listing(1000, parameters=10**12))
    assert "needs about 4400.0 GB of memory (1,000,000 M parameters)" in refusal("owner/name").replace(
        "4400.4", "4400.0"
    )


@pytest.mark.usefixtures("empty_cache")
def test_too_large_for_the_disk(monkeypatch):
    monkeypatch.setattr("lib.encoders.hub.check_memory", lambda *a, **k: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    hub_answers(monkeypatch, listing(10**9))
    assert "takes 1.0 GB on disk, but only 0.0 GB are free" in refusal("owner/name")


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("name", ["x/y.safetensors", "x/y/z.json", "README.md", "2_Dense/model.safetensors"])
def test_every_file_that_would_be_fetched_is_held_against_the_disk(monkeypatch, name):
    monkeypatch.setattr("lib.encoders.hub.check_memory", lambda *a, **k: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**11))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("downloaded"))
    hub_answers(monkeypatch, listing(1000, **{name: 5 * 10**11}))
    assert "takes 500.0 GB on disk, but only 100.0 GB are free" in refusal("owner/name")


@pytest.mark.parametrize(
    "name",
    ["openvino/a.json", "x/onnx/a.json", "x/coreml/a.json", "checkpoint-500/model.safetensors", "pytorch_model.bin"],
)
def test_files_that_no_module_needs_take_no_room(monkeypatch, build, tmp_path, empty_cache, name):
    from huggingface_hub.utils import filter_repo_objects

    folder = build("minilm", folder=tmp_path / "hub" / "models--owner--name" / "snapshots" / "abc")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**11))

    def download(*_, allow_patterns, ignore_patterns, **__):
        patterns = {"allow_patterns": allow_patterns, "ignore_patterns": ignore_patterns}
        assert list(filter_repo_objects([name, "model.safetensors"], **patterns)) == ["model.safetensors"]
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    hub_answers(monkeypatch, listing(1000, **{name: 5 * 10**11}))
    assert describe("owner/name", policy=ONLINE).path == folder


def test_what_the_cache_holds_takes_no_more_room(monkeypatch, build, tmp_path):
    folder = build("minilm", folder=tmp_path / "models--owner--name" / "snapshots" / "abc")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: str(folder / "config.json"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: str(folder))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    hub_answers(monkeypatch, listing(1000))
    assert describe("owner/name", policy=ONLINE).path == folder


def test_download_and_cache_lead_to_the_same_encoder(monkeypatch, build, tmp_path):
    cache = tmp_path / "hub"
    folder = build("minilm", folder=cache / "models--owner--name" / "snapshots" / "abc")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: None)
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: asked.append(k) or str(folder))
    hub_answers(monkeypatch, listing(1000))
    fresh = describe("owner/name", policy=ONLINE)
    assert fresh.path == folder
    assert "*.bin" not in asked[0]["allow_patterns"]
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: str(folder / "config.json"))
    cached = describe("owner/name", policy=OFFLINE)
    assert cached.fingerprint == fresh.fingerprint
    assert open_encoder(cached).encode(["contract"]).vectors.shape == (1, 32)


def test_network_lost_with_a_cached_copy_opens_the_copy(monkeypatch, build, tmp_path):
    folder = build("minilm", folder=tmp_path / "models--owner--name" / "snapshots" / "abc")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: str(folder / "config.json"))
    hub_answers(monkeypatch, ConnectionError("off"))
    assert describe("owner/name", policy=ONLINE).path == folder


def test_short_name_of_a_known_encoder_means_its_hub_id(monkeypatch):
    asked = []
    monkeypatch.setattr("lib.encoders.sources.fetch", lambda hub_id, **k: asked.append(hub_id) or pytest.skip(hub_id))
    with pytest.raises(pytest.skip.Exception):
        describe("e5-small-v2", policy=OFFLINE)
    assert asked == ["intfloat/e5-small-v2"]


def test_folders_outside_the_roots_and_missing_ones_are_told_alike(tmp_path, build):
    folder = build("minilm")
    roots = Policy(model_roots=(tmp_path / "models",))
    (tmp_path / "models").mkdir()
    outside, missing = refusal(folder, roots), refusal("/no/such/folder", roots)
    assert outside.replace(str(folder), "X") == missing.replace("/no/such/folder", "X")
    assert "is no checkpoint folder below" in outside
    assert "EMBEDSCOPE_MODEL_ROOTS" in outside
    assert str(tmp_path / "models") not in missing


@pytest.mark.parametrize("name", ["~", "~root", "~root/x", "~nosuchuser/x", "./" + "n" * 280, "/" + "n" * 280])
def test_names_that_the_system_knows_or_refuses_are_told_like_any_missing_folder(name, tmp_path):
    sentence = refusal(name, Policy(model_roots=(tmp_path,)))
    assert sentence.replace(name, "X") == refusal("/no", Policy(model_roots=(tmp_path,))).replace("/no", "X")


def test_a_tilde_is_not_expanded(build, monkeypatch, tmp_path):
    build("minilm", folder=tmp_path / "model")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "is no checkpoint folder" in refusal("~/model", Policy(model_roots=(tmp_path,)))


def test_a_long_name_below_a_root_is_refused_like_any_other(tmp_path):
    assert "neither the packaged encoder" in refusal("n" * 280, Policy(model_roots=(tmp_path,)))


def test_links_do_not_lead_out_of_the_roots(tmp_path, build):
    folder = build("minilm")
    root = tmp_path / "models"
    root.mkdir()
    (root / "linked").symlink_to(folder)
    assert "is no checkpoint folder below" in refusal(root / "linked", Policy(model_roots=(root,)))
    assert "is no checkpoint folder below" in refusal(f"{root}/../{folder.name}", Policy(model_roots=(root,)))
    shutil.copytree(folder, root / "copied")
    (root / "copied" / "model.safetensors").unlink()
    (root / "copied" / "model.safetensors").symlink_to(folder / "model.safetensors")
    assert "model.safetensors of" in refusal(root / "copied", Policy(model_roots=(root,)))


def test_a_name_below_a_root_is_a_folder(build, tmp_path):
    build("minilm", folder=tmp_path / "team" / "ours")
    assert describe("team/ours", policy=Policy(model_roots=(tmp_path,))).path == tmp_path / "team" / "ours"


@pytest.fixture
def damaged(build, tmp_path):
    """A fresh tiny checkpoint to break, with the policy that allows it."""
    folder = build("minilm", folder=tmp_path / "model")
    return folder, Policy(model_roots=(tmp_path,))


def edit(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def drop(name):
    return lambda folder: (folder / name).unlink()


def write(name, content):
    return lambda folder: (folder / name).write_text(content)


def plain(**config):
    def change(folder):
        (folder / "modules.json").unlink()
        edit(folder / "config.json", **config)

    return change


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def modules(*types):
    entries = [{"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_M", "type": t} for i, t in enumerate(types)]
    return write("modules.json", json.dumps(entries))


BREAKS = {
    "no config": (
        lambda f: [drop("config.json")(f), drop("modules.json")(f)],
        "is not an encoder: its folder holds neither",
    ),
    "config gone": (drop("config.json"), "lists a Transformer module, but its config.json is missing"),
    "config no json": (write("config.json", "{"), "config.json of model is not valid JSON"),
    "config a list": (write("config.json", "[]"), "should hold a JSON object, got a list"),
    "modules no list": (write("modules.json", "{}"), "should be a list of modules"),
    "modules lead out": (
        write("modules.json", '[{"idx":0,"name":"0","path":"../x","type":"sentence_transformers.models.Transformer"}]'),
        "leads out of the folder",
    ),
    "no weights": (drop("model.safetensors"), "holds no weights that can be opened"),
    "cut weights": (cut, "is cut or damaged: its header promises"),
    "weights no safetensors": (write("model.safetensors", "hello"), "does not start with a safetensors header"),
    "weights empty": (write("model.safetensors", ""), "does not start with a safetensors header"),
    "shard missing": (
        lambda f: [
            drop("model.safetensors")(f),
            write("model.safetensors.index.json", '{"weight_map": {"a": "model-1.safetensors"}}')(f),
        ],
        "names model-1.safetensors, which is missing",
    ),
    "shard leads out": (
        lambda f: [
            drop("model.safetensors")(f),
            write("model.safetensors.index.json", '{"weight_map": {"a": "../../x.safetensors"}}')(f),
        ],
        "leads out of the folder",
    ),
    "generator": (
        plain(architectures=["GPT2LMHeadModel"]),
        "is not a text encoder: it generates text (GPT2LMHeadModel)",
    ),
    "cross-encoder": (plain(architectures=["BertForSequenceClassification"]), "it scores texts or pairs of texts"),
    "vision": (plain(architectures=["CLIPModel"], vision_config={}), "it reads images or sound"),
    "reranker of sentence-transformers": (
        write("config_sentence_transformers.json", '{"model_type": "CrossEncoder"}'),
        "is a CrossEncoder, which gives no single vector",
    ),
    "late interaction": (
        write("config_sentence_transformers.json", '{"model_type": "MultiVectorEncoder"}'),
        "is a MultiVectorEncoder",
    ),
    "own architecture": (
        lambda f: edit(f / "config.json", model_type="mine", auto_map={"AutoModel": "modeling.Mine"}),
        "runs only with Python code that comes with it",
    ),
    "own architecture in disguise": (
        lambda f: edit(
            f / "config.json", position_embedding_type="alibi", auto_map={"AutoModel": "x/y--modeling.JinaBert"}
        ),
        "runs only with Python code that comes with it",
    ),
    "own module": (modules("custom_st.Transformer"), "runs only with Python code that comes with it"),
    "no pooling": (modules("sentence_transformers.models.Transformer"), "has no Pooling module"),
    "odd module": (
        modules("sentence_transformers.models.Transformer", "sentence_transformers.models.LSTM"),
        "has a LSTM module, which is not supported",
    ),
    "odd first module": (modules("sentence_transformers.models.CLIPModel"), "starts with a CLIPModel module"),
    "unknown pooling": (write("1_Pooling/config.json", '{"pooling_mode": "median"}'), "is 'median', which is none of"),
    "compiled code": (
        write("sentence_bert_config.json", '{"model_args": {"attn_implementation": "someone/kernel"}}'),
        "asks for compiled code from the hub",
    ),
    "compiled code behind an empty file of another name": (
        lambda f: (
            (f / "sentence_albert_config.json").write_text("{}"),
            write("sentence_bert_config.json", '{"model_kwargs": {"attn_implementation": "someone/kernel"}}')(f),
        ),
        "asks for compiled code from the hub",
    ),
    "a tokenizer from elsewhere": (
        write("sentence_bert_config.json", '{"tokenizer_name_or_path": "/etc"}'),
        "asks for a tokenizer from elsewhere",
    ),
    "padding without end": (
        write("sentence_bert_config.json", '{"processing_kwargs": {"text": {"pad_to_multiple_of": 1000000000}}}'),
        "changes how texts are cut at each call",
    ),
    "another method than forward": (
        write("sentence_bert_config.json", '{"modality_config": {"text": {"method": "save_pretrained"}}}'),
        "calls 'save_pretrained' of the model for 'text'",
    ),
}


@pytest.mark.parametrize("how", BREAKS)
def test_broken_and_unfit_checkpoints(how, damaged):
    folder, policy = damaged
    change, message = BREAKS[how]
    change(folder)
    assert message in refusal(folder, policy)


def test_weights_of_another_architecture_are_not_filled_with_chance(damaged):
    folder, policy = damaged
    edit(folder / "config.json", num_hidden_layers=3)
    assert "of the weights that a bert encoder has" in refusal(folder, policy, call=open_encoder)


def test_weights_of_another_size_are_refused(damaged):
    folder, policy = damaged
    edit(folder / "config.json", intermediate_size=48)
    assert "cannot be opened: its files do not fit together" in refusal(folder, policy, call=open_encoder)


def test_tokenizer_that_is_none(damaged):
    folder, policy = damaged
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    assert "cannot be opened" in refusal(folder, policy, call=open_encoder)


def test_pickled_weights_are_read_as_tensors_only(damaged):
    import torch
    from safetensors.torch import load_file

    folder, policy = damaged
    expected = open_encoder(str(folder), policy=policy).encode(["contract"]).vectors
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    encoder = open_encoder(str(folder), policy=policy)
    np.testing.assert_array_equal(encoder.encode(["contract"]).vectors, expected)
    assert "pickled" in encoder.checkpoint.notices[0]


def test_pickled_weights_that_run_code_do_not(damaged, tmp_path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    folder, policy = damaged
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    refusal(folder, policy, call=open_encoder)
    assert not (tmp_path / "ran").exists()


def test_too_little_memory_is_told_before_loading(monkeypatch):
    monkeypatch.setattr("lib.encoders.memory.free_memory", lambda: 10_000_000)
    assert "needs about" in refusal(PACKAGED, call=open_encoder)


def test_container_limits_count(monkeypatch, tmp_path):
    from lib.encoders import free_memory

    limit, used, statistics = tmp_path / "max", tmp_path / "current", tmp_path / "stat"
    limit.write_text("1000000\n")
    used.write_text("700000\n")
    statistics.write_text("anon 5\ninactive_file 100000\n")
    monkeypatch.setattr("lib.encoders.memory._CGROUPS", ((limit, used, statistics, "inactive_file"),))
    assert free_memory() == 400_000
    limit.write_text("max\n")
    assert free_memory() > 1_000_000


def test_policy_comes_from_the_environment(monkeypatch, tmp_path):
    for name in ("EMBEDSCOPE_OFFLINE", "HF_HUB_OFFLINE", "EMBEDSCOPE_ALLOW_REMOTE_CODE", "EMBEDSCOPE_MODEL_ROOTS"):
        monkeypatch.delenv(name, raising=False)
    assert Policy.from_environment() == Policy()
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", f"{tmp_path}:/models")
    monkeypatch.setenv("EMBEDSCOPE_ALLOW_REMOTE_CODE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "yes")
    policy = Policy.from_environment()
    assert [str(root) for root in policy.model_roots] == [str(tmp_path), "/models"]
    assert (policy.allow_remote_code, policy.allow_hub) == (True, False)


def test_prompt_too_long():
    with pytest.raises(InputError, match="at most 2,000 characters; the query prompt has 2,001"):
        describe(PACKAGED, policy=ONLINE).with_prompts(query="x" * 2001)


def test_an_adapter_among_the_modules_is_not_applied_unasked(build, tmp_path):
    """The libraries would apply it, over a base that it names anywhere on the machine."""
    inside = build("minilm", folder=tmp_path / "0_Transformer", plain=True)
    kinds = {"0_Transformer": "Transformer", "1_Pooling": "Pooling"}
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds.items())
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    )
    describe(str(tmp_path), policy=Policy(model_roots=(tmp_path,)))
    (inside / "adapter_config.json").write_text("{}")
    assert "keeps a LoRA adapter among its weights" in refusal(tmp_path, Policy(model_roots=(tmp_path,)))
