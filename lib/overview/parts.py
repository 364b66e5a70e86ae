"""The parts of an overview: what each computes from vectors, layers or queries, and what each lacks.

A part takes results that were made before, or makes them from arrays with the defaults of the pages, so that the page
behind each signal shows the same number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import Corpus, QuerySet
from lib.encoders import Checkpoint, Encoder, Precision
from lib.errors import InputError
from lib.geometry import (
    Anisotropy,
    Clusters,
    IntrinsicDimension,
    LabelFit,
    OodScores,
    Projection,
    anisotropy,
    intrinsic_dimension,
    label_fit,
    moments,
    neighbours,
    recommend,
    score,
)
from lib.kept import kept, kept_clusters, kept_projection
from lib.layers import (
    BuildUp,
    HeadEntropy,
    build_up_inputs,
    head_entropy,
    head_entropy_inputs,
    layer_build_up,
)
from lib.layers.states import why_no_layers
from lib.overview import depth, finding, space
from lib.overview.finding import Answers
from lib.overview.signals import NAMES, Name, Overview, Part, Signal, wanting
from lib.overview.space import FEWEST, Fence, fence
from lib.progress import Progress
from lib.retrieval import Bm25Index, Evaluation, QueryMetrics, evaluate, judged_scores, query_metrics
from lib.shelf import Shelf

SPACE: tuple[Name, ...] = ("map", "anisotropy", "dimension", "outliers")
LAYERS: tuple[Name, ...] = ("layers", "heads")
RETRIEVAL: tuple[Name, ...] = ("ranks", "hard_negatives")
K = 10
"""Neighbours looked at, as on the Geometry page."""
_MOST_TEXTS = 2_000
"""Texts that pass through the layers, as on the Layers page."""


@dataclass(frozen=True)
class SpaceResults:
    """What stands behind the signals of a space."""

    layout: Projection | None
    """The map; None where it was left out, since labels answer without it."""
    groups: Clusters | None
    """Clusters found without labels; None likewise."""
    anisotropy: Anisotropy
    """Mean cosine and its histogram."""
    dimension: IntrinsicDimension
    """How many dimensions are filled."""
    fence: Fence
    """Texts far out."""
    fit: LabelFit | None
    """How well labels fit; None with fewer than two."""


def too_few(texts: int) -> str | None:
    """Why a corpus of so many texts has no shape; None where it has one."""
    if texts >= FEWEST:
        return None
    return f"A space has a shape from {FEWEST} texts on; the corpus has {texts}: add texts."


def rule_of(corpus: Corpus) -> Any:
    """The out-of-distribution rule that suits a corpus."""
    return recommend(len(corpus), reference_labels=corpus.labels).rule


def measure_space(
    corpus: Corpus, vectors: NDArray[np.floating], shelf: Shelf, *, key: str, with_map: bool = True, seed: int = 0
) -> SpaceResults:
    """Measure the vectors (n, d) of a corpus; `key` is their content hash, `shelf` keeps the map and the clusters.

    The map and the clusters take longest: `with_map` False leaves them out where labels answer without them.

    Raises:
        InputError: fewer than 3 texts, or a vector of zero length.
    """
    lacking = too_few(len(corpus))
    if lacking:
        raise InputError(lacking)
    sums, nearest = moments(vectors), neighbours(vectors, k=K, seed=seed)
    labels = corpus.labels
    labelled = labels is not None and space.several(labels)
    drawn = with_map or not labelled
    scores: OodScores = score(vectors, rule=rule_of(corpus), reference_labels=labels, seed=seed)
    return SpaceResults(
        layout=kept_projection(key, vectors, shelf, seed=seed) if drawn else None,
        groups=kept_clusters(key, vectors, shelf, seed=seed) if drawn else None,
        anisotropy=anisotropy(vectors, known=sums, seed=seed),
        dimension=intrinsic_dimension(vectors, known=sums, nearest=nearest, seed=seed),
        fence=fence(scores),
        fit=label_fit(vectors, labels, k=K, nearest=nearest, seed=seed) if labels is not None and labelled else None,
    )


def space_part(corpus: Corpus, found: SpaceResults) -> Part:
    """The signals of a space, and what stands out in it."""
    standouts = [space.suspicious_inputs(corpus, found.fence)]
    if found.fit is not None:
        standouts.append(space.weakest_label(found.fit))
    return Part(
        (
            space.map_signal(found.layout, found.groups, found.fit),
            space.anisotropy_signal(found.anisotropy),
            space.dimension_signal(found.dimension),
            space.outliers_signal(found.fence),
        ),
        tuple(standouts),
        tuple(
            notice
            for result in (found.layout, found.groups, found.fence.scores)
            if result is not None
            for notice in result.notices
        ),
    )


def measure_layers(
    corpus: Corpus, checkpoint: Checkpoint, shelf: Shelf, open_it: Callable[[], Encoder], **settings: Any
) -> tuple[BuildUp, HeadEntropy]:
    """The build-up of a corpus and the entropy of the heads; `settings` are those of either.

    Raises:
        InputError: the encoder has no layers, or shows no attention.
    """
    built = measure_build_up(corpus, checkpoint, shelf, open_it, **settings)
    return built, measure_heads(corpus, checkpoint, shelf, open_it, **settings)


def measure_build_up(
    corpus: Corpus,
    checkpoint: Checkpoint,
    shelf: Shelf,
    open_it: Callable[[], Encoder],
    *,
    precision: Precision = "float32",
    progress: Callable[[str], Progress] | None = None,
    seed: int = 0,
) -> BuildUp:
    """The build-up of a corpus, from the shelf or by running the encoder.

    `progress` is asked for what to tell how far "Running the layers" is.

    Raises:
        InputError: the encoder has no layers.
    """
    most = layer_texts(corpus)
    return kept(
        BuildUp,
        build_up_inputs(corpus, checkpoint, precision=precision, most_texts=most, seed=seed),
        shelf,
        lambda: layer_build_up(
            open_it(),
            corpus.texts,
            corpus.labels,
            most_texts=most,
            seed=seed,
            progress=progress("Running the layers") if progress else None,
        ),
    )


def measure_heads(
    corpus: Corpus,
    checkpoint: Checkpoint,
    shelf: Shelf,
    open_it: Callable[[], Encoder],
    *,
    precision: Precision = "float32",
    progress: Callable[[str], Progress] | None = None,
    seed: int = 0,
) -> HeadEntropy:
    """The entropy of the heads, from the shelf or by running the encoder; as `measure_build_up`.

    Raises:
        InputError: the encoder shows no attention.
    """
    return kept(
        HeadEntropy,
        head_entropy_inputs(corpus, checkpoint, precision=precision, seed=seed),
        shelf,
        lambda: head_entropy(
            open_it(), corpus.texts, seed=seed, progress=progress("Measuring the heads") if progress else None
        ),
    )


def layer_texts(corpus: Corpus) -> int | None:
    """At most how many texts of a corpus pass through the layers, as the Layers page begins; None for all."""
    return _MOST_TEXTS if len(corpus) > _MOST_TEXTS else None


def layers_part(built: BuildUp | None, heads: HeadEntropy | None, needs: str = "") -> Part:
    """The signals of the layers; one whose result is None says what it `needs`."""
    signals: list[Signal] = [
        depth.layers_signal(built) if built is not None else wanting(("layers",), needs)[0],
        depth.heads_signal(heads) if heads is not None else wanting(("heads",), needs)[0],
    ]
    return Part(tuple(signals), () if heads is None else (depth.flagged_heads(heads),))


def lacks_layers(checkpoint: Checkpoint | None) -> str | None:
    """Why there are no layers to look at, and what to do; None where there are some."""
    why = why_no_layers(checkpoint)
    return None if why is None else f"{why.removesuffix('.')}: choose a transformer to see them."


def measure_answers(
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: NDArray[np.floating],
    *,
    bm25: bool = True,
    system: str = "encoder",
    seed: int = 0,
) -> Answers:
    """Answer a query set by its vectors (q, d) and its documents' (n, d), and by BM25 to have something to beat.

    Raises:
        InputError: no query has a relevant document.
    """
    found = evaluate(queries, query_vectors, document_vectors, system=system, seed=seed)
    scores = judged_scores(queries, query_vectors, document_vectors)
    return replace(answers_of(queries, found, scores), rival=by_words(queries) if bm25 else None)


def answers_of(queries: QuerySet, found: Evaluation, scores: NDArray[np.floating]) -> Answers:
    """An evaluation, and the scores of the judged pairs, as the signals read them."""
    return Answers(queries, found.metrics, found.summaries, found.ranks, found.negatives, found.run, scores)


def by_words(queries: QuerySet) -> QueryMetrics:
    """BM25's metrics over its whole ranking, English words stemmed: as the Comparison view has them."""
    return query_metrics(Bm25Index(queries.documents).ranks(queries))


