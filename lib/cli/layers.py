"""`python -m lib layers`: how an encoder's layers build the vectors of a corpus, and what its heads attend to."""

import argparse
from typing import Any, get_args

from lib.cli.inputs import Source, add_corpus, check_seed, corpus_of, progress, write
from lib.corpora.facts import about
from lib.embeddings import space_of
from lib.encoders import Role
from lib.errors import InputError
from lib.kept import kept
from lib.layers import (
    BuildUp,
    HeadEntropy,
    build_up_inputs,
    findings,
    flag_heads,
    head_entropy,
    head_entropy_inputs,
    layer_build_up,
)
from lib.layers.attention import SAMPLE
from lib.layers.head_flags import COLLAPSED, SILENT, UNIFORM
from lib.shelf import default_shelf

_THRESHOLDS: dict[str, float] = dict(findings.__kwdefaults__ or {})


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("layers", help="how an encoder's layers build a corpus's vectors")
    add_corpus(command)
    command.add_argument("--most-texts", type=int, metavar="N", help="measure a sample of so many (default: all)")
    command.add_argument(
        "--head-texts", type=int, default=SAMPLE, metavar="N", help=f"texts for the heads (default: {SAMPLE}; 0: none)"
    )
    for flag, default, what in (
        ("collapsed", COLLAPSED, "entropy below which a head counts as collapsed"),
        ("uniform", UNIFORM, "entropy above which a head counts as near uniform"),
        ("silent", SILENT, "share of its layer's output below which a head counts as adding nothing"),
    ):
        command.add_argument(f"--{flag}", type=float, default=default, metavar="X", help=f"{what} (default: {default})")
    for flag, what in (
        ("settled-cka", "CKA with the output from which a depth counts as settled"),
        ("settled-overlap", "overlap of neighbours with the output's from which a depth counts as settled"),
        ("collapsed-cosine", "mean cosine from which a depth counts as collapsed"),
        ("same-cosine", "difference in mean cosine up to which the output agrees with a layer"),
    ):
        default = _THRESHOLDS[flag.replace("-", "_")]
        command.add_argument(f"--{flag}", type=float, default=default, metavar="X", help=f"{what} (default: {default})")
    command.add_argument(
        "--role",
        choices=get_args(Role),
        default="document",
        help="whose prompt stands before texts (default: document)",
    )
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write."""
    check_seed(chosen.seed)
    corpus = corpus_of(chosen.corpus, chosen)
    if corpus.embeddings is not None:
        raise InputError(
            f"{corpus.name} brings embeddings of its own, which have no layers: name another file, or leave its column "
            "of vectors out."
        )
    source, shelf = Source(chosen), default_shelf()
    role: Role = chosen.role
    settings: dict[str, Any] = {"precision": source.precision, "seed": chosen.seed}
    own = _inputs_of(role, source)
    made = kept(
        BuildUp,
        build_up_inputs(corpus, source.checkpoint, most_texts=chosen.most_texts, **settings) | own,
        shelf,
        lambda: layer_build_up(
            source.open(),
            corpus.texts,
            corpus.labels,
            most_texts=chosen.most_texts,
            role=role,
            progress=progress(corpus.name, doing="Running the layers on"),
            seed=chosen.seed,
        ),
    )
    read = findings(made, **{name: getattr(chosen, name) for name in _THRESHOLDS})
    result = {
        "corpus": about(corpus),
        "encoder": source.facts(),
        "build_up": made.to_dict() | {"findings": read.to_dict()},
    }
    if chosen.head_texts:
        heads = kept(
            HeadEntropy,
            head_entropy_inputs(corpus, source.checkpoint, sample=chosen.head_texts, **settings) | own,
            shelf,
            lambda: head_entropy(
                source.open(),
                corpus.texts,
                sample=chosen.head_texts,
                role=role,
                progress=progress(corpus.name, doing="Measuring heads on"),
                seed=chosen.seed,
            ),
        )
        flags = flag_heads(heads, collapsed=chosen.collapsed, uniform=chosen.uniform, silent=chosen.silent)
        result["heads"] = heads.to_dict() | {"flags": flags.to_dict()}
    write(result, chosen.json)


def _inputs_of(role: Role, source: Source) -> dict[str, str]:
    """What a result depends on besides, where texts are no documents."""
    if role == "document":
        return {}
    return {"space": space_of(source.checkpoint, role=role, precision=source.precision), "role": role}
