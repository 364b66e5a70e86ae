"""`python -m lib sae steer`: a text's vector pushed along features, what changes, and what it then finds."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.cli.inputs import Source, check_seed, check_suffix, corpus_of, progress, write, writing
from lib.cli.sae_decompose import add_text_options
from lib.cli.sae_inputs import add_sae, sae_of
from lib.corpora import SAMPLE_NAMES, Corpus
from lib.corpora.facts import about
from lib.errors import InputError
from lib.results import to_json
from lib.sae.codes import Codes
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.facts import about_sae, change_facts
from lib.sae.sources import OpenedSae
from lib.sae.steering import (
    Push,
    Recipe,
    Steered,
    dose_response,
    label_verdict,
    parse_recipe,
    push_of,
    recipe_facts,
    rerank,
    steer,
    usage,
    vector_bytes,
)
from lib.sae.steering.dose import PROBE
from lib.sae.steering.exports import SUFFIXES
from lib.sae.steering.recipes import MOST_DELTA
from lib.sae.steering.verdicts import LABEL_RULE, RULE


@dataclass(frozen=True, eq=False)
class _Searched:
    """The corpus that is ranked."""

    corpus: Corpus
    vectors: NDArray[np.floating]
    codes: Codes
    left_out: NDArray[np.int64]


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("steer", help="push a text's vector along features and see what changes")
    command.add_argument("--text", required=True, metavar="T", help="the text to steer")
    command.add_argument(
        "--feature", type=int, action="append", default=[], metavar="N", help="a feature; may be given repeatedly"
    )
    command.add_argument(
        "--delta", type=float, action="append", default=[], metavar="D",
        help="how many mean active values of it are added, below 0 taken away; one for each --feature, in their order",
    )  # fmt: skip
    command.add_argument("--recipe", metavar="R", help='several at once instead, as in an address: "319:+4,27:-2"')
    command.add_argument(
        "--corpus", metavar="FILE", help=f"rank these texts before and after: a file, or sample:{SAMPLE_NAMES[0]}"
    )
    command.add_argument("--column", metavar="COLUMN", help="column of the corpus's texts (default: guessed)")
    command.add_argument(
        "--steer", choices=("query", "documents"), default="query", help="what is steered (default: query)"
    )
    command.add_argument(
        "--dose", action="store_true", help="with --corpus: the dose-response of the first feature, and its verdict"
    )
    command.add_argument(
        "--probe", type=float, default=PROBE, metavar="D", help=f"delta of that verdict (default: {PROBE:g})"
    )
    command.add_argument("--top", type=int, default=10, metavar="N", help="texts and changes written (default: 10)")
    command.add_argument("--vector", metavar="OUT", help="write what is added as .npy or .safetensors")
    command.add_argument("--seed", type=int, default=0, help="seed of the random directions (default: 0)")
    add_sae(command)
    add_text_options(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Steer and write."""
    _check(chosen)
    source = Source(chosen)
    opened = sae_of(chosen, source.checkpoint)
    recipe = _recipe(chosen, opened.sae.features)
    database = find_database(opened.folder, opened.sae)
    found = _searched(chosen, source, opened) if chosen.corpus else None
    codes = found.codes if found else None
    push = push_of(opened.sae, recipe, codes=codes, database=database, normalised=source.checkpoint.normalised)
    made = source.open().encode([chosen.text], role=chosen.role)
    result = steer(opened.sae, made.vectors[0], push, seed=chosen.seed)
    recipe_told = recipe_facts(push, opened.sae, database, corpus=found.corpus.name if found else None)
    written: dict[str, Any] = {
        "sae": about_sae(opened),
        "encoder": source.facts(),
        "role": chosen.role,
        "text": chosen.text,
        "truncated": bool(made.truncated_mask[0]),
        "recipe": recipe_told,
        **_steered(result, database, chosen.top),
    }
    if found:
        written["corpus"] = about(found.corpus)
        written["retrieval"] = _retrieval(found, made.vectors[0], push, chosen)
    if found and chosen.dose:
        written["dose"] = _dose(found, made.vectors[0], push, opened, database, chosen)
    if chosen.vector:
        with writing(chosen.vector):
            path = Path(chosen.vector)
            path.write_bytes(vector_bytes(push, path.suffix.lower(), about=recipe_told))
        written["code"] = usage(push, path.suffix.lower(), file=chosen.vector)
    write(to_json(written), chosen.json)


def _check(chosen: argparse.Namespace) -> None:
    check_seed(chosen.seed)
    if chosen.top < 1:
        raise InputError(f"--top is a number of texts of at least 1, got {chosen.top}.")
    if not 0 < chosen.probe <= MOST_DELTA:
        raise InputError(f"--probe is a delta above 0 and at most {MOST_DELTA:g}, got {chosen.probe:g}.")
    if chosen.dose and not chosen.corpus:
        raise InputError("--dose ranks the texts of a corpus: give one with --corpus FILE.")
    if chosen.vector:
        check_suffix(chosen.vector, *SUFFIXES)


