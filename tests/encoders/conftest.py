"""Tiny random checkpoints with the real architectures and the real config files, and pooling done by hand."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest

from lib.encoders import Encoder, Policy, open_encoder

TEXTS = [
    "the patient was given two doses of aspirin",
    "contract",
    "",
    "interest rates fell and the bank raised its forecast for the coming year once more",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "contract",
]
"""Short, empty, repeated, and one that every tiny encoder cuts at its 24 tokens."""
MAX_TOKENS = 24


@dataclass(frozen=True)
class Tiny:
    """What distinguishes one family's checkpoint from another's."""

    model: str
    """Class in transformers."""
    config: dict[str, Any]
    """Sizes that its config class takes."""
    tokenizer: str
    """"wordpiece", "unigram" or "bytes"."""
    pooling: str
    normalise: bool = True
    dense: int | None = None
    prompts: tuple[str, str] = ("", "")
    """What its config_sentence_transformers.json says; ("", "") for no word on it."""
    include_prompt: bool = True
    newer_files: bool = False
    """Whether the files are spelt as newer versions of sentence-transformers do."""


_BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
_BERT_LIKE = {**_BERT, "max_position_embeddings": 40}
_XLMR = {**_BERT, "max_position_embeddings": 42, "pad_token_id": 1, "type_vocab_size": 1}
_T5 = {"d_model": 32, "num_layers": 2, "num_heads": 4, "d_kv": 8, "d_ff": 64, "feed_forward_proj": "gated-gelu"}
_QWEN = {**_BERT, "num_key_value_heads": 2, "max_position_embeddings": 128, "is_causal": False}

TINY: dict[str, Tiny] = {
    "bge": Tiny("BertModel", _BERT_LIKE, "wordpiece", "cls"),
    "minilm": Tiny("BertModel", _BERT_LIKE, "wordpiece", "mean"),
    "e5": Tiny("BertModel", _BERT_LIKE, "wordpiece", "mean", prompts=("query: ", "passage: ")),
    "gte": Tiny("BertModel", _BERT_LIKE, "wordpiece", "mean", newer_files=True),
    "bge-m3": Tiny("XLMRobertaModel", _XLMR, "unigram", "cls"),
    "multilingual-e5": Tiny("XLMRobertaModel", _XLMR, "unigram", "mean", prompts=("query: ", "passage: ")),
    "mpnet": Tiny("MPNetModel", {**_BERT, "max_position_embeddings": 42, "pad_token_id": 1}, "unigram", "mean"),
    "nomic": Tiny(
        "NomicBertModel",
        {**_BERT, "max_position_embeddings": 64},
        "wordpiece",
        "mean",
        normalise=False,
        prompts=("search_query: ", "search_document: "),
    ),
    "gte-new": Tiny("GteModel", {**_BERT, "max_position_embeddings": 64}, "wordpiece", "cls", newer_files=True),
    "jina-v3": Tiny(
        "JinaEmbeddingsV3Model",
        {**_BERT, "max_position_embeddings": 64, "pad_token_id": 1, "type_vocab_size": 1},
        "unigram",
        "mean",
        prompts=("Represent the query for retrieval: ", "Represent the document for retrieval: "),
    ),
    "gte-qwen2": Tiny("Qwen2Model", _QWEN, "bytes", "lasttoken", prompts=("Instruct:\nQ: ", "")),
    "instructor": Tiny(
        "T5EncoderModel",
        _T5,
        "t5",
        "mean",
        dense=16,
        prompts=("Represent the question: ", "Represent the document: "),
        include_prompt=False,
    ),
    "weighted": Tiny("BertModel", _BERT_LIKE, "wordpiece", "weightedmean", normalise=False),
    "max": Tiny("BertModel", _BERT_LIKE, "wordpiece", "max", normalise=False),
    "root-length": Tiny("BertModel", _BERT_LIKE, "wordpiece", "mean_sqrt_len_tokens", normalise=False),
}

_WORDS = sorted({word for text in TEXTS for word in text.split()} | set("abcdefghijklmnopqrstuvwxyz:"))
_PROMPT_WORDS = ["query", "passage", "search", "_", "document", "represent", "question", "retrieval", "instruct"]


@pytest.fixture(scope="session")
def build(tmp_path_factory) -> Callable[..., Path]:
    """Write the tiny checkpoint of a family and give its folder; `plain` leaves out sentence-transformers' files."""

    def write(family: str, *, plain: bool = False, seed: int = 0, folder: Path | None = None) -> Path:
        folder = folder or tmp_path_factory.mktemp(family)
        write_checkpoint(TINY[family], folder, plain=plain, seed=seed)
        return folder

    return write


