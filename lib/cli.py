"""The command line: the same functions as the pages, JSON out.

Progress goes to stderr. Bad input is one sentence on stderr and exit status 2.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.corpora import SAMPLE_NAMES, ColumnChoice, Corpus, Limits, build_corpus, guess_columns, load_sample, read_table
from lib.corpora import read_vectors as read_npy
from lib.embeddings import Embeddings, Progress, embed
from lib.encoders import PACKAGED, Checkpoint, Encoder, Policy, describe, open_encoder, precisions_available
from lib.errors import InputError, Stopped
from lib.results import to_json
from lib.shelf import default_shelf
from lib.store import default_store

_BAD_INPUT = 2
_FEWEST = 3  # texts that can be measured
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 2 bad input, 130 interrupted."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except InputError as fault:
        print(fault, file=sys.stderr)
        return _BAD_INPUT
    except (KeyboardInterrupt, Stopped):
        print("Stopped. What was encoded is kept.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib", description="Embedscope without its pages: JSON out.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    geometry = commands.add_parser("geometry", help="the shape of a corpus in an encoder's space")
    _add_corpus(geometry)
    geometry.add_argument("--reference", metavar="FILE", help="judge the corpus as new inputs against this one")
    geometry.add_argument("--rule", default="centroid", help="out-of-distribution rule (default: centroid)")
    geometry.add_argument("--quantile", type=float, default=0.95, help="of the reference's scores, above it: flagged")
    geometry.add_argument("--out-column", metavar="NAME", help="column of true and false: which texts are out")
    geometry.add_argument("--map", choices=("umap", "pca", "tsne"), help="add the coordinates of a map")
    geometry.add_argument("--clusters", choices=("hdbscan", "kmeans"), help="add clusters")
    geometry.add_argument("--seed", type=int, default=0)
    geometry.set_defaults(run=_geometry)

    encode = commands.add_parser("encode", help="embed a corpus and write its vectors as .npy")
    _add_corpus(encode)
    encode.add_argument("--npy", metavar="OUT", required=True, help="where to write the vectors, float32")
    encode.set_defaults(run=_encode)

    encoder = commands.add_parser("encoder", help="describe an encoder without running it")
    encoder.add_argument("--encoder", default=PACKAGED, metavar="E")
    encoder.add_argument("--json", metavar="OUT", default="-", help="where to write it (default: stdout)")
    encoder.set_defaults(run=_encoder)

    samples = commands.add_parser("samples", help="compute again what ships in sample_data/")
    samples.set_defaults(run=_samples)
    return parser


def _add_corpus(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--corpus", required=True, metavar="FILE", help=f"a file of texts, or sample:{' or sample:'.join(SAMPLE_NAMES)}"
    )
    command.add_argument(
        "--encoder", default=PACKAGED, metavar="E", help="hub id or folder (default: the packaged one)"
    )
    command.add_argument("--precision", choices=precisions_available(), default="float32")
    command.add_argument(
        "--embeddings", metavar="NPY", help="precomputed embeddings, one row a text; no encoder is used"
    )
    for what in ("text", "label", "id"):
        command.add_argument(f"--{what}", metavar="COLUMN", help=f"column of the {what}s (default: guessed)")
    command.add_argument("--json", metavar="OUT", default="-", help="where to write the result (default: stdout)")


def _geometry(chosen: argparse.Namespace) -> None:
    import numpy as np

    from lib.geometry import detection, flag, measure, recommend, score
    from lib.kept import kept_clusters, kept_projection

    if not 0 <= chosen.seed < 2**32:
        raise InputError(f"A seed is a whole number from 0 to {2**32 - 1}, got {chosen.seed}.")
    corpus = _corpus(chosen.corpus, chosen)
    out = _truth(corpus, chosen.out_column) if chosen.out_column else None
    base = _corpus(chosen.reference, chosen, reference=True) if chosen.reference else None
    if base is not None and (base.embeddings is None) != (corpus.embeddings is None):
        raise InputError(
            "Corpus and reference must be embedded alike: both by the encoder, or both with embeddings of their own "
            "(a vector column in each)."
        )
    vectors, facts = _vectors(corpus, chosen)
    reference, reference_labels = None, corpus.labels
    result: dict[str, Any] = {"corpus": _about(corpus), "encoder": facts}
    if base is not None:
        reference, reference_labels = _vectors(base, chosen)[0], base.labels
        result["reference"] = _about(base)
    scored = score(vectors, rule=chosen.rule, reference=reference, reference_labels=reference_labels, seed=chosen.seed)
    flagged = flag(scored, quantile=chosen.quantile)
    advice = recommend(len(vectors if reference is None else reference), reference_labels=reference_labels)
    if base is None or len(corpus) >= _FEWEST:  # a new input or two have no geometry of their own, and need none
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
    _write(result, chosen.json)


def _encode(chosen: argparse.Namespace) -> None:
    import numpy as np

    corpus = _corpus(chosen.corpus, chosen)
    vectors, facts = _vectors(corpus, chosen)
    try:
        with Path(chosen.npy).open("wb") as file:
            np.save(file, np.asarray(vectors, dtype=np.float32), allow_pickle=False)
    except OSError as fault:
        raise InputError(f"{chosen.npy} cannot be written: {fault.strerror}.") from None
    _write({"corpus": _about(corpus), "encoder": facts, "shape": list(vectors.shape)}, chosen.json)


def _encoder(chosen: argparse.Namespace) -> None:
    _write(_facts(describe(chosen.encoder, policy=Policy.from_environment())), chosen.json)


def _samples(_chosen: argparse.Namespace) -> None:
    from lib.samples import build

    build(_progress("sample texts"))


def _corpus(source: str, chosen: argparse.Namespace, *, reference: bool = False) -> Corpus:
    if source.startswith("sample:"):
        return load_sample(source.removeprefix("sample:"), label=chosen.label or "label")
    limits = Limits.from_environment()
    table = read_table(Path(source), limits=limits)
    guess = guess_columns(table)
    label = chosen.label
    if not reference and getattr(chosen, "reference", None) and label not in table.frame.columns:
        label = None  # it names a column of the reference, whose labels are the ones that judge
    text = chosen.text or guess.text
    guessed = {what: name for what, name in (("label", guess.label), ("id", guess.id)) if name not in (text, label)}
    choice = ColumnChoice(text, label or guessed.get("label"), chosen.id or guessed.get("id"), guess.vector)
    given = not reference and chosen.embeddings
    vectors = read_npy(Path(chosen.embeddings), limits=limits) if given else None
    return build_corpus(table, choice, limits=limits, embeddings=vectors)


def _vectors(corpus: Corpus, chosen: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Embeddings (n, d), and what made them."""
    if corpus.embeddings is not None:
        return corpus.embeddings, {"source": "precomputed", "vectors_key": corpus.key}
    policy = Policy.from_environment()
    checkpoint = describe(chosen.encoder, policy=policy)
    opened: list[Encoder] = []

    def open_once() -> Encoder:
        if not opened:
            opened.append(open_encoder(checkpoint, policy=policy, precision=chosen.precision))
        return opened[0]

    made: Embeddings = embed(
        corpus.texts,
        checkpoint,
        open_once,
        default_store(),
        precision=chosen.precision,
        progress=_progress(corpus.name),
    )
    counts = {"encoded_now": made.encoded, "truncated": made.truncated, "vectors_key": made.key}
    return made.vectors, _facts(checkpoint) | {"precision": chosen.precision} | counts


