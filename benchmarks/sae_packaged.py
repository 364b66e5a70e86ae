"""What ships beside the packaged dictionary: labels, statistics, stability and examples of its features.

    python -m benchmarks.sae_packaged --texts mix.jsonl --sae sae-0 --second sae-1 --out sample_data/sae

`mix.jsonl` is what `benchmarks.sae_texts` wrote, the two SAEs are trainings on it that differ in their seed. The first
is copied into the folder as it is; `features.parquet` is made beside it. Only texts of WordNet, whose licence lets them
be passed on, become examples; labels and statistics come from all texts.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import ColumnChoice, build_corpus, read_table
from lib.embeddings import embed
from lib.encoders import PACKAGED, Policy, Precision, describe, open_encoder
from lib.sae import Codes, SparseAutoencoder, load
from lib.sae.database import FILE, make_database, write_database
from lib.sae.examples import examples
from lib.sae.folder import CONFIG, WEIGHTS
from lib.sae.labels import Labels, label_features
from lib.sae.matching import Matching, match_features
from lib.sae.statistics import feature_statistics
from lib.store import default_store

_FREE = "wordnet"
_EXAMPLES = 3
_SENTENCE_CHARACTERS = 160


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("texts", "sae", "second", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--encoder", default=PACKAGED, help="which packaged encoder the SAEs are of")
    chosen = parser.parse_args()
    sae, second = load(chosen.sae), load(chosen.second)
    corpus = build_corpus(read_table(chosen.texts), ColumnChoice("text"))
    sources, documents = (corpus.columns[name].to_numpy() for name in ("source", "document"))
    policy = Policy(allow_hub=False)
    checkpoint, encoder = describe(chosen.encoder, policy=policy), open_encoder(chosen.encoder, policy=policy)
    precision: Precision = "float32" if checkpoint.kind == "static" else "bfloat16"
    vectors = embed(corpus.texts, checkpoint, lambda: encoder, default_store(), precision=precision).vectors
    _say(f"{len(corpus):,} texts")
    codes = sae.encode(vectors)
    _say(f"{codes.active.mean():.1f} features fire on a text")
    matching = match_features(sae, second)
    _say(
        f"stability: {matching.shared:.1%} of features at cosine {matching.threshold} or more, "
        f"mean {matching.mean:.3f}, chance {matching.null:.3f}"
    )
    labels = label_features(
        codes,
        corpus.texts,
        sae,
        lambda texts: encoder.encode(list(texts)).vectors,
        vectors=vectors,
        groups=documents.tolist(),
        progress=_progress(),
    )
    _tell(labels)
    database = make_database(
        sae,
        feature_statistics(codes),
        corpus=sae.about.trained_on.get("name", corpus.name),
        labels=labels,
        stability=matching.cosine,
        examples=_examples(sae, codes, corpus.texts, sources),
    )
    chosen.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(chosen.sae / WEIGHTS, chosen.out / WEIGHTS)
    config = json.loads((chosen.sae / CONFIG).read_text("utf-8"))
    complete(config, sources, matching, labels)
    (chosen.out / CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", "utf-8")
    write_database(database, chosen.out / FILE)
    sizes = {path.name: f"{path.stat().st_size / 1e6:.2f} MB" for path in sorted(chosen.out.iterdir())}
    _say(f"written: {sizes}")


def complete(config: dict[str, Any], sources: NDArray, matching: Matching, labels: Labels) -> None:
    """Put into the SAE's config what was measured after its training."""
    names, counts = np.unique(sources, return_counts=True)
    config["licence"] = "MIT"
    config["trained_on"]["sources"] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    config["figures"]["stability"] = {
        "shared": round(matching.shared, 4),
        "threshold": matching.threshold,
        "mean": round(matching.mean, 4),
        "chance": round(matching.null, 4),
    }
    config["figures"]["labels"] = {
        "labelled": labels.labelled,
        "weak": int(labels.weak[[one is not None for one in labels.text]].sum()),
        "median_score": round(float(np.nanmedian(labels.score)), 4),
        "median_score_near": round(float(np.nanmedian(labels.near)), 4),
    }


def _examples(sae: SparseAutoencoder, codes: Codes, texts: Sequence[str], source: NDArray) -> list[list[str]]:
    """The texts of WordNet that activate each feature most, short ones, the strongest first."""
    short = np.array([len(text) <= _SENTENCE_CHARACTERS for text in texts])
    rows = np.flatnonzero((source == _FREE) & short)
    own, held = codes.select(rows), [texts[row] for row in rows]
    return [
        [held[row] for row in examples(own, feature, texts=held, top=_EXAMPLES, quantiles=1, each=0).rows]
        for feature in range(sae.features)
    ]


def _tell(labels: Labels) -> None:
    known = labels.score[np.isfinite(labels.score)]
    quartiles = np.quantile(known, [0.25, 0.5, 0.75]).round(3).tolist() if len(known) else []
    _say(f"{labels.labelled:,} features have a label; score quartiles {quartiles}; "
         f"{int(labels.weak.sum()):,} are weak; near misses {np.nanmedian(labels.near):.3f}")  # fmt: skip


def _progress():
    begun = time.monotonic()

    def tell(done: int, of: int) -> None:
        if done == of or not done % 500:
            _say(f"labels: {done:,} of {of:,} after {time.monotonic() - begun:.0f} s")

    return tell


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
