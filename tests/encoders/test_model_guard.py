"""No model takes the server down: its size is held against limits before it is fetched, and before it is opened."""

import json
import shutil
import threading
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import AutoConfig

from lib.encoders import PACKAGED, Policy, ShortOfMemoryError, describe, free_memory, open_encoder
from lib.encoders.claims import check_model
from lib.encoders.disk import make_room
from lib.encoders.turns import OPENING, Turn
from lib.errors import InputError
from lib.sae.sources import open_sae

CLAIMS = {
    "vocab_size": (10**9, r"claims 1,000,000,000 words of 32 numbers, which its weights .* cannot hold"),
    "num_hidden_layers": (10**6, r"claims 1,000,000 layers, which its weights \(\d+ tensors\) cannot hold"),
    "num_experts": (10**7, r"claims 10,000,000 experts a layer"),
    "max_position_embeddings": (10**12, "claims 1,000,000,000,000 for max_position_embeddings; expected at most"),
    "num_labels": (10**9, "claims 1,000,000,000 for num_labels; expected at most 100,000"),
}


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refusal(folder, *, call=describe, root=None):
    with pytest.raises(InputError) as caught:
        call(str(folder), policy=Policy(model_roots=(root or folder.parent,)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("key", CLAIMS)
def test_a_config_that_claims_what_its_weights_cannot_hold(build, tmp_path, key):
    folder = build("minilm", folder=tmp_path / "model")
    edit(folder / "config.json", **{key: CLAIMS[key][0]})
    with pytest.raises(InputError, match=CLAIMS[key][1]):
        describe(str(folder), policy=Policy(model_roots=(tmp_path,)))


def test_claims_in_a_part_of_the_config_count(build, tmp_path):
    folder = build("minilm", folder=tmp_path / "model")
    edit(folder / "config.json", text_config={"vocab_size": 10**9, "hidden_size": 64})
    assert "claims 1,000,000,000 words of 64 numbers" in refusal(folder)


def test_a_dense_layer_that_claims_more_than_its_file(build, tmp_path):
    folder = build("instructor", folder=tmp_path / "model")
    (dense,) = [path.parent for path in folder.glob("*Dense*/config.json")]
    edit(dense / "config.json", out_features=10**9)
    assert "numbers, which its weights (" in refusal(folder)


def test_a_dense_layer_bends_by_nothing_but_an_activation(build, tmp_path):
    folder = build("instructor", folder=tmp_path / "model")
    (dense,) = [path.parent for path in folder.glob("*Dense*/config.json")]
    for named in ("torch.distributed.run.main", "torch.nn.os.abort", "os.system", 7):
        edit(dense / "config.json", activation_function=named)
        assert "expected an activation of torch.nn" in refusal(folder)


def test_what_its_settings_ask_of_the_library_reaches_nothing_outside(build, tmp_path):
    """sentence-transformers hands on what this file says, as arguments of the model, the tokenizer and the config."""
    folder = build("minilm", folder=tmp_path / "model")
    policy = Policy(model_roots=(tmp_path,))
    expected = open_encoder(describe(str(folder), policy=policy), policy=policy).encode(["a text"]).vectors
    secret = tmp_path / "secret.txt"
    secret.write_text("[UNK]\nroot\n")
    offered = {"device_map": {"": "disk"}, "offload_folder": str(tmp_path / "written")}
    edit(
        folder / "sentence_bert_config.json",
        model_kwargs=offered,
        processor_kwargs={"vocab_file": str(secret), "tokenizer_file": str(secret)},
        config_kwargs={"num_hidden_layers": 10**9},
        cache_dir=str(tmp_path / "written"),
    )
    found = open_encoder(describe(str(folder), policy=policy), policy=policy).encode(["a text"]).vectors
    np.testing.assert_array_equal(found, expected)
    assert not (tmp_path / "written").exists()


def test_a_model_of_parts_without_end_is_left_unfinished():
    from transformers import AlbertConfig, AutoModel

    from lib.encoders.loading import few_modules

    config = AlbertConfig(vocab_size=8, hidden_size=4, embedding_size=4, intermediate_size=4, num_attention_heads=1,
                          num_hidden_layers=10**9, num_hidden_groups=10**9)  # fmt: skip
    with torch.device("meta"), pytest.raises(InputError, match="more than 50,000 parts"), few_modules("small"):
        AutoModel.from_config(config)
    with few_modules("none"):  # nothing is left behind
        torch.nn.Sequential(torch.nn.Linear(1, 1))


def test_a_cached_model_does_not_wait_for_a_download(monkeypatch, tmp_path):
    from lib.encoders import hub

    cached = hub.HubFolder(tmp_path, tmp_path)
    monkeypatch.setattr(hub, "cached_folder", lambda _: cached)
    monkeypatch.setattr(hub, "FETCHING", Turn("downloaded", patience=0.05))
    begun, end = threading.Event(), threading.Event()

    def download():
        with hub.FETCHING.taken("large"):
            begun.set()
            end.wait(10)

    other = threading.Thread(target=download)
    other.start()
    begun.wait(10)
    try:
        assert hub.fetch("owner/name", allow_hub=True) is cached
        monkeypatch.setattr(hub, "cached_folder", lambda _: None)
        with pytest.raises(InputError, match="owner/name has to wait"):
            hub.fetch("owner/name", allow_hub=True)
    finally:
        end.set()
        other.join()


def test_a_refusal_names_no_folder_of_the_server():
    from lib.encoders.loading import told

    with pytest.raises(InputError) as caught, told("owner/name"):
        raise OSError("Unrecognized class in /home/me/hub/models--a--b/snapshots/12ab. Use https://x.test/docs/it")
    assert "/home" not in str(caught.value)
    assert "snapshots" not in str(caught.value)
    assert "https://x.test/docs/it" in str(caught.value)


def test_an_adapter_that_claims_a_rank_that_none_has(build, tmp_path):
    base = build("minilm", folder=tmp_path / "base")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_file({"lora_A": np.zeros((1, 32), np.float32)}, adapter / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": str(base), "r": 8}
    for change in ({"r": 10**7}, {"r": 0}, {"r": "many"}, {"rank_pattern": {"query": 10**9}}):
        (adapter / "adapter_config.json").write_text(json.dumps({**config, **change}))
        assert "claims a rank of" in refusal(adapter)


def test_a_tokenizer_as_large_as_none_is(build, tmp_path):
    folder = build("minilm", folder=tmp_path / "model")
    with (folder / "tokenizer.json").open("r+b") as file:
        file.truncate(200_000_000)  # sparse: takes no disk
    assert "tokenizer.json of" in refusal(folder)
    assert "has 200 MB" in refusal(folder)


def test_what_header_and_config_hide_is_seen_before_anything_is_made(build, tmp_path, monkeypatch):
    """Sizes that the first look does not know (here: the feed-forward width) are seen on the device without memory."""
    folder = build("minilm", folder=tmp_path / "model")
    edit(folder / "config.json", intermediate_size=10**9)
    policy = Policy(model_roots=(tmp_path,))
    describe(str(folder), policy=policy)
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *a, **k: pytest.fail("loaded"))
    with pytest.raises(InputError, match=r"describes a model of 1\d\d,\d\d\d M parameters, but its weights hold 0 M"):
        open_encoder(str(folder), policy=policy)


def test_a_model_is_held_against_its_file_and_the_memory(monkeypatch):
    with torch.device("meta"):
        model = torch.nn.Linear(10_000, 10_000)
    check_model(model, 100_010_000, name="it")
    check_model(model, 40_000_000, name="it")  # heads that are not saved, tables that are tied
    with pytest.raises(InputError, match="describes a model of 100 M parameters, but its weights hold 20 M"):
        check_model(model, 20_000_000, name="it")
    monkeypatch.setattr("lib.encoders.memory.free_memory", lambda: 300_000_000)
    with pytest.raises(ShortOfMemoryError, match=r"it needs about 0\.\d GB of memory \(100 M parameters\)"):
        check_model(model, 40_000_000, name="it")


def test_the_owner_caps_models_whatever_is_free(monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_GB", "0.05")
    with pytest.raises(InputError, match=r"takes 0\.091 GB in memory, and whoever runs this server allows 0\.05 GB"):
        open_encoder(PACKAGED)
    monkeypatch.setenv("EMBEDSCOPE_MODEL_GB", "0.001")
    with pytest.raises(InputError, match=r"whoever runs this server allows 0\.001 GB for a model"):
        open_sae("packaged", policy=Policy(allow_hub=False))


def test_only_hub_ids_that_the_owner_allows(monkeypatch):
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *a, **k: pytest.fail("the hub was asked"))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: pytest.fail("the cache was asked"))
    policy = Policy(hub_ids=("intfloat/*", "BAAI/bge-m3"))
    for name, opened in (("BAAI/bge-small-en", describe), ("bge-small-en-v1.5", describe), ("a/b/c", open_sae)):
        with pytest.raises(InputError, match=r"whoever runs the server allows intfloat/\*, BAAI/bge-m3 from the hub"):
            opened(name, policy=policy)
    with pytest.raises(InputError, match="whoever runs the server allows nothing from the hub"):
        describe("intfloat/e5-small-v2", policy=Policy(hub_ids=()))
    assert describe("sentence-transformers/all-MiniLM-L6-v2", policy=Policy(hub_ids=())).source == PACKAGED


def test_an_adapters_base_is_asked_for_under_the_same_rule(tmp_path):
    save_file({"lora_A": np.zeros((1, 32), np.float32)}, tmp_path / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": "other/base", "r": 1}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"The base of the adapter .* other/base may not be opened here"):
        describe(str(tmp_path), policy=Policy(model_roots=(tmp_path,), hub_ids=("intfloat/*",)))


def test_one_model_is_opened_at_a_time(monkeypatch):
    """A second thread comes in only when the first is through, so that it sees the memory that the first has taken."""
    within, together = [], []
    entered = threading.Event()

    def load(*_):
        within.append(1)
        together.append(len(within))
        entered.wait(0.2)
        within.pop()
        return []

    monkeypatch.setattr("lib.encoders.loading.load_modules", load)
    monkeypatch.setattr("lib.encoders.opening.Encoder", lambda *a, **k: SimpleNamespace())
    checkpoint = describe(PACKAGED)
    threads = [threading.Thread(target=open_encoder, args=(checkpoint,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert together == [1, 1, 1, 1]
    assert not OPENING.busy


def test_who_waits_in_vain_is_told():
    turn, held, done = Turn("opened", patience=0.05), threading.Event(), threading.Event()

    def hold():
        with turn.taken("first"), turn.taken("first again"):
            held.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(30)
    assert turn.busy
    with pytest.raises(InputError, match=r"^second has to wait: another model is being opened on this server"):
        turn.taken("second").__enter__()
    done.set()
    other.join(30)
    assert not turn.busy
    with pytest.raises(KeyError), turn.taken("third"):
        raise KeyError
    assert not turn.busy


def cached(folder, name, size, accessed):
    """A model in a hub's cache."""
    import os

    blobs = folder / f"models--{name.replace('/', '--')}" / "blobs"
    snapshot = blobs.parent / "snapshots" / ("a" * 40)
    for made in (blobs, snapshot, blobs.parent / "refs"):
        made.mkdir(parents=True)
    (blobs.parent / "refs" / "main").write_text("a" * 40)
    (blobs / "b").write_bytes(b"0" * size)
    (snapshot / "model.safetensors").symlink_to(blobs / "b")
    os.utime(blobs / "b", (accessed, accessed))
    return blobs.parent


def test_the_cache_of_the_hub_stays_below_the_owners_cap(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.utils._cache_manager.HF_HUB_CACHE", str(tmp_path))
    old, older, own = (
        cached(tmp_path, "a/old", 400, 2_000),
        cached(tmp_path, "a/older", 400, 1_000),
        cached(tmp_path, "a/own", 100, 10),
    )
    make_room("a/own", 10**9 // 10**6, tmp_path)  # no cap: nothing goes
    assert older.exists()
    monkeypatch.setenv("EMBEDSCOPE_HUB_GB", "1e-6")
    make_room("a/own", 300, tmp_path)
    assert (old.exists(), older.exists(), own.exists()) == (True, False, True)
    with pytest.raises(InputError, match=r"gives all downloaded models 1e-06 GB \(EMBEDSCOPE_HUB_GB\)"):
        make_room("a/new", 2_000, tmp_path)
    make_room("a/new", 0, tmp_path)


def test_a_download_leaves_disk_to_others(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2 * 10**9))
    make_room("a/b", 9 * 10**8, tmp_path / "not" / "there")
    with pytest.raises(InputError, match=r"takes 1\.5 GB on disk, and of the 2\.0 GB that are free 1 is left"):
        make_room("a/b", 15 * 10**8, tmp_path)


def test_ordinary_families_stay_within_their_claims(build, tiny):
    """No family that is known is refused by the guard."""
    for family in tiny:
        folder = build(family)
        found = describe(str(folder), policy=Policy(model_roots=(folder,)))
        assert AutoConfig.from_pretrained(str(found.path)).model_type == found.architecture


def test_limits_of_the_groups_that_a_process_is_in_count(monkeypatch, tmp_path):
    """A service of systemd has its limit in a group of its own, below the one that a container sees."""
    for membership, folder, limit, used in (
        ("0::/system.slice/embedscope.service\n", "system.slice/embedscope.service", "memory.max", "memory.current"),
        ("5:cpu:/x\n4:memory:/one/two\n", "memory/one", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        (tmp_path / "cgroup").write_text(membership)
        group = tmp_path / folder
        group.mkdir(parents=True)
        (group / limit).write_text("5000000\n")
        (group / used).write_text("4000000\n")
        monkeypatch.setattr("lib.encoders.memory._MEMBERSHIP", tmp_path / "cgroup")
        monkeypatch.setattr("lib.encoders.memory._GROUPS", tmp_path)
        monkeypatch.setattr("lib.encoders.memory._CGROUPS", ())
        assert free_memory() == 1_000_000
    (tmp_path / "cgroup").write_text("nonsense\n0::/\n")
    assert free_memory() > 10_000_000


@pytest.mark.parametrize("shape", [[10**400], [-1_000_000], [1_000]])
def test_a_header_whose_shapes_are_no_shapes_of_its_bytes(build, tmp_path, shape):
    """What memory is asked for comes from the shapes: they may not say more, or less than nothing."""
    folder = build("minilm", folder=tmp_path / "model")
    path = folder / "model.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, end = json.loads(data[8 : 8 + length]), len(data) - 8 - length
    header["more"] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end]}
    written = json.dumps(header).encode()
    path.write_bytes(len(written).to_bytes(8, "little") + written + data[8 + length :])
    assert "a tensor of more numbers than its place holds" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", {"_name_or_path": 10**400}),
        ("config.json", {"hidden_size": 0}),
        ("config.json", {"num_attention_heads": 0}),
        ("config.json", {"max_position_embeddings": 1}),
        ("sentence_bert_config.json", {"max_seq_length": float("nan")}),
        ("sentence_bert_config.json", {"max_seq_length": float("inf")}),
    ],
)
def test_a_config_of_the_wrong_kind_ends_in_a_sentence_or_is_passed_over(build, tmp_path, name, change):
    """No fault of a library or of arithmetic reaches the page, and no vector comes out of random weights."""
    folder = build("minilm", folder=tmp_path / "model")
    edit(folder / name, **change)
    policy = Policy(model_roots=(tmp_path,))
    if next(iter(change)) in ("_name_or_path", "max_seq_length"):
        assert describe(str(folder), policy=policy).dimensions == 32
    else:
        refusal(folder, call=open_encoder)
