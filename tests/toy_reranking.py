"""A toy task that word counts cannot solve, and a tiny cross-encoder that learns it in seconds.

A query asks for a colour and excludes a shape: "red but not square". The document that shares the most words with it,
"a red square", is the one that is wrong. The judgements of some queries are held out of training.
"""

from functools import cache
from pathlib import Path

import numpy as np

from lib.corpora import QuerySet
from lib.retrieval import Run, search

COLOURS = ["red", "blue", "green", "black", "white"]
SHAPES = ["square", "circle", "star", "cross", "ring"]
FILLERS = ["a", "the", "big"]
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*COLOURS, *SHAPES, *FILLERS, "but", "not"]
MAX_TOKENS = 24
_RATE, _EPOCHS, _BATCH = 4e-3, 50, 50


def toy_set() -> QuerySet:
    """25 queries over 50 documents; the right ones have the colour and another shape."""
    asked = [(colour, shape) for colour in COLOURS for shape in SHAPES]
    shown = [pair for pair in asked for _ in range(2)]
    documents = tuple(
        f"{FILLERS[i % 2]} {'big ' if i % 3 else ''}{colour} {shape}" for i, (colour, shape) in enumerate(shown)
    )
    judged = np.array(
        [
            (q, d, 1)
            for q, (colour, shape) in enumerate(asked)
            for d, (other, drawn) in enumerate(shown)
            if other == colour and drawn != shape
        ],
        dtype=np.int64,
    )
    return QuerySet(
        "toy", tuple(f"{colour} but not {shape}" for colour, shape in asked), tuple(f"q{i}" for i in range(len(asked))),
        documents, tuple(f"d{i}" for i in range(len(shown))), *judged.T.copy(),
    )  # fmt: skip


def held_out() -> np.ndarray:
    """Rows of the queries that the cross-encoder never sees in training: each colour and each shape once."""
    return np.array([5 * i + (i + 2) % 5 for i in range(5)])


def word_counts(texts) -> np.ndarray:
    """How often each text has each word, shape (n, words)."""
    return np.array([[text.split().count(word) for word in WORDS] for text in texts], dtype=np.float32)


def words_run(queries: QuerySet, k: int = 50) -> Run:
    """What cosine between word counts finds."""
    asked, read = word_counts(queries.queries), word_counts(queries.documents)
    return search(asked, read, k, tie_order=queries.tie_order, system="words")


def toy_space():
    """The toy set as the page has it, with word counts for vectors."""
    from lib.encoders import PACKAGED, Policy, describe
    from lib.ui.query_space import QuerySpace

    queries = toy_set()
    asked, read = word_counts(queries.queries), word_counts(queries.documents)
    return QuerySpace(queries, describe(PACKAGED, policy=Policy()), "float32", asked, read, f"toy/{queries.key}", 0, 0)


def tokenizer():
    """WordPiece over the words, with the template of a pair."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate([*SPECIALS, *WORDS])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=MAX_TOKENS,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )


def blank(*, labels: int = 1, **config):
    """A random cross-encoder of two layers."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=len(SPECIALS) + len(WORDS), max_position_embeddings=MAX_TOKENS, num_labels=labels,
            **sizes, **config,
        )
    )  # fmt: skip


def save(model, folder: Path, *, plain: bool = False) -> Path:
    """The folder that sentence-transformers (or transformers, if `plain`) makes of a model."""
    from sentence_transformers import CrossEncoder

    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    if not plain:
        CrossEncoder(str(folder), device="cpu", local_files_only=True).save_pretrained(str(folder))
    return folder


@cache
def trained():
    """The tiny cross-encoder after some seconds of training on the queries that are not held out."""
    import torch

    inputs, target = _lessons()
    model = blank(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train()
    _look_for_equal_words(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, betas=(0.9, 0.98))
    steps = _EPOCHS * -(-len(target) // _BATCH)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.15)
    order, threads = torch.Generator().manual_seed(0), torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other at this size
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(target), generator=order).split(_BATCH):
            optimiser.zero_grad()
            logits = model(**{name: tensor[rows] for name, tensor in inputs.items()}).logits[:, 0]
            torch.nn.functional.binary_cross_entropy_with_logits(logits, target[rows]).backward()
            optimiser.step()
            rate.step()
    torch.set_num_threads(threads)
    return model.eval()


def _look_for_equal_words(model):
    """Begin with words that differ and a first layer that looks from each word to its like: it learns in few steps."""
    import torch

    table, attention = model.bert.embeddings, model.bert.encoder.layer[0].attention.self
    with torch.no_grad():
        table.word_embeddings.weight.mul_(10)
        table.token_type_embeddings.weight.mul_(10)
        for side in (attention.query, attention.key):
            side.weight.copy_(2 * torch.eye(len(side.weight)))


def _lessons():
    """Pairs of the queries that are not held out: all right ones, as many of the wrong shape, some of other colours."""
    import torch

    queries, rng, pairs = toy_set(), np.random.default_rng(0), []
    relevant = set(zip(queries.judged_query.tolist(), queries.judged_document.tolist(), strict=True))
    for q in sorted({*range(25)} - {*held_out().tolist()}):
        colour = queries.queries[q].split()[0]
        same = [d for d, text in enumerate(queries.documents) if colour in text]
        pairs += [(q, d) for d in same for _ in range(1 if (q, d) in relevant else 4)]
        pairs += [(q, int(d)) for d in rng.choice([d for d in range(50) if d not in same], 8, replace=False)]
    texts = ([queries.queries[q] for q, _ in pairs], [queries.documents[d] for _, d in pairs])
    inputs = tokenizer()(*texts, padding=True, truncation=True, return_tensors="pt")
    return inputs, torch.tensor([float(pair in relevant) for pair in pairs])
