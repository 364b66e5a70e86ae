"""What ships for the Circuits page: the tuned lens of the packaged encoder, and how its raw lens fares beside it.

    python -m benchmarks.sae_lens --texts mix.jsonl --out sample_data/sae/lens

`mix.jsonl` is what `benchmarks.sae_texts` wrote and the packaged dictionary was trained on. The lens is fitted on
texts of documents that the dictionary was trained on and measured on texts of documents that it never saw.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.sae.circuits.lens import Lens, raw_lens
from lib.sae.circuits.lens_file import save_lens
from lib.sae.circuits.lens_fit import fit_lens, measure_lens
from lib.sae.sources import PACKAGED_SAE, open_sae
from lib.sae.training.rows import split

_CORPUS = "WordNet and ten public sets"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("texts", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--fitted", type=int, default=30_000, help="texts that the lens is fitted on")
    parser.add_argument("--held-out", type=int, default=2_000, help="texts that it is measured on")
    chosen = parser.parse_args()
    policy = Policy(allow_hub=False)
    encoder, sae = open_encoder(PACKAGED, policy=policy), open_sae(PACKAGED_SAE, policy=policy).sae
    fitted, held_out = _parted(chosen.texts, sae.about.settings, chosen.fitted, chosen.held_out)
    _say(f"{len(fitted):,} texts to fit on, {len(held_out):,} to measure on")
    tuned = fit_lens(
        encoder, fitted, sae=sae, held_out=held_out, corpus=_CORPUS, most=len(fitted), progress=_tell("tuned")
    )
    raw = measure_lens(raw_lens(encoder.checkpoint), encoder, held_out, sae=sae, corpus=_CORPUS, progress=_tell("raw"))
    for lens in (raw, tuned):
        save_lens(lens, chosen.out, half=True)
        _report(lens)


def _parted(path: Path, settings: dict, fitted: int, held_out: int) -> tuple[list[str], list[str]]:
    """Texts of the dictionary's training documents, and of those that it was never shown."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(row["document"], len(numbers)) for row in rows], dtype=np.int64)
    parts = split(len(rows), settings["held_out"], settings["held_out_most"], groups=groups, seed=settings["seed"])
    draw = np.random.default_rng(0)
    taken = [
        np.sort(draw.choice(place, size=min(size, len(place)), replace=False))
        for place, size in ((parts.training, fitted), (parts.held_out, held_out))
    ]
    known, unseen = ([rows[row]["text"] for row in part.tolist()] for part in taken)
    return known, [text for text in unseen if text not in set(known)]


def _report(lens: Lens) -> None:
    for name in ("r2", "fvu", "overlap", "by_chance"):
        values = getattr(lens, name)
        print(f"{lens.kind:6} {name:10}", " ".join(f"{value:6.3f}" for value in values), flush=True)


def _tell(what: str):
    started = time.perf_counter()

    def tell(done: int, total: int) -> None:
        if done == total or done % 5_000 < 32:
            _say(f"{what}: {done:,} of {total:,} texts, {time.perf_counter() - started:.0f} s")

    return tell


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