def _facts(checkpoint: Checkpoint) -> dict[str, Any]:
    shown = (
        "source", "kind", "architecture", "family", "pooling", "pooling_guessed", "dimensions", "max_tokens", "layers",
        "heads", "normalised", "licence", "parameters", "size_bytes", "notices", "fingerprint",
    )  # fmt: skip
    prompts = checkpoint.prompts
    return {name: to_json(getattr(checkpoint, name)) for name in shown} | {
        "prompts": {"query": prompts.query, "document": prompts.document, "source": prompts.source}
    }


def _about(corpus: Corpus) -> dict[str, Any]:
    return {
        "name": corpus.name,
        "texts": len(corpus),
        "blank": corpus.blank,
        "duplicates": corpus.duplicates,
        "notices": list(corpus.notices),
        "key": corpus.key,
    }


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


def _progress(what: str) -> Progress:
    """A line on stderr that counts, rewritten in place on a terminal and quiet elsewhere until the end."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\rEncoding {what}: {done:,} of {of:,}", end="\n" if done == of else "", file=sys.stderr, flush=True)
        elif done == of:
            print(f"Encoded {what}: {of:,} texts", file=sys.stderr)

    return tell


def _write(result: dict[str, Any], out: str) -> None:
    text = json.dumps(result, indent=1, allow_nan=False, ensure_ascii=False)
    if out == "-":
        print(text)
        return
    try:
        Path(out).write_text(text + "\n", encoding="utf-8")
    except OSError as fault:
        raise InputError(f"{out} cannot be written: {fault.strerror}.") from None