def _recipe(chosen: argparse.Namespace, features: int) -> Recipe:
    if chosen.recipe is not None:
        if chosen.feature or chosen.delta:
            raise InputError("Give either --recipe or --feature with --delta, not both.")
        recipe = parse_recipe(chosen.recipe, features)
    else:
        if len(chosen.feature) != len(chosen.delta):
            raise InputError(
                f"Each --feature takes one --delta, got {len(chosen.feature)} and {len(chosen.delta)}: give both."
            )
        recipe = parse_recipe(
            ",".join(f"{feature}:{delta:+g}" for feature, delta in zip(chosen.feature, chosen.delta, strict=True)),
            features,
        )
    if not recipe.features:
        raise InputError('Say what to steer: --feature N --delta D, or --recipe "N:+D,M:-E".')
    return recipe


def _searched(chosen: argparse.Namespace, source: Source, opened: OpenedSae) -> _Searched:
    columns = argparse.Namespace(text=chosen.column, label=None, id=None, embeddings=None)
    corpus = corpus_of(chosen.corpus, columns)
    if corpus.embeddings is not None:
        raise InputError(f"{corpus.name} brought embeddings of its own: a text cannot be ranked against those.")
    made = source.embed(corpus.texts, corpus.name)
    same = np.flatnonzero([text == chosen.text for text in corpus.texts])
    codes = opened.sae.encode(made.vectors, progress=progress(corpus.name, doing="Taking apart"))
    return _Searched(corpus, made.vectors, codes, same)


def _steered(result: Steered, database: FeatureDatabase | None, top: int) -> dict[str, Any]:
    """What changed, as JSON values, one object a feature."""
    rows = zip(result.features[:top].tolist(), result.before[:top], result.after[:top], strict=True)
    left = ("vector", "features", "before", "after", "targets", "deltas", "target_before", "target_after")
    targets = zip(result.targets, result.target_before, result.target_after, strict=True)
    return {
        **{name: value for name, value in result.to_dict().items() if name not in left},
        "targets": [change_facts(database, *target) for target in targets],
        "changed": len(result.features),
        "changes": [change_facts(database, *row) for row in rows],
    }


def _retrieval(
    found: _Searched, vector: NDArray[np.floating], push: Push, chosen: argparse.Namespace
) -> dict[str, Any]:
    rows = found.codes.firing(push.features[0])[0]
    made = rerank(found.vectors, vector, push, side=chosen.steer, left_out=found.left_out, firing=rows)
    fires, texts, top = set(rows.tolist()), found.corpus, chosen.top
    before = zip(made.before.tolist(), made.before_scores, made.before_now, strict=True)
    after = zip(made.after.tolist(), made.after_scores, made.after_were, strict=True)
    return {
        "steered": made.side,
        "cosine_shift": made.shift,
        "ranked": made.items,
        "left_out": made.left_out,
        "kept": made.kept(top),
        "firing": made.firing,
        "firing_mean_rank": {"before": made.firing_before, "after": made.firing_after},
        "before": [_place(texts, fires, rank, *row) for rank, row in enumerate(list(before)[:top], 1)],
        "after": [_place(texts, fires, rank, *row) for rank, row in enumerate(list(after)[:top], 1)],
    }


def _place(corpus: Corpus, fires: set[int], rank: int, row: int, score: float, other: int) -> dict[str, Any]:
    """One text of a ranking; `other_rank` is its rank in the other one."""
    return {
        "rank": rank,
        "other_rank": other,
        "id": corpus.ids[row],
        "text": corpus.texts[row],
        "score": score,
        "fires": row in fires,
    }


def _dose(
    found: _Searched, vector: NDArray[np.floating], push: Push, opened: OpenedSae, database: FeatureDatabase | None,
    chosen: argparse.Namespace,
) -> dict[str, Any]:  # fmt: skip
    feature = push.features[0]
    made = dose_response(
        opened.sae, found.codes, found.vectors, vector=vector, feature=feature, unit=push.units[0],
        left_out=found.left_out, seed=chosen.seed, probe=chosen.probe,
    )  # fmt: skip
    scores, errors = (database.numbers(name) if database else None for name in ("score", "score_error"))
    score = float("nan") if scores is None else float(scores[feature])
    error = float("nan") if errors is None else float(errors[feature])
    rose = zip(made.risers.tolist(), made.riser_before, made.riser_after, made.riser_fires, strict=True)
    left = ("risers", "riser_before", "riser_after", "riser_fires")
    return {name: value for name, value in made.to_dict().items() if name not in left} | {
        "rose_most": [_riser(found.corpus, *one) for one in list(rose)[: chosen.top]],
        "rule": RULE,
        "label_score": score,
        "label_verdict": label_verdict(made.verdict, score, error),
        "label_rule": LABEL_RULE,
    }


def _riser(corpus: Corpus, row: int, before: int, after: int, fires: bool) -> dict[str, Any]:
    """One of the texts that rose most."""
    return {"rank": after, "was": before, "id": corpus.ids[row], "text": corpus.texts[row], "fires": bool(fires)}
