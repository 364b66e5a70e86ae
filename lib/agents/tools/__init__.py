"""Tools: what agents may call, a module for each page or two."""

from lib.agents.calls import Tool
from lib.agents.tools import (
    circuits,
    difference,
    encoders,
    features,
    glance,
    networks,
    origins,
    reports,
    retrieval,
    searches,
    space,
    steering,
    texts,
    trust,
)

TOOLS: tuple[Tool, ...] = (
    Tool(encoders.list_encoders, "Encoders at hand", heavy=False),
    Tool(encoders.describe_encoder, "What an encoder is", heavy=False),
    Tool(encoders.load_encoder, "Load an encoder"),
    Tool(encoders.embed, "Embed a few texts"),
    Tool(glance.overview, "Eight signals at a glance"),
    Tool(reports.report, "Every number, and demands on them"),
    Tool(space.geometry, "Shape of a corpus"),
    Tool(space.layers, "Layer by layer"),
    Tool(searches.search, "Search a corpus"),
    Tool(retrieval.evaluate_retrieval, "How well it retrieves"),
    Tool(retrieval.hard_negatives, "Hard negatives"),
    Tool(texts.decompose, "What a text is made of"),
    Tool(texts.contrast, "What tells two texts apart"),
    Tool(features.list_features, "Features of a corpus"),
    Tool(features.search_features, "Features by their labels", heavy=False),
    Tool(features.describe_feature, "One feature"),
    Tool(networks.network, "Features that fire together"),
    Tool(circuits.circuit, "A feature through the layers"),
    Tool(origins.births, "Where features are born"),
    Tool(origins.writers, "What writes a feature"),
    Tool(steering.steer, "Push a text along features"),
    Tool(trust.diagnose, "Can features be trusted"),
    Tool(difference.diff, "What a fine-tune changed"),
)
"""All of them, in the order in which they are listed."""
