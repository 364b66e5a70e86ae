"""What ships beside the sample texts: their embeddings, and the slow results that the pages open with.

They are results, not data: everything here can be computed again, and a test does.
"""

import shutil
from pathlib import Path
from typing import Any

from lib.corpora import QUERY_SET_NAMES, load_query_set, load_sample
from lib.corpora.samples import SAMPLE_FOLDER
from lib.embeddings import Progress, embed
from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy, describe, open_encoder
from lib.kept import kept, kept_clusters, kept_projection
from lib.layers import BuildUp, HeadEntropy, build_up_inputs, head_entropy, head_entropy_inputs, layer_build_up
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
    texts = list(corpus.texts)
    for name in QUERY_SET_NAMES:  # the packaged encoder has no prompts: queries lie where documents do
        queries = load_query_set(name)
        texts += [*queries.documents, *queries.queries]
    embed(texts, checkpoint, lambda: encoder, store, progress=progress)
    made = embed(corpus.texts, checkpoint, lambda: encoder, store)
    static = describe(PACKAGED_STATIC, policy=policy)  # the other side of the first match that the page shows
    embed(corpus.texts, static, lambda: open_encoder(static, policy=policy), store)
    for layout in LAYOUTS:
        kept_projection(made.key, made.vectors, shelf, **layout)
    for grouping in GROUPINGS:
        kept_clusters(made.key, made.vectors, shelf, **grouping)
    settings: dict[str, Any] = {"precision": encoder.precision}
    kept(
        BuildUp,
        build_up_inputs(corpus, checkpoint, **settings),
        shelf,
        lambda: layer_build_up(encoder, corpus.texts, corpus.labels),
    )
    kept(
        HeadEntropy,
        head_entropy_inputs(corpus, checkpoint, **settings),
        shelf,
        lambda: head_entropy(encoder, corpus.texts),
    )
