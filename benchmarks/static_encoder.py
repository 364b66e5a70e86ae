"""Distils the packaged static encoder again: one vector for each token of the packaged encoder's vocabulary.

    pip install "model2vec[distill]==0.10.0"
    python -m benchmarks.static_encoder --out sample_data/static

Each token is encoded alone, the vectors are turned onto their first principal components and weighted down by how
common the token is (model2vec). The result is as deterministic as the encoder and the PCA are: another machine may
give weights that differ in their last digits, so the checksum in `lib.encoders.sources` changes with it.
"""

import argparse
import json
from pathlib import Path

from lib.encoders import PACKAGED, Policy, describe
from lib.encoders.sources import PACKAGED_ID

DIMENSIONS = 128


def main() -> None:
    """Distil and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--dimensions", type=int, default=DIMENSIONS)
    chosen = parser.parse_args()
    from model2vec.distill import distill

    teacher = describe(PACKAGED, policy=Policy(allow_hub=False))
    model = distill(model_name=str(teacher.path), pca_dims=chosen.dimensions)
    model.save_pretrained(str(chosen.out))
    (chosen.out / "README.md").unlink()
    file = chosen.out / "config.json"
    config = json.loads(file.read_text()) | {"tokenizer_name": PACKAGED_ID}  # not where it lay on this machine
    file.write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    main()
