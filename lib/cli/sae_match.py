"""`python -m lib sae match`: which features of one dictionary return in another, of the same encoder or of another."""

import argparse
from typing import Any, get_args

from lib.cli.inputs import Source, add_encoder, add_json, check_seed, corpus_of, progress, write
from lib.cli.opening import opened_sae
from lib.cli.sae_inputs import add_sae
from lib.corpora.facts import about
from lib.errors import InputError
from lib.results import to_json
from lib.sae import check_fit
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.facts import about_sae
from lib.sae.matching import (
    ALIGNED,
    CORRELATED,
    FEWEST,
    SHARED,
    Alignment,
    By,
    Model,
    ModelMatch,
    Pairing,
    Side,
    align,
    compare_models,
    fitting,
    identity,
    match_features,
)
from lib.sae.sources import OpenedSae

_SPACES = ("automatic", "one", "aligned")


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser(
        "match", help="match the features of two dictionaries, or of two encoders with theirs"
    )
    add_sae(command)
    command.add_argument("--other", required=True, metavar="SOURCE", help="the dictionary to match it with")
    command.add_argument(
        "--threshold", type=float, metavar="C",
        help=f"similarity of a shared feature (default: cosine {SHARED}, {ALIGNED} after an alignment; correlation "
        f"{CORRELATED})",
    )  # fmt: skip
    command.add_argument("--seed", type=int, default=0, help="of what is drawn at random beside it (default: 0)")
    _add_corpus(command)
    add_json(command)
    command.set_defaults(run=run, embeddings=None)


def run(chosen: argparse.Namespace) -> None:
    """Match and write."""
    check_seed(chosen.seed)
    one, other = opened_sae(chosen.sae), opened_sae(chosen.other)
    if chosen.corpus is not None:
        _on_corpus(chosen, one, other)
        return
    _check_space(one, other)
    found = match_features(
        one.sae,
        other.sae,
        threshold=SHARED if chosen.threshold is None else chosen.threshold,
        seed=chosen.seed,
        progress=progress("features", doing="Comparing"),
    )
    write({"sae": about_sae(one), "other": about_sae(other), "matching": found.to_dict()}, chosen.json)


def _add_corpus(command: argparse.ArgumentParser) -> None:
    """Options of a comparison on a corpus; without one, dictionaries of one encoder are matched by direction alone."""
    command.add_argument(
        "--corpus", metavar="FILE",
        help="compare on these texts, or on sample:topics: activations and coverage, too, and two different encoders",
    )  # fmt: skip
    add_encoder(command)
    command.add_argument("--other-encoder", metavar="E", help="the other dictionary's encoder (default: the same)")
    for what in ("text", "label", "id"):
        command.add_argument(f"--{what}", metavar="COLUMN", help=f"column of the {what}s (default: guessed)")
    command.add_argument(
        "--by", choices=get_args(By),
        help="pair by directions, or by activations (default: cosine within one encoder, correlation between two)",
    )  # fmt: skip
    command.add_argument(
        "--pairing", choices=get_args(Pairing), default="one-to-one", help="no feature twice, or each with its best"
    )
    command.add_argument(
        "--space", choices=_SPACES, default="automatic",
        help="one: directions as they are, as for two checkpoints of one model; aligned: mapped on the corpus "
        "(default: one where both encoders are the same, or their vectors are as close as after a rotation)",
    )  # fmt: skip
    command.add_argument(
        "--fewest", type=int, default=FEWEST, metavar="N", help=f"texts a feature fires on at least (default: {FEWEST})"
    )
    command.add_argument("--top", type=int, metavar="N", help="write only the N heaviest features of each list")


