"""What ships beside the sample texts: their embeddings, and the maps and clusters that the pages open with.

They are results, not data: everything here can be computed again, and a test does.
"""

import shutil
from pathlib import Path
from typing import Any

from lib.corpora import load_sample
from lib.corpora.samples import SAMPLE_FOLDER
from lib.embeddings import Progress, embed
from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.kept import kept_clusters, kept_projection
from lib.shelf import Shelf
from lib.store import EmbeddingStore

EMBEDDINGS, MAPS = SAMPLE_FOLDER / "embeddings", SAMPLE_FOLDER / "maps"

LAYOUTS: tuple[dict[str, Any], ...] = (
    {"method": "umap", "dimensions": 2},
    {"method": "umap", "dimensions": 3},
    {"method": "tsne", "dimensions": 2},
)
"""The maps that ship, at the settings that the page opens with."""
GROUPINGS: tuple[dict[str, Any], ...] = ({"method": "hdbscan"}, {"method": "kmeans"})
"""The clusterings that ship."""


def build(progress: Progress, *, embeddings: Path = EMBEDDINGS, maps: Path = MAPS) -> None:
    """Compute all that ships, into fresh folders."""
    for folder in (embeddings, maps):
        shutil.rmtree(folder, ignore_errors=True)
    policy = Policy(allow_hub=False)
    checkpoint = describe(PACKAGED, policy=policy)
    encoder = open_encoder(checkpoint, policy=policy)
    store, shelf = EmbeddingStore(embeddings), Shelf(maps)
    corpus = load_sample("topics")
    made = embed(corpus.texts, checkpoint, lambda: encoder, store, progress=progress)
    for layout in LAYOUTS:
        kept_projection(made.key, made.vectors, shelf, **layout)
    for grouping in GROUPINGS:
        kept_clusters(made.key, made.vectors, shelf, **grouping)
