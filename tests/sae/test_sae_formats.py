"""Files that SAELens, sparsify, latentsae and dictionary_learning wrote, against what those packages answered."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae import About, save
from lib.sae.formats import read_sae, write_saelens
from tests.toy_sae import random_sae

FIXTURES = Path(__file__).parent / "fixtures"
FOLDERS = sorted(path.parent.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/*/expected.npz"))
REFUSED = {
    "saelens/gated": "the architecture 'gated'",
    "sparsify/groupmax": "the activation 'groupmax'",
    "sparsify/transcoder": "a transcoder",
    "sparsify/skip": "a skip connection",
    "latentsae/gated": "the kind 'gated'",
    "latentsae/skip": "a skip connection",
    "latentsae/batchtopk": "at most k of what is above its threshold",
    "dictionary_learning/GatedAutoEncoder": "the dictionary class 'GatedAutoEncoder'",
}
READ = [name for name in FOLDERS if name not in REFUSED]


def test_every_package_is_there():
    assert {name.split("/")[0] for name in READ} == {"saelens", "sparsify", "latentsae", "dictionary_learning"}
    assert len(READ) >= 20


@pytest.mark.parametrize("name", READ)
def test_reads_what_the_package_answers(name):
    sae, expected = read_sae(FIXTURES / name), np.load(FIXTURES / name / "expected.npz")
    codes = sae.encode(expected["inputs"])
    assert np.abs(sae.decode(codes) - expected["outputs"]).max() < 1e-5
    assert np.array_equal(codes.matrix.toarray() > 0, expected["activations"] > 0)
    assert np.allclose(np.linalg.norm(sae.decoder_weights, axis=1), 1, atol=1e-6)
    assert codes.active.sum() > 0


@pytest.mark.parametrize("name", READ)
def test_writes_saelens(name, tmp_path):
    sae, expected = read_sae(FIXTURES / name), np.load(FIXTURES / name / "expected.npz")
    write_saelens(sae, tmp_path)
    again = read_sae(tmp_path)
    assert (again.rule, again.k, again.prefixes) == (sae.rule, sae.k, sae.prefixes)
    ours, theirs = sae.encode(expected["inputs"]), again.encode(expected["inputs"])
    assert np.array_equal(ours.features, theirs.features)
    assert np.allclose(ours.activations, theirs.activations, atol=1e-5)
    assert np.abs(again.decode(theirs) - expected["outputs"]).max() < 1e-5


def test_the_real_saelens_reads_what_is_written(tmp_path):
    lens = pytest.importorskip("sae_lens", reason="SAELens is no dependency; the fixtures stand for it")
    import torch

    for name in READ:
        sae, expected = read_sae(FIXTURES / name), np.load(FIXTURES / name / "expected.npz")
        write_saelens(sae, tmp_path / name)
        theirs = lens.SAE.load_from_disk(tmp_path / name)
        codes = sae.encode(expected["inputs"])
        with torch.no_grad():
            activations = theirs.encode(torch.tensor(expected["inputs"])).numpy()
            outputs = theirs(torch.tensor(expected["inputs"])).numpy()
        by = 1 if sae.ranking is None else sae.ranking
        assert np.allclose(activations, codes.matrix.toarray() * by, atol=1e-5), name
        assert np.abs(outputs - sae.decode(codes)).max() < 1e-5, name


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refuses_what_is_no_dictionary(name):
    with pytest.raises(InputError, match=REFUSED[name]):
        read_sae(FIXTURES / name)


def test_own_format_and_names(tmp_path):
    sae = random_sae(about=About(name="small", encoder="an-encoder", fingerprint="f" * 64))
    save(sae, tmp_path / "own")
    assert read_sae(tmp_path / "own").key == sae.key
    write_saelens(sae, tmp_path / "lens")
    read = read_sae(tmp_path / "lens")
    assert (read.about.name, read.about.encoder, read.about.fingerprint) == ("small", "an-encoder", "f" * 64)
    assert read.about.origin == "saelens"
    assert read.key == sae.key  # unit rows stay as they are, bit for bit
    assert read_sae(FIXTURES / "saelens/topk").about.encoder == "an-encoder"
    assert read_sae(FIXTURES / "sparsify/topk").about.name == "topk"
    assert read_sae(FIXTURES / "sparsify/topk", name="owner/sae").about.name == "owner/sae"
    assert read_sae(FIXTURES / "saelens/old_topk").about.trained_on == {"name": "a-corpus"}


def test_prefixes_are_kept():
    assert read_sae(FIXTURES / "dictionary_learning/MatryoshkaBatchTopKSAE").prefixes == (4, 8, 16)
    assert read_sae(FIXTURES / "saelens/matryoshka_state").prefixes == (4, 8, 16)
    assert read_sae(FIXTURES / "latentsae/matryoshka").prefixes == (4, 8, 16)


def test_rows_of_zeros_fire_and_add_nothing(tmp_path):
    from safetensors.numpy import load_file, save_file

    shutil.copytree(FIXTURES / "sparsify/topk", tmp_path / "sae")
    path = tmp_path / "sae/sae.safetensors"
    tensors = load_file(path)
    tensors["W_dec"] = tensors["W_dec"].copy()
    tensors["W_dec"][3] = 0
    save_file(tensors, path)
    sae = read_sae(tmp_path / "sae")
    x = np.load(FIXTURES / "sparsify/topk/expected.npz")
    codes = sae.encode(x["inputs"])
    assert np.array_equal(codes.matrix.toarray() > 0, x["activations"] > 0)
    assert not sae.decoder_weights[3].any()


def _copy(name, tmp_path, **changes):
    folder = tmp_path / name.split("/")[1]
    shutil.copytree(FIXTURES / name, folder)
    path = next(path for path in (folder / "cfg.json", folder / "config.json") if path.is_file())
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("saelens/topk", {"k": 0}, "should give k as a whole number of 1 or more, got 0"),
        ("saelens/topk", {"k": 400}, "keeps 1 to 16 of them, got k = 400"),
        ("saelens/topk", {"k": [3]}, "should give k as a whole number"),
        ("saelens/topk", {"normalize_activations": "layer_norm"}, "normalises its inputs by 'layer_norm'"),
        ("saelens/topk", {"normalize_activations": {"a": 1}}, "normalises its inputs by"),
        ("saelens/topk", {"reshape_activations": "hook_z"}, "takes attention heads, not embeddings"),
        ("saelens/topk", {"architecture": "temporal"}, "the architecture 'temporal'"),
        ("saelens/topk", {"activation_fn": ["relu"]}, "the architecture"),
        ("saelens/matryoshka_state", {"matryoshka_widths": [4, 99]}, "Matryoshka widths other than"),
        ("saelens/jumprelu", {"architecture": "batchtopk"}, "lacks topk_threshold"),
        ("saelens/standard", {"architecture": "jumprelu"}, "lacks threshold"),
        ("sparsify/topk", {"k": None}, "should give k as a whole number"),
        ("sparsify/topk", {"signed": True}, "may be negative"),
        ("sparsify/topk", {"sae_type": ["topk"]}, "of latentsae's"),
        ("latentsae/topk", {"mean_center": True}, "hold no input_mean of 8 numbers"),
        ("latentsae/matryoshka", {"matryoshka_sizes": "4,x"}, "as numbers separated by commas"),
        ("latentsae/topk", {"sae_type": "jumprelu"}, "hold no log_threshold"),
        ("dictionary_learning/AutoEncoderTopK", {"trainer": 3}, "the dictionary class None"),
        ("dictionary_learning/AutoEncoderTopK", {"trainer": {"dict_class": ["a"]}}, "the dictionary class"),
        (
            "dictionary_learning/AutoEncoder",
            {"trainer": {"dict_class": "BatchTopKSAE", "k": 3}},
            "lacks b_dec",
        ),
    ],
)
def test_refuses_configs_that_lie(name, changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_sae(_copy(name, tmp_path, **changes))


def test_refuses_folders_without_an_sae(tmp_path):
    with pytest.raises(InputError, match="There is no folder nowhere"):
        read_sae(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no sparse autoencoder that can be read"):
        read_sae(tmp_path)


def _spoil(tmp_path, name, change):
    from safetensors.numpy import load_file, save_file

    folder = _copy(name, tmp_path)
    path = next(folder.glob("*.safetensors"))
    tensors = {key: array.copy() for key, array in load_file(path).items()}
    change(tensors)
    save_file(tensors, path)
    return folder


def test_refuses_weights_that_do_not_fit(tmp_path):
    def nan(tensors):
        tensors["W_enc"][0, 0] = np.nan

    def narrow(tensors):
        tensors["W_dec"] = np.ascontiguousarray(tensors["W_dec"][:, :4])

    def none(tensors):
        del tensors["b_dec"]

    for number, (change, message) in enumerate(
        ((nan, "NaN or infinite numbers in W_enc"), (narrow, r"a decoder of shape \(16, 4\)"), (none, "lacks b_dec"))
    ):
        with pytest.raises(InputError, match=message):
            read_sae(_spoil(tmp_path / str(number), "saelens/topk", change))


def test_refuses_cut_and_oversized_files(tmp_path, monkeypatch):
    folder = _copy("saelens/topk", tmp_path)
    whole = (folder / "sae_weights.safetensors").read_bytes()
    (folder / "sae_weights.safetensors").write_bytes(whole[:-8])
    with pytest.raises(InputError, match="is cut or damaged"):
        read_sae(folder)
    monkeypatch.setattr("lib.sae.formats.weights.free_memory", lambda: 1_000)
    save(random_sae(), tmp_path / "own")
    names = ("saelens/topk", "dictionary_learning/AutoEncoderTopK")
    for place in (*(FIXTURES / name for name in names), tmp_path / "own"):
        with pytest.raises(InputError, match="of memory to read, but only"):
            read_sae(place)


class _Bomb:
    def __reduce__(self):
        return (print, ("run",))


def test_never_runs_what_a_pickle_holds(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    for number, content in enumerate(({"bias": _Bomb()}, {"bias": [1.0]}, [torch.zeros(2)])):
        folder = _copy("dictionary_learning/AutoEncoder", tmp_path / str(number))
        torch.save(content, folder / "ae.pt")
        with pytest.raises(InputError, match=r"nothing of it was run|should hold a state dictionary"):
            read_sae(folder)
    assert capsys.readouterr().out == ""


def test_refuses_archives_that_are_none(tmp_path):
    torch = pytest.importorskip("torch")
    folder = _copy("dictionary_learning/AutoEncoder", tmp_path)
    (folder / "ae.pt").write_bytes(b"\x80\x02not an archive")
    with pytest.raises(InputError, match=r"no archive that torch\.save writes"):
        read_sae(folder)
    torch.save({"bias": torch.zeros(1).expand(1_000_000)}, folder / "ae.pt")
    with pytest.raises(InputError, match="in a way that no training writes"):
        read_sae(folder)