def _on_corpus(chosen: argparse.Namespace, one: OpenedSae, other: OpenedSae) -> None:
    if chosen.top is not None and chosen.top < 1:
        raise InputError(f"--top is a number of features of at least 1, got {chosen.top}.")
    sources = Source(chosen), Source(chosen, chosen.other_encoder)
    for opened, source in zip((one, other), sources, strict=True):
        check_fit(opened.sae, source.checkpoint)
    corpus = corpus_of(chosen.corpus, chosen)
    models = []
    for opened, source in zip((one, other), sources, strict=True):
        vectors = source.embed(corpus.texts, corpus.name).vectors
        models.append(Model(opened.sae, opened.sae.encode(vectors), vectors))
    ours, theirs = models
    found = compare_models(
        ours,
        theirs,
        alignment=_alignment(chosen, ours, theirs, one_encoder=_same(sources)),
        by=chosen.by or ("cosine" if _same(sources) else "correlation"),
        pairing=chosen.pairing,
        threshold=chosen.threshold,
        fewest=chosen.fewest,
        labels=corpus.labels,
        seed=chosen.seed,
        progress=progress("features", doing="Comparing"),
    )
    databases = find_database(one.folder, one.sae), find_database(other.folder, other.sae)
    written = {
        "corpus": about(corpus),
        "sae": about_sae(one),
        "other": about_sae(other),
        "encoder": sources[0].facts(),
        "other_encoder": sources[1].facts(),
        "comparison": _written(found, databases, chosen.top),
    }
    write(written, chosen.json)


def _same(sources: tuple[Source, Source]) -> bool:
    return sources[0].checkpoint.fingerprint == sources[1].checkpoint.fingerprint


def _alignment(chosen: argparse.Namespace, ours: Model, theirs: Model, *, one_encoder: bool) -> Alignment:
    if chosen.space == "one" or (one_encoder and chosen.space == "automatic"):
        return identity()
    fit = fitting if chosen.space == "automatic" else align
    return fit(ours.vectors, theirs.vectors, seed=chosen.seed)


def _written(
    found: ModelMatch, databases: tuple[FeatureDatabase | None, FeatureDatabase | None], top: int | None
) -> dict[str, Any]:
    """The comparison without its arrays, and pairs and lone features as lists."""
    whole = {
        name: value for name, value in found.to_dict().items() if name not in ("ours", "theirs", "alignment")
    }  # fmt: skip
    alignment = {name: value for name, value in found.alignment.to_dict().items() if name != "map"}
    sides = (found.ours, found.theirs)
    told = {
        name: _side(side, databases if number == 0 else databases[::-1], top)
        for number, (name, side) in enumerate(zip(("ours", "theirs"), sides, strict=True))
    }
    made: dict[str, Any] = to_json({**whole, "alignment": alignment, **told})
    return made


def _side(
    side: Side, databases: tuple[FeatureDatabase | None, FeatureDatabase | None], top: int | None
) -> dict[str, Any]:
    def labelled(database: FeatureDatabase | None, feature: int) -> str | None:
        return None if database is None or feature < 0 else database.label(feature)

    def one(feature: int) -> dict[str, Any]:
        match = int(side.match[feature])
        return {
            "feature": feature,
            "label": labelled(databases[0], feature),
            "match": match if match >= 0 else None,
            "match_label": labelled(databases[1], match),
            "cosine": side.cosine[feature],
            "correlation": side.correlation[feature],
            "p_value": side.p_value[feature],
            "own_vectors": side.reading.own[feature],
            "other_vectors": side.reading.other[feature],
            "known": bool(side.matched[feature] or side.reading.read[feature]),
            "texts": side.count[feature],
            "weight": side.weight[feature],
        }

    return {
        "features": len(side.match),
        "judged": int(side.judged.sum()),
        "matched": int(side.matched.sum()),
        "coverage": side.coverage,
        "chance": side.chance,
        "domain": side.domain,
        "domain_chance": side.domain_chance,
        "judged_weight": side.judged_weight,
        "known": side.known,
        "known_chance": side.known_chance,
        "known_weight": side.known_weight,
        "told": int(side.reading.told.sum()),
        "read": int(side.reading.read.sum()),
        "lacking": int(side.lacking.sum()),
        "pairs": [one(feature) for feature in side.pairs.tolist()[:top]],
        "only": [one(feature) for feature in side.only.tolist()[:top]],
    }


def _check_space(one: OpenedSae, other: OpenedSae) -> None:
    """Refuse dictionaries for the vectors of two encoders, where both name theirs."""
    ours, theirs = one.sae.about.fingerprint, other.sae.about.fingerprint
    if ours and theirs and ours != theirs:
        names = " and ".join(opened.sae.about.encoder or opened.source for opened in (one, other))
        raise InputError(
            f"These dictionaries take the vectors of two encoders apart ({names}, fingerprints {ours[:12]} and "
            f"{theirs[:12]}): their directions cannot be compared as they are; name two of one encoder, or a --corpus "
            "and --other-encoder to align them on."
        )
