"""What to begin with when an encoder is to be tuned: settings for so many pairs, how long they take, and how much room.

Rules of thumb, no laws. A few hundred pairs teach an encoder words, hardly a domain: 500 to 1,000 good ones are what
practice names as the least, 1,000 to 10,000 as enough. Adapters (LoRA) forget less than a full fine-tune and fit on a
laptop; hard negatives teach more than random ones as long as they are no unlabelled positives.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from lib.errors import InputError
from lib.finetune.training.settings import TrainingSettings
from lib.finetune.validation import MOST_DOCUMENTS, MOST_QUERIES
from lib.numerals import counted
from lib.results import Result

FEW = 500
"""Pairs below which a fine-tune learns a sketch, and more likely forgets than gains."""
ENOUGH = 1_000
"""Pairs from which on a gain can be hoped for."""
LEAST = 8
"""Pairs below which nothing is trained."""
_BATCHES = (4, 32)
_BATCHES_A_PASS = 10
_STEPS = 60  # to be aimed at where there are few pairs
_PASSES = (1, 5)
_HELD_OUT = ((1_000, 0.2), (math.inf, 0.1))  # below so many queries: their share
_TOKENS = 256
_MINED_FROM = 30  # documents, from which on the hardest of them is worth finding
_PATIENCE = 3
_CHARACTERS_A_TOKEN = 4.0  # of English, on the safe side
_MARKS = 2  # tokens at both ends of a text
_LENGTH = 0.9  # quantile of the lengths, to which a batch is padded
_WIDTHS = 12  # weights of a block, in squares of its width: 4 of attention, 8 of what follows
_PRODUCTS = {"lora": 4.0, "full": 6.0}  # operations a weight and token: forward 2, backward 2, of the weights 2
_BEFORE, _A_STEP, _SLOWER = 15.0, 0.05, 1.3  # seconds to load; seconds a step; times the dense product
_NUMBERS_KEPT = 3 * 3 + 1  # weights and both moments in three checkpoints, and the result
_BYTES = 4
_ADAPTED = 3  # query, key, value
_KEPT_A_DIMENSION, _KEPT_A_HEAD = 106, 18  # bytes, see `estimated_memory`
_A_HEAD = 32  # dimensions, where nobody says how many heads there are
_COPIES = {"lora": 1, "full": 4}  # of the weights: themselves, gradients, both moments
_LIBRARIES = 600_000_000  # bytes that torch and what goes with it take in a process of their own


@dataclass(frozen=True)
class Material(Result):
    """What there is to learn from, in numbers."""

    pairs: int
    """Pairs of an anchor and a positive."""
    queries: int
    """Different anchors."""
    documents: int
    """Different texts that are answers or negatives."""
    anchor_characters: float
    """Length of an anchor that nine of ten stay below."""
    document_characters: float
    """The same of a document."""
    negatives: int = 0
    """Negatives that each pair brings."""
    scored: bool = False
    """Whether pairs have a score instead of being all positive."""


@dataclass(frozen=True)
class Widths(Result):
    """What of an encoder its training's cost depends on."""

    dimensions: int
    """Of its states."""
    layers: int
    """Its blocks."""
    parameters: int
    """Numbers in its weights."""
    max_tokens: int | None
    """Tokens that it reads of a text; None for any number."""
    heads: int | None = None
    """Attention heads a block; None takes one for every 32 dimensions, which is many."""