def answers_part(found: Answers, *, seed: int = 0) -> Part:
    """The signals of a query set, and what stands out in it."""
    standouts = [] if not len(found.metrics.query) else [finding.worst_topic(found), finding.weakest_queries(found)]
    skipped = found.metrics.skipped
    return Part(
        (finding.ranks_signal(found, seed=seed), finding.negatives_signal(found, seed=seed)),
        tuple(one for one in standouts if one is not None),
        (f"{skipped:,} queries have no relevant document and are left out.",) if skipped else (),
    )


def overview_of(
    parts: Sequence[Part],
    *,
    encoder: str,
    fingerprint: str | None,
    corpus: Corpus | None,
    queries: QuerySet | None,
    seed: int = 0,
) -> Overview:
    """One overview of several parts: a signal that none of them has says that its corpus or query set is missing."""
    had = {signal.name: signal for part in parts for signal in part.signals}
    lacking = {
        **{signal.name: signal for signal in wanting((*SPACE, *LAYERS), "Choose a corpus to have this signal.")},
        **{signal.name: signal for signal in wanting(RETRIEVAL, "Choose a query set to have this signal.")},
    }
    return Overview(
        encoder=encoder,
        fingerprint=fingerprint,
        corpus=None if corpus is None else corpus.name,
        corpus_key=None if corpus is None else corpus.key,
        queries=None if queries is None else queries.name,
        queries_key=None if queries is None else queries.key,
        signals=tuple(had.get(name, lacking[name]) for name in NAMES),
        standouts=tuple(one for part in parts for one in part.standouts),
        notices=tuple(dict.fromkeys(notice for part in parts for notice in part.notices)),
        texts=0 if corpus is None else len(corpus),
        questions=0 if queries is None else len(queries.queries),
        documents=0 if queries is None else len(queries.documents),
        seed=seed,
    )
