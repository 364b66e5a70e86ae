"""`python -m lib geometry`: the shape of a corpus in an encoder's space."""

import argparse
from typing import Any

from lib.cli.inputs import FEWEST, add_corpus, check_seed, corpus_of, vectors_of, write
from lib.corpora import Corpus
from lib.corpora.facts import about
from lib.errors import InputError
from lib.shelf import default_shelf


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("geometry", help="the shape of a corpus in an encoder's space")
    add_corpus(command)
    command.add_argument("--reference", metavar="FILE", help="judge the corpus as new inputs against this one")
    command.add_argument("--rule", default="centroid", help="out-of-distribution rule (default: centroid)")
    command.add_argument("--quantile", type=float, default=0.95, help="of the reference's scores, above it: flagged")
    command.add_argument("--out-column", metavar="NAME", help="column of true and false: which texts are out")
    command.add_argument("--map", choices=("umap", "pca", "tsne"), help="add the coordinates of a map")
    command.add_argument("--clusters", choices=("hdbscan", "kmeans"), help="add clusters")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write."""
    import numpy as np

    from lib.geometry import detection, flag, measure, recommend, score
    from lib.kept import kept_clusters, kept_projection

    check_seed(chosen.seed)
    corpus = corpus_of(chosen.corpus, chosen)
    out = _truth(corpus, chosen.out_column) if chosen.out_column else None
    base = corpus_of(chosen.reference, chosen, reference=True) if chosen.reference else None
    if base is not None and (base.embeddings is None) != (corpus.embeddings is None):
        raise InputError(
            "Corpus and reference must be embedded alike: both by the encoder, or both with embeddings of their own "
            "(a vector column in each)."
        )
    vectors, facts = vectors_of(corpus, chosen)
    reference, reference_labels = None, corpus.labels
    result: dict[str, Any] = {"corpus": about(corpus), "encoder": facts}
    if base is not None:
        reference, reference_labels = vectors_of(base, chosen)[0], base.labels
        result["reference"] = about(base)
    scored = score(vectors, rule=chosen.rule, reference=reference, reference_labels=reference_labels, seed=chosen.seed)
    flagged = flag(scored, quantile=chosen.quantile)
    advice = recommend(len(vectors if reference is None else reference), reference_labels=reference_labels)
    if base is None or len(corpus) >= FEWEST:  # a new input or two have no geometry of their own, and need none
        result.update(measure(vectors, corpus.labels, seed=chosen.seed).to_dict())
    result["ood"] = scored.to_dict() | {
        "flagged": flagged.to_dict() | {"ids": [corpus.ids[row] for row in flagged.rows]},
        "recommended": advice.to_dict(),
    }
    if out is not None:
        result["ood"]["detection"] = detection(scored.scores, np.asarray(out), seed=chosen.seed).to_dict()
    key = facts["vectors_key"]
    if chosen.map:
        made = kept_projection(key, vectors, default_shelf(), method=chosen.map, seed=chosen.seed)
        result["map"] = made.to_dict()
    if chosen.clusters:
        result["clusters"] = kept_clusters(
            key, vectors, default_shelf(), method=chosen.clusters, seed=chosen.seed
        ).to_dict()
    write(result, chosen.json)


def _truth(corpus: Corpus, column: str) -> list[bool]:
    if column not in corpus.columns.columns:
        names = ", ".join(map(str, corpus.columns.columns)) or "none"
        raise InputError(f"{corpus.name} has no column {column!r} beside text, label and id; it has: {names}.")
    values = corpus.columns[column]
    if values.dtype.kind != "b":
        raise InputError(f"Column {column!r} should hold true and false, got {values.dtype}.")
    if values.isna().any():
        row = int(values.isna().to_numpy().argmax())
        raise InputError(f"Column {column!r} should hold true or false for every text; text {row + 1} has neither.")
    return [bool(value) for value in values]
