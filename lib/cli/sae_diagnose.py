"""`python -m lib sae diagnose`: can the features be trusted on a corpus? Absorption, polysemy, health."""

import argparse
from typing import TYPE_CHECKING, Any

from lib.cli.inputs import add_corpus, check_seed, progress, write
from lib.cli.sae_inputs import add_sae, taken_apart
from lib.corpora import Corpus
from lib.corpora.facts import about
from lib.errors import InputError
from lib.results import to_json
from lib.sae.database import FeatureDatabase
from lib.sae.facts import about_sae

if TYPE_CHECKING:
    from lib.sae.diagnostics import Absorption, Health, Polysemy

_TEXTS = 20  # ids of texts that are written with a pair


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("diagnose", help="absorption, polysemy and health of the features on a corpus")
    add_sae(command)
    add_corpus(command)
    command.add_argument(
        "--threshold",
        type=float,
        default=0.8,
        metavar="P",
        help="flag pairs with P(absorbed fires | absorber fires) of P or more (default: 0.8)",
    )
    command.add_argument(
        "--min-support",
        type=int,
        metavar="N",
        help="fewest texts of an absorber (default: one text in a hundred, 5 at least and 20 at most)",
    )
    command.add_argument(
        "--most-share",
        type=float,
        default=0.5,
        metavar="S",
        help="features on a larger share of the texts are set apart (default: 0.5)",
    )
    command.add_argument("--all-pairs", action="store_true", help="write those pairs too that chance could bring about")
    command.add_argument("--top", type=int, default=20, metavar="N", help="examples of a feature (default: 20)")
    command.add_argument(
        "--label-share",
        type=float,
        metavar="S",
        help="share of a label's probe that another feature must carry to stand in its place (default: as its own do)",
    )
    command.add_argument("--seed", type=int, default=0, help="of random texts, halves and intervals (default: 0)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Examine and write."""
    from lib.sae.diagnostics import polysemy, scan_absorption

    check_seed(chosen.seed)
    corpus, opened, database, vectors, made_by, codes = taken_apart(chosen)
    pairs = scan_absorption(
        codes,
        opened.sae,
        threshold=chosen.threshold,
        min_support=chosen.min_support,
        most_share=chosen.most_share,
        progress=progress("features", doing="Comparing"),
    )
    several = polysemy(vectors, codes, texts=corpus.texts, top=chosen.top, fewest=min(5, chosen.top), seed=chosen.seed)
    write(
        {
            "corpus": about(corpus),
            "encoder": made_by,
            "sae": about_sae(opened),
            "absorption": _pairs(pairs, corpus, codes, database, chosen.all_pairs),
            "absorption_by_label": _by_label(vectors, codes, opened.sae, corpus, chosen),
            "polysemy": _several(several, database),
            "health": _health(vectors, codes, opened.sae, corpus, database, chosen.seed),
        },
        chosen.json,
    )


def _name(database: FeatureDatabase | None, feature: int) -> dict[str, Any]:
    return {"feature": feature, "label": None if database is None else database.label(feature)}


def _pairs(
    found: "Absorption", corpus: Corpus, codes: Any, database: FeatureDatabase | None, every: bool
) -> dict[str, Any]:
    """Settings, counts, and one object a pair."""
    from lib.sae.diagnostics import pair_texts

    columns = (
        "both", "count_absorber", "count_absorbed", "conditional", "low", "high", "expected", "lift", "reverse",
        "mutual", "cosine", "log10_p", "log10_q", "chance",
    )  # fmt: skip
    settings = ("threshold", "min_support", "most_share", "max_q", "texts", "features", "supported", "looked_at")
    written = []
    for row in range(len(found)):
        if found.chance[row] and not every:
            continue
        absorber, absorbed = int(found.absorber[row]), int(found.absorbed[row])
        silent = pair_texts(codes, absorber, absorbed).silent
        written.append(
            {"absorber": _name(database, absorber), "absorbed": _name(database, absorbed)}
            | {column: to_json(getattr(found, column)[row]) for column in columns}
            | {"absorbed_silent_on": [corpus.ids[row] for row in silent[:_TEXTS].tolist()]}
        )
    frequent = zip(found.frequent.tolist(), found.frequent_share, found.frequent_follows, strict=True)
    return {
        "meaning": "whenever the absorber fires, the absorbed feature fires too; conditional = P(absorbed | absorber)",
        **{name: to_json(getattr(found, name)) for name in settings},
        "flagged": int((~found.chance).sum()),
        "chance_could": int(found.chance.sum()),
        "pairs": written,
        "set_apart": [
            _name(database, feature) | {"share": to_json(share), "would_follow": to_json(follows)}
            for feature, share, follows in frequent
        ],
    }


def _by_label(vectors: Any, codes: Any, sae: Any, corpus: Corpus, chosen: argparse.Namespace) -> dict[str, Any]:
    """Absorption with labels as concepts, or why there is none."""
    from lib.sae.diagnostics import label_absorption

    if corpus.labels is None:
        return {"none_because": "The corpus has no labels: name their column with --label."}
    try:
        found = label_absorption(vectors, codes, sae, corpus.labels, min_share=chosen.label_share, seed=chosen.seed)
    except InputError as fault:
        if chosen.label_share is not None:
            raise
        return {"none_because": str(fault)}
    made = found.to_dict()
    for one in made["labels"]:
        one["ids"] = [corpus.ids[row] for row in one.pop("rows")]
    return made


def _several(found: "Polysemy", database: FeatureDatabase | None) -> dict[str, Any]:
    """One object a feature, the largest variance first, and what random texts give."""
    columns = ("fires", "examples", "variance", "percentile", "z", "senses", "strays", "apart", "unspecific")
    rest = {name: value for name, value in found.to_dict().items() if name not in (*columns, "feature")}
    features = [
        _name(database, feature) | {column: to_json(getattr(found, column)[row]) for column in columns}
        for row, feature in enumerate(found.feature.tolist())
    ]
    return rest | {"several_senses": int(found.polysemous.sum()), "measured": len(found), "features": features}


def _health(
    vectors: Any, codes: Any, sae: Any, corpus: Corpus, database: FeatureDatabase | None, seed: int
) -> dict[str, Any]:
    from lib.sae.diagnostics import health, known_from_training

    frequency, stability = known_from_training(sae, database)
    found: Health = health(
        vectors, codes, sae, labels=corpus.labels, frequency=frequency, stability=stability, seed=seed
    )
    return found.to_dict()
