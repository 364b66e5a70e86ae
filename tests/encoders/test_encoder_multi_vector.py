"""Late-interaction checkpoints: tiny random ones that the library itself writes, and what is refused."""

import json
import shutil

import numpy as np
import pytest

from lib.encoders import Policy, describe_multi_vector, open_multi_vector
from lib.encoders.prompts import Role
from lib.errors import InputError, Stopped
from tests.toy_colbert import write_colbert

TEXTS = ["the patient was given aspirin", "contract", "", "interest rates fell, and the bank raised its forecast"]


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Write a tiny checkpoint in sentence-transformers' layout and give its folder."""
    return lambda **options: write_colbert(tmp_path_factory.mktemp("late") / "colbert", **options)


@pytest.fixture(scope="module")
def folder(write):
    return write()


def opened(folder):
    return open_multi_vector(str(folder), policy=Policy(model_roots=(folder,)))


def states(encoder, texts, role: Role, **options):
    found = {}
    for batch in encoder.token_states(texts, role=role, **options):
        found.update(zip(batch.rows.tolist(), batch.texts, strict=True))
    return [found[row] for row in range(len(texts))]


def reference(folder):
    from sentence_transformers.multi_vector_encoder import MultiVectorEncoder

    return MultiVectorEncoder(str(folder), device="cpu", local_files_only=True)


@pytest.mark.parametrize("options", [{}, {"skip": False}, {"expand": False}, {"prompts": ("", "")}])
def test_it_gives_what_the_library_gives(write, options):
    folder = write(**options)
    encoder, library = opened(folder), reference(folder)
    for role, encode in (("query", library.encode_query), ("document", library.encode_document)):
        expected = encode(TEXTS, convert_to_numpy=True)
        for found, wanted in zip(states(encoder, TEXTS, role), expected, strict=True):
            assert found.vectors.shape == wanted.shape == (len(found.tokens), 8)
            assert np.allclose(found.vectors, wanted, atol=1e-5)
            assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


def test_markers_expansion_and_skipped_words(folder):
    encoder = opened(folder)
    query = states(encoder, ["the contract"], "query")[0]
    assert len(query.tokens) == 14
    assert query.tokens[-3:] == ("[MASK]",) * 3
    assert [token for token, own in zip(query.tokens, query.own, strict=True) if own] == ["the", "contract"]
    document = states(encoder, ["the contract"], "document")[0]
    assert "the" not in document.tokens  # skipped in documents alone
    assert [token for token, own in zip(document.tokens, document.own, strict=True) if own] == ["contract"]


def test_batches_and_repetition_change_nothing(folder):
    encoder = opened(folder)
    alone = [states(encoder, [text], "document")[0] for text in TEXTS]
    for batch_tokens in (1, 10_000):
        for found, wanted in zip(
            states(encoder, TEXTS + TEXTS, "document", batch_tokens=batch_tokens), alone + alone, strict=True
        ):
            assert found.tokens == wanted.tokens
            assert np.allclose(found.vectors, wanted.vectors, atol=1e-5)


def test_cut_texts_are_told(folder):
    long = "contract " * 30
    made = states(opened(folder), [long, "contract"], "document")
    assert [found.truncated for found in made] == [True, False]
    assert len(made[0].tokens) == 20  # document_length, markers included
    assert [found.truncated for found in states(opened(folder), [long, "contract"], "query")] == [True, False]


def test_it_is_described_without_torch(folder):
    told = describe_multi_vector(str(folder), policy=Policy(model_roots=(folder,)))
    assert (told.architecture, told.dimensions) == ("bert", 8)
    assert [entry.kind for entry in told.modules] == ["Transformer", "Dense", "MultiVectorMask", "Normalize"]
    assert told.parameters > 32 * 8


def test_the_skiplist_and_the_prompts_count_for_the_fingerprint(folder, write):
    def content(of):
        return describe_multi_vector(str(of), policy=Policy(model_roots=(of,))).content

    assert content(folder) == content(write())
    assert len({content(folder), content(write(skip=False)), content(write(prompts=("", "")))}) == 3


@pytest.fixture
def changed(folder, tmp_path):
    """A copy of the checkpoint with one JSON file changed; gives what opening it says."""

    def change(name, edit):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        path = copy / name
        content = json.loads(path.read_text())
        edited = edit(content)
        path.write_text(json.dumps(content if edited is None else edited))
        with pytest.raises(InputError) as refused:
            opened(copy)
        return str(refused.value)

    return change