def long_text(texts: Iterable[str]) -> float:
    """The number of characters that nine of ten of `texts` stay below; 0 without texts."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64)
    return float(np.quantile(lengths, _LENGTH)) if len(lengths) else 0.0


def suggested(encoder: str, material: Material, widths: Widths) -> TrainingSettings:
    """Settings to begin with: small batches and several passes where there are few pairs.

    Scored pairs take the cosine loss, others InfoNCE, with negatives mined by BM25 for pairs that bring none where
    there are documents to mine.
    """
    room = max(material.pairs // _BATCHES_A_PASS, 1)
    batch = min(max(2 ** int(math.log2(room)), _BATCHES[0]), _BATCHES[1])
    passes = min(max(math.ceil(_STEPS * batch / max(material.pairs, 1)), _PASSES[0]), _PASSES[1])
    longest = widths.max_tokens
    return TrainingSettings(
        encoder=encoder,
        loss="cosine" if material.scored else "infonce",
        batch=batch,
        epochs=float(passes),
        negatives="given" if material.scored or material.documents < _MINED_FROM else "bm25",
        validation=next(share for below, share in _HELD_OUT if material.queries < below),
        patience=_PATIENCE,
        max_tokens=_TOKENS if longest is None or longest > _TOKENS else None,
    )


def check_material(settings: TrainingSettings, material: Material) -> None:
    """Refuse pairs that the loss of `settings` cannot learn from, before anything is begun.

    Raises:
        InputError: too few pairs, or no negatives where the loss needs them.
    """
    if material.pairs < LEAST:
        raise InputError(
            f"{counted(material.pairs, 'pair')} {'is' if material.pairs == 1 else 'are'} too few to train on: bring "
            f"{LEAST} at least, {FEW:,} to {ENOUGH:,} to gain from it."
        )
    alone = not material.negatives and settings.negatives in ("none", "given")
    if settings.loss == "triplet" and alone:
        raise InputError(
            "The triplet loss needs a negative for each pair and none is given: have them mined by BM25 or by the "
            "encoder."
        )
    if settings.loss == "cosine" and alone and not material.scored:
        raise InputError(
            "The cosine loss needs pairs that do not belong together, or it draws all texts to one point: give a "
            "column of scores, or negatives, or have them mined."
        )
    if settings.in_batch and settings.batch > material.pairs:
        raise InputError(
            f"{settings.batch:,} pairs a step are more than the {material.pairs:,} that there are: choose fewer."
        )


def steps_of(settings: TrainingSettings, material: Material) -> int:
    """Steps that a training takes at most, 1 or more; triplets and scored pairs with negatives make several rows."""
    own = _negatives_of(settings, material)
    rows = {"triplet": max(own, 1), "cosine": 1 + own}.get(settings.loss, 1)
    learnt = material.pairs * (1 - settings.validation) * rows
    steps = max(math.ceil(math.ceil(learnt / settings.batch) * settings.epochs), 1)
    return min(steps, settings.max_steps or steps)


def estimated_seconds(settings: TrainingSettings, material: Material, widths: Widths, *, rate: float) -> float:
    """How long a training takes on a machine that does `rate` multiplications and additions a second in dense products.

    A step costs 4 (LoRA) or 6 (full) operations for each weight of the blocks and each token, padded texts counted with
    their padding, times 1.3; an evaluation 2 for all that it encodes; before the first step libraries are loaded and
    negatives mined. Set so that two quiet cores, which do 1.2e11 a second, take 2.0 s a step, as measured there: LoRA,
    32 pairs of a short question and an answer of 128 tokens, 6 blocks of width 384. Good to a factor of two, and
    several times as long where others keep the cores busy.
    """
    anchor, document = (
        _tokens(length, settings, widths) for length in (material.anchor_characters, material.document_characters)
    )
    weights = _WIDTHS * widths.dimensions**2 * widths.layers
    steps = steps_of(settings, material)
    tokens = steps * settings.batch * (anchor + _documents_a_row(settings, material) * document)
    operations = _PRODUCTS[settings.method] * tokens
    asked, searched = min(material.queries * settings.validation, MOST_QUERIES), min(material.documents, MOST_DOCUMENTS)
    encoded = asked * anchor + searched * document
    evaluations = math.ceil(steps / settings.evaluation_steps(steps)) + 2 if settings.validation else 0
    operations += 2.0 * evaluations * encoded
    if settings.negatives == "encoder":
        operations += 2.0 * (material.queries * anchor + material.documents * document)
    return _BEFORE + _A_STEP * steps + _SLOWER * weights * operations / rate


def estimated_bytes(settings: TrainingSettings, material: Material, widths: Widths) -> float:
    """What a training takes on disk at most: texts, three checkpoints with their optimiser, and the result."""
    adapter = 2 * settings.rank * widths.dimensions * _ADAPTED * widths.layers
    trained = adapter if settings.method == "lora" else widths.parameters
    texts = material.queries * material.anchor_characters + material.documents * material.document_characters
    return _BYTES * _NUMBERS_KEPT * float(trained) + texts


def estimated_memory(settings: TrainingSettings, material: Material, widths: Widths) -> float:
    """Bytes of memory that a training takes beside the libraries: weights, and what a step keeps for its gradients.

    Of each token a block keeps 106 bytes a dimension, and 18 bytes a head for every token of the same text: measured in
    float32 on a processor, with texts of 64 and 256 tokens and 6 blocks of width 384. The cached loss keeps that of one
    small batch of texts at a time.
    """
    anchor, document = (
        _tokens(characters, settings, widths)
        for characters in (material.anchor_characters, material.document_characters)
    )
    heads = widths.heads or widths.dimensions // _A_HEAD
    kept_anchor, kept_document = (
        length * widths.layers * (_KEPT_A_DIMENSION * widths.dimensions + _KEPT_A_HEAD * heads * length)
        for length in (anchor, document)
    )
    if settings.loss == "cached infonce":
        activations = min(settings.mini_batch, settings.batch) * max(kept_anchor, kept_document)
    else:
        activations = settings.batch * (kept_anchor + _documents_a_row(settings, material) * kept_document)
    return _BYTES * _COPIES[settings.method] * widths.parameters + activations


def fitted(settings: TrainingSettings, material: Material, widths: Widths, *, free: float) -> TrainingSettings:
    """`settings` with fewer pairs a step where `free` bytes of memory do not hold as many; 4 at least."""
    while settings.batch >= 2 * _BATCHES[0] and _LIBRARIES + estimated_memory(settings, material, widths) > free:
        settings = replace(settings, batch=settings.batch // 2)
    return settings


def check_memory(settings: TrainingSettings, material: Material, widths: Widths, *, free: float, command: str) -> None:
    """Refuse a training that `free` bytes of memory do not hold; `command` does it elsewhere.

    Raises:
        InputError: they do not; with what to choose instead.
    """
    needed = _LIBRARIES + estimated_memory(settings, material, widths)
    if needed > free:
        raise InputError(
            f"A step of this takes about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free here now: "
            f"choose fewer pairs a step, fewer tokens or the cached loss, or train by `{command}` on a larger machine."
        )


def _negatives_of(settings: TrainingSettings, material: Material) -> int:
    """Negatives of each pair, at most."""
    if settings.negatives == "none":
        return 0
    return max(0 if settings.negatives == "given" else settings.negatives_each, material.negatives)


def _documents_a_row(settings: TrainingSettings, material: Material) -> int:
    """Texts beside the anchor in a row that is trained on."""
    return {"triplet": 2, "cosine": 1}.get(settings.loss, 1 + _negatives_of(settings, material))


def _tokens(characters: float, settings: TrainingSettings, widths: Widths) -> float:
    """Tokens of a text of so many characters, cut where it is cut."""
    most = min(settings.max_tokens or math.inf, widths.max_tokens or math.inf)
    return min(characters / _CHARACTERS_A_TOKEN + _MARKS, most)
