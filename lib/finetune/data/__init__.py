"""Data to tune on: pairs and triplets from query sets and files, split with no leak, negatives mined."""

from lib.finetune.data.building import as_queries, from_queries
from lib.finetune.data.dataset import LABEL, to_dataset
from lib.finetune.data.embedding import Embed, embedder
from lib.finetune.data.examples import Examples, Mined, TrainingData
from lib.finetune.data.mining import add_negatives
from lib.finetune.data.preparing import prepare
from lib.finetune.data.reading import read_examples
from lib.finetune.data.splitting import split

__all__ = [
    "LABEL",
    "Embed",
    "Examples",
    "Mined",
    "TrainingData",
    "add_negatives",
    "as_queries",
    "embedder",
    "from_queries",
    "prepare",
    "read_examples",
    "split",
    "to_dataset",
]
