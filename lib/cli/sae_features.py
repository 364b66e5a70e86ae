"""`python -m lib sae features`: which concepts a corpus holds. Features ranked, labelled on request, one in detail."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.cli.inputs import Source, add_corpus, check_seed, check_suffix, corpus_of, progress, write, writing
from lib.cli.sae_inputs import add_sae, sae_of
from lib.corpora import Corpus
from lib.corpora.facts import about
from lib.errors import InputError
from lib.results import to_json
from lib.sae.database import SUFFIXES, FeatureDatabase, database_bytes, find_database, make_database
from lib.sae.facts import about_sae, feature_facts, known_of
from lib.sae.statistics import RANKINGS, FeatureStatistics, feature_statistics, rank_features

if TYPE_CHECKING:
    from lib.sae import Codes, SparseAutoencoder
    from lib.sae.labels import Labels

_METHODS = ("best", "keywords", "encoder")  # those of lib.sae.labels, which is slower to import
_TOP, _EXAMPLES, _NEAREST = 20, 5, 8


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("features", help="which concepts a corpus holds: its features, ranked")
    add_corpus(command)
    add_sae(command)
    command.add_argument("--by", choices=RANKINGS, default="total", help="what features are ranked by (default: total)")
    command.add_argument("--top", type=int, default=_TOP, metavar="N", help=f"how many to list (default: {_TOP})")
    command.add_argument(
        "--label-with", choices=_METHODS, help="make labels on this corpus (default: those that come with the SAE)"
    )
    command.add_argument("--group", metavar="COLUMN", help="column of what texts were cut from: held out together")
    command.add_argument("--feature", type=int, action="append", default=[], metavar="F", help="tell all of this one")
    command.add_argument("--export", metavar="DB", help="write the feature database, as .parquet or .json")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Count, label and write."""
    _check(chosen)
    corpus = corpus_of(chosen.corpus, chosen)
    given, source = corpus.embeddings, Source(chosen) if corpus.embeddings is None else None
    opened = sae_of(chosen, source.checkpoint if source else None, None if given is None else given.shape[1])
    vectors: Any = source.embed(corpus.texts, corpus.name).vectors if source else given
    codes = opened.sae.encode(vectors)
    statistics = feature_statistics(codes, labels=corpus.labels)
    database = find_database(opened.folder, opened.sae)
    if chosen.label_with:
        labels = _labels(opened.sae, corpus, codes, vectors, source, chosen)
        stability = database.numbers("stability") if database else None
        database = make_database(opened.sae, statistics, corpus=corpus.name, labels=labels, stability=stability)
    ranked = rank_features(statistics, chosen.by, **_worth(database))[: chosen.top].tolist()
    result = {
        "corpus": about(corpus),
        "encoder": source.facts() if source else {"source": "precomputed"},
        "sae": about_sae(opened),
        "ranked_by": chosen.by,
        "fires": len(statistics.fires),
        "silent": statistics.dead,
        "mean_active": float(statistics.count.sum() / statistics.texts),
        "features": [feature_facts(feature, statistics, database) for feature in ranked],
    }
    if chosen.feature:
        result["details"] = [
            _detail(feature, opened.sae, corpus, codes, statistics, database) for feature in chosen.feature
        ]
    if chosen.export:
        held = database if chosen.label_with and database else _exported(opened.sae, statistics, corpus, database)
        with writing(chosen.export):
            Path(chosen.export).write_bytes(database_bytes(held, Path(chosen.export).suffix.lower()))
    write(result, chosen.json)


def _check(chosen: argparse.Namespace) -> None:
    check_seed(chosen.seed)
    if chosen.top < 1:
        raise InputError(f"--top is a number of features of at least 1, got {chosen.top}.")
    if chosen.export:
        check_suffix(chosen.export, *SUFFIXES)


def _labels(
    sae: "SparseAutoencoder",
    corpus: Corpus,
    codes: "Codes",
    vectors: Any,
    source: Source | None,
    chosen: argparse.Namespace,
) -> "Labels":
    from lib.sae.labels import label_features

    groups = None
    if chosen.group:
        if chosen.group not in corpus.columns.columns:
            held = ", ".join(map(str, corpus.columns.columns)) or "none"
            raise InputError(f"{corpus.name} has no column {chosen.group!r} to group by; its other columns: {held}.")
        groups = corpus.columns[chosen.group].astype(str).tolist()
    return label_features(
        codes,
        corpus.texts,
        sae,
        None if source is None else lambda texts: source.open().encode(list(texts), role="document").vectors,
        vectors=vectors,
        groups=groups,
        method=chosen.label_with,
        seed=chosen.seed,
        progress=progress(corpus.name, doing="Labelling"),
    )


def _worth(database: FeatureDatabase | None) -> dict[str, Any]:
    """What features may be ranked by that only a database knows."""
    return {name: database.numbers(name) if database else None for name in ("score", "stability")}


def _detail(
    feature: int,
    sae: "SparseAutoencoder",
    corpus: Corpus,
    codes: "Codes",
    statistics: FeatureStatistics,
    database: FeatureDatabase | None,
) -> dict[str, Any]:
    """All that the Browser shows of one feature."""
    from lib.sae.examples import activation_histogram, examples
    from lib.sae.label_lift import label_lift
    from lib.sae.neighbours import nearest_features

    shown = examples(codes, feature, texts=corpus.texts, top=_EXAMPLES)
    near = nearest_features(sae, feature, _NEAREST)

    def told(rows: Any, values: Any) -> list[dict[str, Any]]:
        return [
            {"id": corpus.ids[row], "activation": to_json(value), "text": corpus.texts[row]}
            for row, value in zip(rows, values, strict=True)
        ]

    quantiles = zip(shown.by_quantile, shown.quantile_activations, strict=True)
    return feature_facts(feature, statistics, database) | {
        "examples": told(shown.rows.tolist(), shown.activations.tolist()),
        "by_quantile": [told(rows, values) for rows, values in quantiles],
        "histogram": activation_histogram(codes, feature).to_dict(),
        "labels": label_lift(statistics.labels, feature).to_dict() if statistics.labels else None,
        "nearest": [
            {"feature": other, "cosine": to_json(cosine), **known_of(other, database)}
            for other, cosine in zip(near.features.tolist(), near.cosines, strict=True)
        ],
    }


def _exported(
    sae: "SparseAutoencoder", statistics: FeatureStatistics, corpus: Corpus, database: FeatureDatabase | None
) -> FeatureDatabase:
    """Statistics of this corpus with what is known of the features already, which keeps the corpus it is known of."""
    made = make_database(sae, statistics, corpus=corpus.name)
    return made if database is None else made.with_known(database)