@pytest.fixture(scope="session")
def open_tiny(build) -> Callable[..., Encoder]:
    """Open the tiny checkpoint of a family, or one in a folder."""

    def opened(family: str | Path, **options) -> Encoder:
        folder = build(family) if isinstance(family, str) else family
        return open_encoder(str(folder), policy=Policy(model_roots=(folder,)), **options)

    return opened


@pytest.fixture(scope="session")
def tiny() -> dict[str, Tiny]:
    """All families."""
    return TINY


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Texts that every tiny encoder takes."""
    return list(TEXTS)


@pytest.fixture(scope="session")
def by_hand() -> Callable[..., np.ndarray]:
    """Vectors computed text by text from the last hidden states, without sentence-transformers."""
    return vectors_by_hand


@pytest.fixture(scope="session")
def packaged() -> Encoder:
    """The packaged encoder, opened once."""
    from lib.encoders import PACKAGED

    return open_encoder(PACKAGED, policy=Policy())


def write_checkpoint(tiny: Tiny, folder: Path, *, plain: bool, seed: int) -> None:
    """Save model and tokenizer, and around them what sentence-transformers would save."""
    import torch
    import transformers

    tokenizer = make_tokenizer(tiny.tokenizer)
    model_class = getattr(transformers, tiny.model)
    torch.manual_seed(seed)
    model = model_class(model_class.config_class(vocab_size=len(tokenizer), **tiny.config)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # weights wide enough that texts differ
            scale = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_(torch.randn_like(parameter) * (0.1 if parameter.ndim == 1 else 0.3) + float(scale))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if plain:
        return
    package = (
        "sentence_transformers.sentence_transformer.modules" if tiny.newer_files else "sentence_transformers.models"
    )
    kinds = ["Transformer", "Pooling", *(["Dense"] if tiny.dense else []), *(["Normalize"] if tiny.normalise else [])]
    paths = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds) if number)]
    entries = [
        {"idx": number, "name": str(number), "path": path, "type": f"{package}.{kind}"}
        for number, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    if tiny.newer_files:
        entries[0]["type"] = "sentence_transformers.base.modules.transformer.Transformer"
    dump(folder / "modules.json", entries)
    dump(folder / "sentence_bert_config.json", {"max_seq_length": MAX_TOKENS, "do_lower_case": False})
    if any(tiny.prompts):
        prompts = dict(zip(("query", "passage"), tiny.prompts, strict=True))
        dump(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    dump(folder / "1_Pooling" / "config.json", pooling_config(tiny, model.config.hidden_size))
    if tiny.dense:
        from safetensors.torch import save_file

        identity = "torch.nn.modules.linear.Identity"
        sizes = {"in_features": 32, "out_features": tiny.dense, "bias": False, "activation_function": identity}
        dump(folder / "2_Dense" / "config.json", sizes)
        save_file({"linear.weight": torch.randn(tiny.dense, 32)}, folder / "2_Dense" / "model.safetensors")


def pooling_config(tiny: Tiny, hidden: int) -> dict[str, Any]:
    """`1_Pooling/config.json` in one of its two spellings."""
    if tiny.newer_files:
        return {"embedding_dimension": hidden, "pooling_mode": tiny.pooling, "include_prompt": tiny.include_prompt}
    switches = {
        "cls": "cls_token",
        "mean": "mean_tokens",
        "max": "max_tokens",
        "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
        "weightedmean": "weightedmean_tokens",
        "lasttoken": "lasttoken",
    }
    config = {f"pooling_mode_{switch}": way == tiny.pooling for way, switch in switches.items()}
    return {"word_embedding_dimension": hidden, **config, "include_prompt": tiny.include_prompt}


def make_tokenizer(kind: str) -> Any:
    """A tokenizer with a small vocabulary and the special tokens of its family."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = [*_WORDS, *_PROMPT_WORDS]
    letters = [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    if kind == "wordpiece":
        specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        vocabulary = {token: i for i, token in enumerate(dict.fromkeys([*specials, *words, *letters]))}
        tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
        inputs = ["input_ids", "token_type_ids", "attention_mask"]
    elif kind == "bytes":
        tokenizer = Tokenizer(models.BPE({symbol: i for i, symbol in enumerate(_byte_alphabet())}, []))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(["<|endoftext|>"])
        end = tokenizer.token_to_id("<|endoftext|>")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
        )
        names = {"pad": "<|endoftext|>", "eos": "<|endoftext|>"}
        inputs = ["input_ids", "attention_mask"]
    else:
        specials = ["<pad>", "</s>", "<unk>"] if kind == "t5" else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        pieces = dict.fromkeys([*specials, *(f"▁{word}" for word in words), "▁", *"abcdefghijklmnopqrstuvwxyz:"])
        unknown = specials.index("<unk>")
        tokenizer = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces)], unknown))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        end = specials.index("</s>")
        single = "$A </s>" if kind == "t5" else "<s> $A </s>"
        tokenizer.post_processor = processors.TemplateProcessing(
            single=single, special_tokens=[("</s>", end), *([] if kind == "t5" else [("<s>", 0)])]
        )
        names = {"pad": "<pad>", "unk": "<unk>", "eos": "</s>"}
        names |= {} if kind == "t5" else {"cls": "<s>", "bos": "<s>", "sep": "</s>", "mask": "<mask>"}
        inputs = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=inputs,
        model_max_length=40,
        **{f"{name}_token": token for name, token in names.items()},
    )


