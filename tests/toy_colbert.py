"""Tiny random checkpoints: one of late interaction, written by the library itself, and a static encoder."""

import json
from pathlib import Path

import numpy as np

WORDS = ["the", "contract", "patient", "was", "given", "aspirin", "interest", "rates", "fell", "bank", ",", "?"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz0123456789")
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write_colbert(
    folder: Path, *, skip: bool = True, expand: bool = True, prompts: tuple[str, str] = ("[Q] ", "[D] ")
) -> Path:
    """BERT of two layers, 8 dimensions a token; queries of 14 tokens with [MASK], documents of 20, "the" skipped."""
    import torch
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder import MultiVectorEncoder
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    expansion = {"strategy": "fixed", "attend": False, "length": 14} if expand else None
    base = _write_bert(folder.parent / f"{folder.name}-base")
    first = Transformer(str(base), max_seq_length=24, query_expansion=expansion, document_length=20)
    torch.manual_seed(1)
    dense = Dense(32, 8, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    mask = MultiVectorMask(skiplist_words=["the"] if skip else None)
    model = MultiVectorEncoder(
        modules=[first, dense, mask, Normalize(module_input_name="token_embeddings")],
        prompts=dict(zip(("query", "document"), prompts, strict=True)),
        device="cpu",
    )
    model.save_pretrained(str(folder))
    return folder


def write_static(folder: Path) -> Path:
    """A static encoder of 16 dimensions, without a maximum length."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    folder.mkdir()
    tokenizer = _tokenizer()
    weights = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 16)).astype(np.float32)
    StaticEmbedding(tokenizer, embedding_weights=weights).save(str(folder))
    kind = "sentence_transformers.models.StaticEmbedding"
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    return folder


def _write_bert(folder: Path) -> Path:
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(), model_max_length=40, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=40, **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = [*SPECIALS, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    made = Tokenizer(models.WordPiece({word: i for i, word in enumerate(dict.fromkeys(words))}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made