def test_pylate_layout(folder, tmp_path):
    """PyLate lists the transformer and its own dense layer; masking and normalising are added by the library."""
    copy = tmp_path / "pylate"
    shutil.copytree(folder, copy)
    modules = json.loads((copy / "modules.json").read_text())[:2]
    modules[1]["type"] = "pylate.models.Dense.Dense"
    (copy / "modules.json").write_text(json.dumps(modules))
    settings = {"model_type": "ColBERT", "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 14,
                "attend_to_expansion_tokens": False, "skiplist_words": ["the"]}  # fmt: skip
    (copy / "config_sentence_transformers.json").write_text(json.dumps(settings))
    encoder, library = opened(copy), reference(copy)
    for role, encode in (("query", library.encode_query), ("document", library.encode_document)):
        for found, wanted in zip(states(encoder, TEXTS, role), encode(TEXTS, convert_to_numpy=True), strict=True):
            assert np.allclose(found.vectors, wanted, atol=1e-5)


@pytest.fixture
def stanford(build, tmp_path):
    """A tiny checkpoint in the layout of Stanford's ColBERT: one file with the transformer and `linear.weight`."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = build("minilm", plain=True, folder=tmp_path / "stanford")
    weights = {f"bert.{key}": value for key, value in load_file(folder / "model.safetensors").items()}
    torch.manual_seed(2)
    weights["linear.weight"] = torch.randn(8, 32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["HF_ColBERT"]}))
    metadata = {"query_maxlen": 12, "doc_maxlen": 20, "mask_punctuation": True, "attend_to_mask_tokens": False}
    (folder / "artifact.metadata").write_text(json.dumps(metadata))
    return folder


def test_stanford_layout(stanford):
    encoder, library = opened(stanford), reference(stanford)
    assert encoder.checkpoint.dimensions == 8
    for role, encode in (("query", library.encode_query), ("document", library.encode_document)):
        for found, wanted in zip(states(encoder, TEXTS, role), encode(TEXTS, convert_to_numpy=True), strict=True):
            assert np.allclose(found.vectors, wanted, atol=1e-5)


def test_stanford_layout_without_a_part_is_refused(stanford):
    from safetensors.torch import load_file, save_file

    weights = load_file(stanford / "model.safetensors")
    kept = {key: value for key, value in weights.items() if "layer.1.attention" not in key}
    save_file(kept, stanford / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="of the weights that its transformer has"):
        opened(stanford)


def test_a_single_vector_encoder_is_refused(build, open_tiny):
    folder = build("minilm")
    with pytest.raises(InputError, match="gives one vector for a text"):
        opened(folder)
    with pytest.raises(InputError, match="gives one vector for a text"):
        opened(build("minilm", plain=True))


def test_pickled_weights_are_refused(folder, tmp_path):
    import torch
    from safetensors.torch import load_file

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    torch.save(load_file(copy / "1_Dense" / "model.safetensors"), copy / "1_Dense" / "pytorch_model.bin")
    (copy / "1_Dense" / "model.safetensors").unlink()
    with pytest.raises(InputError, match="only safetensors are read"):
        opened(copy)


def test_code_of_its_own_is_refused(changed):
    def foreign(modules):
        modules[1]["type"] = "modeling.Dense"

    assert "Python code that comes with it" in changed("modules.json", foreign)


@pytest.mark.parametrize("below", ["", "1_Dense"])
def test_an_adapter_is_not_applied_unasked(folder, tmp_path, below):
    """Its base could lie anywhere on the machine."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / below / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/etc"}))
    with pytest.raises(InputError, match="keeps a LoRA adapter among its weights"):
        opened(copy)


def test_modules_that_are_not_known_are_refused(changed):
    def pooled(modules):
        modules[1]["type"] = "sentence_transformers.multi_vector_encoder.modules.HierarchicalTokenPooling"

    assert "has a HierarchicalTokenPooling module, which is not supported" in changed("modules.json", pooled)


def test_settings_that_do_not_fit_are_refused(changed):
    def short(settings):
        settings["query_expansion"] = {"strategy": "fixed"}

    assert "its files do not fit together" in changed("sentence_bert_config.json", short)


def test_it_must_lie_below_an_allowed_root(folder):
    with pytest.raises(InputError, match="no folder may be opened here"):
        open_multi_vector(str(folder), policy=Policy(allow_hub=False))
    with pytest.raises(InputError, match="choose a folder with a ColBERT checkpoint"):
        open_multi_vector("owner/colbert", policy=Policy(allow_hub=False))
    with pytest.raises(InputError, match="No checkpoint of late interaction was named"):
        open_multi_vector(" ", policy=Policy())


def test_stop_and_roles(folder):
    encoder = opened(folder)
    with pytest.raises(Stopped):
        list(encoder.token_states(TEXTS, should_stop=lambda: True))
    with pytest.raises(InputError, match="not as 'title'"):
        encoder.token_states(TEXTS, role="title")