def vectors_by_hand(
    folder: Path, tiny: Tiny, texts: list[str], prompt: str = "", *, max_tokens: int = MAX_TOKENS
) -> np.ndarray:
    """Each text alone through the transformer, then pooled, projected and normalised with numpy."""
    import torch
    import transformers
    from safetensors.numpy import load_file

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = getattr(transformers, tiny.model).from_pretrained(folder).eval()
    prompt_ids = tokenizer(prompt)["input_ids"] if prompt else []
    skipped = len(prompt_ids) - (bool(prompt_ids) and prompt_ids[-1] in tokenizer.all_special_ids)
    vectors = []
    for text in texts:
        inputs = tokenizer(prompt + text, truncation=True, max_length=max_tokens, return_tensors="pt")
        with torch.inference_mode():
            states = model(**inputs).last_hidden_state[0].double().numpy()  # (t, d)
        vectors.append(pool(states[0 if tiny.include_prompt else skipped :], tiny.pooling))
    out = np.array(vectors)
    if tiny.dense:
        out = out @ load_file(folder / "2_Dense" / "model.safetensors")["linear.weight"].T.astype(float)
    return out / np.linalg.norm(out, axis=1, keepdims=True) if tiny.normalise else out


def pool(states: np.ndarray, way: str) -> np.ndarray:
    """Token states, shape (t, d), to one vector, shape (d,)."""
    places = np.arange(1, len(states) + 1)[:, None]
    return {
        "cls": lambda: states[0],
        "mean": lambda: states.mean(axis=0),
        "max": lambda: states.max(axis=0),
        "mean_sqrt_len_tokens": lambda: states.sum(axis=0) / np.sqrt(len(states)),
        "weightedmean": lambda: (states * places).sum(axis=0) / places.sum(),
        "lasttoken": lambda: states[-1],
    }[way]()


def dump(path: Path, content: Any) -> None:
    """Write JSON, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2))


@pytest.fixture(scope="session")
def write_json() -> Callable[[Path, Any], None]:
    """Write JSON, making the folder."""
    return dump


def _byte_alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())
