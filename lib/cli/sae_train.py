"""`python -m lib sae train`: trains a sparse autoencoder on a corpus, or on vectors of one's own."""

import argparse
import os
import shlex
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lib.cli.inputs import add_json, check_seed, write, writing
from lib.cli.sae_train_inputs import add_material, material_of
from lib.cli.sae_train_queries import embedded, kept, query_sets_of
from lib.cli.sae_train_watch import Watch
from lib.cli.signals import ending_at_signals
from lib.errors import InputError
from lib.locks import alone
from lib.results import to_json
from lib.sae.autoencoder import Rule
from lib.sae.folder import WEIGHTS, save

if TYPE_CHECKING:
    from lib.sae.training import Trained

CHECKPOINT = "checkpoint.safetensors"
_DECAY = 0.5
_UNTOLD = {"help", "resume", "json"}


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("train", help="train a sparse autoencoder on a corpus or on vectors")
    add_material(command)
    _add_settings(command)
    command.add_argument(
        "--out", required=True, metavar="DIR", help="folder that the SAE, its log and checkpoint go to"
    )
    command.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR, if there is one")
    command.add_argument("--half", action="store_true", help="store float16, half the bytes")
    command.add_argument("--name", metavar="TITLE", help="what it is called on screen (default: after its corpus)")
    add_json(command)
    command.set_defaults(run=lambda chosen: run(chosen, _written(command, chosen)))


def _add_settings(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("the training")
    whole = partial(group.add_argument, type=int, metavar="N")
    whole("--features", default=4_096, help="of the dictionary (default: 4096)")
    whole("--k", default=64, help="features that fire on a text (default: 64)")
    group.add_argument("--rule", choices=get_args(Rule), default="batchtopk", help="what fires (default: batchtopk)")
    whole("--prefixes", nargs="+", default=[], help="Matryoshka: nested dictionaries of so many")
    whole("--passes", default=10, help="how often each text is seen (default: 10)")
    whole("--batch", default=2_048, help="texts a step (default: 2048)")
    group.add_argument("--learning-rate", type=float, metavar="X", help="(default: by the number of features)")
    group.add_argument("--held-out", type=float, default=0.05, metavar="SHARE", help="of the texts (default: 0.05)")
    group.add_argument(
        "--decay", type=float, default=_DECAY, metavar="SHARE", help=f"of the steps, the last (default: {_DECAY})"
    )
    whole(
        "--patience",
        default=10,
        help="evaluations without a gain after which it skips to its decay; 0: never (default: 10)",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default: 0)")
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def run(chosen: argparse.Namespace, command: str) -> None:
    """Train and write; what can be refused at once is refused before anything is encoded."""
    from lib.sae.training import TrainingSettings, train

    check_seed(chosen.seed)
    settings = TrainingSettings(
        features=chosen.features,
        k=chosen.k,
        rule=chosen.rule,
        prefixes=tuple(chosen.prefixes),
        passes=chosen.passes,
        decay=chosen.decay,
        batch_size=chosen.batch,
        learning_rate=chosen.learning_rate,
        held_out=chosen.held_out,
        patience=chosen.patience or None,
        seed=chosen.seed,
        device=chosen.device,
    )
    settings.check()
    queries = query_sets_of(chosen)
    out = _folder(chosen)
    with ending_at_signals(), writing(str(out)), alone(out), Watch(out, settings, resumes=chosen.resume) as watch:
        material = material_of(chosen, watch)
        asked = embedded(queries, material, watch)
        with watch.stoppable() as should_stop:
            trained = train(
                material.vectors,
                settings,
                groups=material.groups,
                checkpoint=out / CHECKPOINT,
                report=watch.evaluated,
                should_stop=should_stop,
            )
        watch.doing("measuring what retrieval keeps" if asked else "writing the files")
        about = replace(
            trained.sae.about,
            name=chosen.name or f"{material.trained_on['name']}: {trained.sae.features:,} features",
            encoder=material.encoder,
            fingerprint=material.fingerprint,
            trained_on=material.trained_on
            | {
                "training": trained.training_texts,
                "held_out": trained.figures.held_out_texts,
                "samples": trained.samples,
            },
            settings=trained.sae.about.settings | _circumstances(trained, command),
            figures=trained.sae.about.figures | _density(trained) | {"ndcg": kept(trained.sae, asked)},
        )
        save(replace(trained.sae, about=about), out, half=chosen.half)
        (out / CHECKPOINT).unlink(missing_ok=True)
        watch.ended(about.figures)
    write({"out": str(out), **about.to_dict()}, chosen.json)


def _folder(chosen: argparse.Namespace) -> Path:
    """The folder to write into. A finished or unfinished training in it is not written over."""
    out = Path(chosen.out)
    if (out / WEIGHTS).exists():
        raise InputError(f"{out} holds a finished SAE: name another folder, or remove that one.")
    if (out / CHECKPOINT).exists() and not chosen.resume:
        raise InputError(f"{out} holds an unfinished training: add --resume, or name another folder.")
    with writing(chosen.out):
        out.mkdir(parents=True, exist_ok=True)
    return out


def _circumstances(trained: "Trained", command: str) -> dict[str, Any]:
    return {
        "command": command,
        "seconds": round(trained.seconds, 1),
        "ran_on": trained.device,
        "ran_in": trained.precision,
        "torch": version("torch"),
    }


def _density(trained: "Trained") -> dict[str, Any]:
    """How many features fire how often."""
    found = trained.figures
    return {"density": to_json(found.density), "density_edges": to_json(found.density_edges.round(4))}


def _written(command: argparse.ArgumentParser, chosen: argparse.Namespace) -> str:
    """The command as it can be typed again; that of a page's run without the server's paths."""
    parts = ["python", "-m", "lib", "sae", "train"]
    for action in command._actions:
        value = getattr(chosen, action.dest, None)
        if action.option_strings and action.dest not in _UNTOLD and value != action.default:
            values = [] if value is True else value if isinstance(value, list) else [value]
            parts += [action.option_strings[-1], *map(str, values)]
    own = f"{Path(chosen.out).parent}{os.sep}"
    return shlex.join([part.removeprefix(own) if chosen.about else part for part in parts])
