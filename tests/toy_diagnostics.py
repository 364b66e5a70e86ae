"""A corpus and a dictionary of which it is known what is absorbed, what means two things, and what is always on."""

import json

import numpy as np
import pandas as pd

from lib.sae import About, save
from lib.sae.database import FeatureDatabase, write_database
from tests.toy_sae import orthogonal_sae

TOPICS = ("harbour", "violin", "glacier", "saffron", "chess", "lantern", "orchid", "tunnel", "anvil", "meadow")
SUBSET, UNION, ALWAYS, SILENT = 10, 11, 12, 13
FEATURES = 16
EACH = 40


def planted(seed=0):
    """Vectors (400, 16), the topic of each, and their texts. Features 0 to 9 fire on one topic each.

    SUBSET fires on half of topic 0's texts; UNION on topics 1 and 2 (and alone on some others, so that it is wider);
    ALWAYS on 19 of 20 texts; SILENT and the last two on none.
    """
    generator = np.random.default_rng(seed)
    topic = np.repeat(np.arange(len(TOPICS)), EACH)
    vectors = np.zeros((len(topic), FEATURES), dtype=np.float32)
    vectors[np.arange(len(topic)), topic] = generator.uniform(0.9, 1.1, size=len(topic))
    vectors[np.flatnonzero(topic == 0)[::2], SUBSET] = generator.uniform(0.3, 0.5, size=EACH // 2)
    both = (topic == 1) | (topic == 2)
    vectors[both, UNION] = generator.uniform(0.2, 0.3, size=both.sum())
    on = np.arange(len(topic)) % 20 > 0
    vectors[on, ALWAYS] = generator.uniform(0.15, 0.2, size=on.sum())
    vectors[:, SILENT:] = generator.uniform(0, 0.05, size=(len(topic), FEATURES - SILENT))
    texts = [f"about the {TOPICS[t]}; {i}" for i, t in enumerate(topic)]
    return vectors, topic, texts


def dictionary(**about):
    """The dictionary: each feature fires where its coordinate is above .1."""
    return orthogonal_sae(FEATURES, bias=0.1, about=About(name="planted", **about))


def jsonl(labels=True, rows=None, word=""):
    """The corpus as a file with a column of vectors."""
    vectors, topic, texts = planted()
    lines = []
    for row in range(len(texts)) if rows is None else rows:
        line = {"text": texts[row] + word, "vector": [float(value) for value in vectors[row]]}
        lines.append(line | ({"label": TOPICS[topic[row]] + word} if labels else {}))
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def save_folder(folder, *, labels=None, frequency=None, stability=None, corpus="made up"):
    """The dictionary in `folder`, with a feature database if anything is known of its features."""
    sae = dictionary(trained_on={"name": "made up"})
    save(sae, folder)
    table = pd.DataFrame({"label": pd.Series([None] * FEATURES, dtype=object)})
    if labels is not None:
        table["label"] = pd.Series(labels, dtype=object)
    for name, values in (("frequency", frequency), ("stability", stability)):
        if values is not None:
            table[name] = np.asarray(values, dtype=np.float64)
    if labels is not None or frequency is not None or stability is not None:
        write_database(FeatureDatabase(table, sae.key, corpus, 1_000), folder / "features.parquet")
    return folder
