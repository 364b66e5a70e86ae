"""The feature database: what is known of each feature of a dictionary, in one table.

It travels with an SAE (`features.parquet` in its folder), is exported from the browser as Parquet or JSON, and can be
imported: `lib.sae.database` reads and writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder

if TYPE_CHECKING:
    from lib.sae.labels import Labels
    from lib.sae.statistics import FeatureStatistics

FILE = "features.parquet"
COLUMNS = {
    "label": "what the feature is about, a few words; missing where nothing was found",
    "label_source": "how the label was made: keywords, encoder, the name of a language model, or edited",
    "score": "AUROC with which the label's words predict, on held-out texts, whether the feature fires; .5 is chance",
    "score_error": "standard error of the score",
    "score_near": "the same AUROC against near misses alone: texts on which the nearest features fire and it does not",
    "score_texts": "held-out texts behind the score",
    "frequency": "share of the corpus's texts on which it fires",
    "mean": "mean activation where it fires",
    "maximum": "largest activation seen",
    "total": "sum of its activations",
    "stability": "decoder cosine with its match in a second training with another seed",
    "examples": "texts that activate it most, where their licence lets them be passed on; a list",
}
TEXT_COLUMNS = ("label", "label_source")
NUMBER_COLUMNS = tuple(name for name in COLUMNS if name not in (*TEXT_COLUMNS, "examples"))
MOST_LABEL_CHARACTERS = 120
_SCORES = ("score", "score_error", "score_near", "score_texts")


@dataclass(frozen=True, eq=False)
class FeatureDatabase:
    """What is known of the n features of one dictionary."""

    table: pd.DataFrame
    """n rows, row f is feature f; columns of `COLUMNS`, NaN or None where a thing is not known."""
    sae_key: str
    """`SparseAutoencoder.key` of the dictionary."""
    corpus: str
    """The corpus behind the statistics."""
    texts: int
    """Its texts."""

    def label(self, feature: int) -> str | None:
        """What `feature` is about, or None where it has no label."""
        found = self.table["label"].iloc[feature] if "label" in self.table.columns else None
        return None if found is None or pd.isna(found) else str(found)

    def numbers(self, column: str) -> NDArray[np.float64] | None:
        """A column of numbers, shape (n,), NaN where one is not known; None where the table has no such column."""
        if column not in self.table.columns:
            return None
        found = self.table[column].to_numpy(dtype=np.float64)
        return None if np.isnan(found).all() else found

    def with_label(self, feature: int, text: str | None) -> "FeatureDatabase":
        """The same with another label for `feature`, marked as edited and without the old one's score.

        Raises:
            InputError: a feature that there is not, or a label that is too long.
        """
        return self.with_labels({feature: text})

    def with_labels(self, labels: Mapping[int, str | None]) -> "FeatureDatabase":
        """The same with other labels, as `with_label` has it.

        Raises:
            InputError: a feature that there is not, or a label that is too long.
        """
        outside = [feature for feature in labels if not 0 <= feature < len(self.table)]
        if outside:
            raise InputError(f"This dictionary has the features 0 to {len(self.table) - 1:,}, got {outside[0]}.")
        table, at = self.table.copy(), list(labels)
        for name in _SCORES:
            if name in table.columns:
                values = table[name].to_numpy(dtype=np.float64, copy=True)
                values[at] = np.nan
                table[name] = values
        texts = [check_label(text) for text in labels.values()]
        for name, given in (("label", texts), ("label_source", ["edited"] * len(at))):
            column: list[object] = table[name].tolist() if name in table.columns else [None] * len(table)
            for feature, value in zip(at, given, strict=True):
                column[feature] = value
            table[name] = pd.Series(column, index=table.index, dtype=object)
        return FeatureDatabase(table, self.sae_key, self.corpus, self.texts)

    def with_known(self, other: "FeatureDatabase") -> "FeatureDatabase":
        """The same with the labels, scores and stabilities of `other`, which is about the same dictionary."""
        table = self.table.copy()
        for name in (*TEXT_COLUMNS, *_SCORES, "stability"):
            if name in other.table.columns:
                table[name] = other.table[name].to_numpy()
        return FeatureDatabase(table, self.sae_key, self.corpus, self.texts)

    def with_made(self, labels: "Labels") -> "FeatureDatabase":
        """The same with the labels that were made, where they were, and their scores."""
        made = np.array([one is not None for one in labels.text], dtype=bool)
        table = self.table.copy()
        for name, given in _columns_of(labels).items():
            old = table[name].tolist() if name in table.columns else [None] * len(table)
            both = [new if here else was for new, was, here in zip(given, old, made.tolist(), strict=True)]
            table[name] = pd.Series(both, dtype=object if name in TEXT_COLUMNS else np.float64)
        return FeatureDatabase(table, self.sae_key, self.corpus, self.texts)


def blank_database(sae: SparseAutoencoder, corpus: str) -> FeatureDatabase:
    """A database of `sae` in which nothing is known yet."""
    table = pd.DataFrame({"label": pd.Series([None] * sae.features, dtype=object)})
    return FeatureDatabase(table, sae.key, corpus, 0)


def check_label(text: str | None) -> str | None:
    """A label as it is kept: one line, no white space around it; None for an empty one.

    Raises:
        InputError: longer than `MOST_LABEL_CHARACTERS`.
    """
    line = " ".join((text or "").split())
    if len(line) > MOST_LABEL_CHARACTERS:
        raise InputError(
            f"A label has at most {MOST_LABEL_CHARACTERS} characters, got {len(line):,}: say it in a few words."
        )
    return line or None


def make_database(
    sae: SparseAutoencoder,
    statistics: "FeatureStatistics",
    *,
    corpus: str,
    labels: "Labels | None" = None,
    stability: NDArray[np.floating] | None = None,
    examples: list[list[str]] | None = None,
) -> FeatureDatabase:
    """What was found about the features of `sae` on one corpus, as a database.

    Raises:
        InputError: statistics of a dictionary of another width.
    """
    if len(statistics.count) != sae.features:
        raise InputError(
            f"These statistics are of {len(statistics.count):,} features; this dictionary has {sae.features:,}."
        )
    columns: dict[str, object] = {}
    if labels is not None:
        for name, given in _columns_of(labels).items():
            columns[name] = pd.Series(given, dtype=object if name in TEXT_COLUMNS else np.float64)
    columns |= {name: getattr(statistics, name) for name in ("frequency", "mean", "maximum", "total")}
    if stability is not None:
        columns["stability"] = np.asarray(stability, dtype=np.float64)
    if examples is not None:
        columns["examples"] = pd.Series(examples, dtype=object)
    return FeatureDatabase(pd.DataFrame(columns), sae.key, corpus, statistics.texts)


def _columns_of(labels: "Labels") -> dict[str, list[Any]]:
    """A database's columns of labels and their scores."""
    return {
        "label": list(labels.text),
        "label_source": list(labels.source),
        "score": labels.score.tolist(),
        "score_error": labels.error.tolist(),
        "score_near": labels.near.tolist(),
        "score_texts": np.where(np.isnan(labels.score), np.nan, labels.texts).tolist(),
    }
