"""A tiny encoder to train, and pairs of texts that it can learn in a few steps."""

import numpy as np

from lib.corpora import QuerySet
from lib.finetune.data import Examples

WORDS = [f"{sound}{number}" for sound in ("ba", "ke", "mi", "po", "su", "ta") for number in range(10)]
"""All that its tokenizer knows."""


def tiny_model(folder, *, dimensions: int = 16, dropout: float = 0.0, seed: int = 0):
    """A random BERT of 2 layers whose words are `WORDS`, mean pooling; its transformer's files lie in `folder`."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {word: row for row, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    inputs = ["input_ids", "attention_mask"]
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **names).save_pretrained(folder)
    torch.manual_seed(seed)
    BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=dimensions,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=2 * dimensions,
            max_position_embeddings=32,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            initializer_range=0.3,
        )
    ).save_pretrained(folder)
    transformer = Transformer(str(folder))
    return SentenceTransformer(modules=[transformer, Pooling(dimensions, pooling_mode="mean")], device="cpu")


def toy_examples(n: int = 12, *, negatives: int = 0, seed: int = 0) -> Examples:
    """n pairs of random words, each with its own; negatives are the positives of others."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, 4, replace=False)) for _ in range(2 * n)]
    anchors, positives = tuple(texts[:n]), tuple(texts[n:])
    others = tuple(tuple(positives[(row + 1 + k) % n] for k in range(negatives)) for row in range(n))
    return Examples("toy", anchors, positives, others, np.arange(n))


def toy_queries(
    judged: list[tuple[int, int, int]], *, queries: list[str] | int, documents: list[str] | int
) -> QuerySet:
    """A query set of (query, document, grade) judgements."""
    asked = [f"query {row}" for row in range(queries)] if isinstance(queries, int) else queries
    found = [f"document {row}" for row in range(documents)] if isinstance(documents, int) else documents
    columns = np.array(sorted(judged), dtype=np.int64).reshape(-1, 3).T
    return QuerySet(
        name="toy",
        queries=tuple(asked),
        query_ids=tuple(f"q{row}" for row in range(len(asked))),
        documents=tuple(found),
        document_ids=tuple(f"d{row}" for row in range(len(found))),
        judged_query=columns[0],
        judged_document=columns[1],
        relevance=columns[2],
    )
