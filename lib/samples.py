"""What ships beside the sample texts: their embeddings, and the slow results that the pages open with.

They are results, not data: everything here can be computed again, and a test does.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from lib.corpora import QUERY_SET_NAMES, Corpus, load_query_set, load_sample
from lib.corpora.samples import SAMPLE_FOLDER
from lib.embeddings import Embeddings, embed
from lib.encoders import PACKAGED, PACKAGED_STATIC, Encoder, Policy, describe, open_encoder
from lib.encoders.sources import PACKAGED_ADAPTERS
from lib.kept import kept, kept_clusters, kept_projection
from lib.layers import BuildUp, HeadEntropy, build_up_inputs, head_entropy, head_entropy_inputs, layer_build_up
from lib.progress import Progress
from lib.sae.circuits.background import Background, background, background_inputs
from lib.sae.circuits.births import Births, births
from lib.sae.circuits.lens_file import known_lens
from lib.sae.circuits.shelved import births_inputs, states_inputs
from lib.sae.circuits.states import States, pooled_states
from lib.sae.decomposition import decompose
from lib.sae.sources import PACKAGED_SAE, open_sae
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

ASKED = ("medical",)
"""The query sets on which the page first compares the packaged adapters with their base."""


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
    _others(corpus, store, policy)
    for layout in LAYOUTS:
        kept_projection(made.key, made.vectors, shelf, **layout)
    for grouping in GROUPINGS:
        kept_clusters(made.key, made.vectors, shelf, **grouping)
    _layers(encoder, corpus, shelf)
    _circuits(encoder, corpus, made, shelf)


def _others(corpus: Corpus, store: EmbeddingStore, policy: Policy) -> None:
    """The other sides of the first match and of the diffs that the pages show."""
    static = describe(PACKAGED_STATIC, policy=policy)
    embed(corpus.texts, static, lambda: open_encoder(static, policy=policy), store)
    texts = list(corpus.texts)
    for queries in map(load_query_set, ASKED):
        texts += [*queries.documents, *queries.queries]
    for name in PACKAGED_ADAPTERS:
        tuned = describe(name, policy=policy)
        embed(texts, tuned, partial(open_encoder, tuned, policy=policy), store)


def _layers(encoder: Encoder, corpus: Corpus, shelf: Shelf) -> None:
    """What the Layers page opens with."""
    settings: dict[str, Any] = {"precision": encoder.precision}
    kept(
        BuildUp,
        build_up_inputs(corpus, encoder.checkpoint, **settings),
        shelf,
        lambda: layer_build_up(encoder, corpus.texts, corpus.labels),
    )
    kept(
        HeadEntropy,
        head_entropy_inputs(corpus, encoder.checkpoint, **settings),
        shelf,
        lambda: head_entropy(encoder, corpus.texts),
    )


def _circuits(encoder: Encoder, corpus: Corpus, made: Embeddings, shelf: Shelf) -> None:
    """What the views of the Circuits page open with, under the packaged dictionary and the tuned lens."""
    sae = open_sae(PACKAGED_SAE, policy=Policy(allow_hub=False)).sae
    checkpoint, texts = encoder.checkpoint, corpus.texts
    precision: dict[str, Any] = {"precision": encoder.precision}
    lens = known_lens("tuned", checkpoint, sae)
    if lens is None:
        raise ValueError("the packaged encoder's lens does not lie beside its dictionary")
    inputs = births_inputs(texts, checkpoint, sae=sae, lens=lens, **precision)
    kept(Births, inputs, shelf, lambda: births(encoder, texts, sae=sae, lens=lens))
    first = texts[0]
    kept(States, states_inputs(first, checkpoint, **precision), shelf, lambda: pooled_states(encoder, [first]))
    strongest = int(decompose(sae, made.vectors[0]).features[0])
    beside = background_inputs(made.key, sae, feature=strongest)
    kept(Background, beside, shelf, lambda: background(encoder, sae, texts, feature=strongest))
