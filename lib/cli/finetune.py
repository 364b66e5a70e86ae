"""`python -m lib finetune`: tunes an encoder on a query set, or on pairs and triplets."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from lib.cli.finetune_options import add_settings, settings_of
from lib.cli.inputs import Source, add_json, progress, write, writing
from lib.cli.retrieval_queries import queries_of
from lib.cli.signals import ending_at_signals, stoppable
from lib.corpora import QUERY_SET_NAMES, Limits, QuerySet
from lib.errors import Stopped
from lib.finetune.data import Examples, TrainingData, prepare, read_examples
from lib.finetune.training import Journal, TrainingSettings, check_folder, check_tunable
from lib.finetune.training.environment import computed_in
from lib.locks import alone

_UNTOLD = {"help", "resume", "json", "keep_checkpoints"}
_COLUMNS = ("query", "document", "relevance", "query_id", "document_id", "negative_columns", "topic", "document_fields")
_RUN = "run.json"


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("finetune", help="tune an encoder on a query set, or on pairs and triplets")
    data = command.add_argument_group("the data")
    what = data.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--queries",
        metavar="FILE|DIR",
        help="a query set, whose queries learn to find their documents: pairs as .jsonl, .csv, .tsv or .parquet; a "
        f"BEIR folder or .zip; or sample:{' or sample:'.join(QUERY_SET_NAMES)}",
    )
    what.add_argument(
        "--triplets",
        metavar="FILE",
        help="anchor, positive, and if there are such negative (or negative_1, negative_2, ...) and score: .jsonl, "
        ".csv, .tsv or .parquet, also as the Retrieval page exports them",
    )
    data.add_argument("--split", metavar="NAME", help="of BEIR: which qrels (default: test, else dev, else train)")
    add_settings(command)
    command.add_argument("--out", required=True, metavar="DIR", help="folder that the model, its log and figures go to")
    command.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR, if there is one")
    command.add_argument("--keep-checkpoints", action="store_true", help="keep the last two and the best at the end")
    add_json(command)
    command.set_defaults(run=lambda chosen: run(chosen, _written(command, chosen)))


def run(chosen: argparse.Namespace, command: str) -> None:
    """Tune and write; what can be refused at once is refused before anything is mined."""
    settings, out = settings_of(chosen), Path(chosen.out)
    check_folder(out, settings, resume=chosen.resume)
    source = Source(argparse.Namespace(encoder=settings.encoder, precision="float32"))
    check_tunable(source.checkpoint, settings)
    given = _given(chosen)
    computed_in(settings.precision)
    with writing(str(out)), alone(out), redirect_stdout(sys.stderr):  # what libraries print is no result
        check_folder(out, settings, resume=chosen.resume)  # another process may have been there meanwhile
        journal = Journal(out, resumes=chosen.resume, tell=_tell)
        data = _prepared(given, settings, source, journal)
        with stoppable() as should_stop:
            from lib.finetune.training.trainer import train

            tuned = train(
                settings,
                data,
                checkpoint=source.checkpoint,
                out=out,
                journal=journal,
                resume=chosen.resume,
                should_stop=should_stop,
                command=command,
                keep_checkpoints=chosen.keep_checkpoints,
            )
    for notice in tuned.notices:
        _tell(notice)
    write({"out": str(out), "data": data.to_dict(), "settings": settings.to_dict(), **tuned.to_dict()}, chosen.json)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _given(chosen: argparse.Namespace) -> QuerySet | Examples:
    """The query set or the examples that the options name."""
    if chosen.triplets:
        return read_examples(Path(chosen.triplets), limits=Limits.from_environment())
    return queries_of(argparse.Namespace(queries=chosen.queries, split=chosen.split, **dict.fromkeys(_COLUMNS)))


def _prepared(given: QuerySet | Examples, settings: TrainingSettings, source: Source, journal: Journal) -> TrainingData:
    """What is trained on: queries held out, negatives mined. The encoder's vectors are kept in the store."""

    def embed(texts: Sequence[str], role: Any) -> Any:
        return source.embed(texts, f"{'queries' if role == 'query' else 'documents'} to mine", role=role).vectors

    mines = settings.negatives in ("bm25", "encoder")
    journal.doing("mining hard negatives" if mines else "dividing the queries")
    told = progress("negatives", doing="Mining")
    with ending_at_signals():
        try:
            return prepare(given, settings, embed=embed, progress=told)
        except KeyboardInterrupt:
            journal.stopped()
            raise Stopped("Stopped before the first step: the same command begins anew.") from None


def _written(command: argparse.ArgumentParser, chosen: argparse.Namespace) -> str:
    """The command as it can be typed again; that of a page's run without the server's paths."""
    parts = ["python", "-m", "lib", "finetune"]
    for action in command._actions:
        value = getattr(chosen, action.dest, None)
        if action.option_strings and action.dest not in _UNTOLD and value != action.default:
            values = value if isinstance(value, list) else [value]
            parts += [action.option_strings[-1], *map(str, values)]
    folder = Path(chosen.out).absolute().parent
    own = f"{folder}{os.sep}" if (folder / _RUN).is_file() else ""
    return shlex.join([part.removeprefix(own) for part in parts])
