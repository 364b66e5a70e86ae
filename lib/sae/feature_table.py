"""The feature database: what is known of each feature of a dictionary, in one table.

It travels with an SAE (`features.parquet` in its folder), is exported from the browser as Parquet or JSON, and can be
imported: `lib.sae.database` reads and writes it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
    "scored_on": "the corpus that those texts are of; missing where it is the database's own",
    "frequency": "share of the corpus's texts on which it fires",
    "mean": "mean activation where it fires",
    "maximum": "largest activation seen",
    "total": "sum of its activations",
    "stability": "decoder cosine with its match in a second training with another seed",
    "examples": "texts that activate it most, where their licence lets them be passed on; a list",
}
TEXT_COLUMNS = ("label", "label_source", "scored_on")
NUMBER_COLUMNS = tuple(name for name in COLUMNS if name not in (*TEXT_COLUMNS, "examples"))
MOST_LABEL_CHARACTERS = 120
MOST_NAME_CHARACTERS = 300
_SCORES = ("score", "score_error", "score_near", "score_texts")


@dataclass(frozen=True)
class Edit:
    """A label that a person wrote, and its score where it was scored."""

    text: str | None
    """The label; None where one was taken away."""
    score: float = float("nan")
    """AUROC on held-out texts; NaN where it was not scored, or on too few."""
    error: float = float("nan")
    """Its standard error."""
    near: float = float("nan")
    """AUROC against the near misses alone."""
    texts: int = 0
    """Held-out texts behind it."""
    scored_on: str | None = None
    """The corpus that they are of."""


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

    @cached_property
    def scored_on(self) -> tuple[str | None, ...]:
        """The corpora that the n labels were scored on; None where there is no score."""
        scores = self.numbers("score")
        if scores is None:
            return (None,) * len(self.table)
        named = self.table["scored_on"].tolist() if "scored_on" in self.table.columns else [None] * len(self.table)
        given = [name if isinstance(name, str) and name else self.corpus for name in named]
        return tuple(None if np.isnan(value) else name for value, name in zip(scores, given, strict=True))

    def scored_corpora(self) -> dict[str, int]:
        """The corpora that labels were scored on, with how many were, the most first."""
        return dict(Counter(name for name in self.scored_on if name is not None).most_common())

    def with_label(self, feature: int, text: str | None) -> "FeatureDatabase":
        """The same with another label for `feature`, marked as edited and without the old one's score.

        Raises:
            InputError: a feature that there is not, or a label that is too long.
        """
        return self.with_edits({feature: Edit(text)})

    def with_edits(self, edits: Mapping[int, Edit]) -> "FeatureDatabase":
        """The same with other labels, marked as edited, and their scores in place of the old ones'.

        Raises:
            InputError: a feature that there is not, or a label that is too long.
        """
        outside = [feature for feature in edits if not 0 <= feature < len(self.table)]
        if outside:
            raise InputError(f"This dictionary has the features 0 to {len(self.table) - 1:,}, got {outside[0]}.")
        given = list(edits.values())
        columns: dict[str, list[Any]] = {
            "label": [check_label(edit.text) for edit in given],
            "label_source": ["edited"] * len(given),
        }
        if self._has_scores() or any(edit.scored_on for edit in given):
            columns |= {
                "score": [edit.score for edit in given],
                "score_error": [edit.error for edit in given],
                "score_near": [edit.near for edit in given],
                "score_texts": [edit.texts if edit.score == edit.score else float("nan") for edit in given],
            }
        if "scored_on" in self.table.columns or any(edit.scored_on for edit in given):
            columns["scored_on"] = [edit.scored_on for edit in given]
        return self._with(dict(zip(edits, range(len(given)), strict=True)), columns)

    def with_known(self, other: "FeatureDatabase") -> "FeatureDatabase":
        """The same with the labels, scores and stabilities of `other`, which is about the same dictionary.

        A score keeps the corpus that it was measured on.
        """
        table = self.table.copy()
        for name in ("label", "label_source", *_SCORES, "stability"):
            if name in other.table.columns:
                table[name] = other.table[name].to_numpy()
        if other._has_scores():
            table["scored_on"] = _texts(list(other.scored_on))
        return FeatureDatabase(table, self.sae_key, self.corpus, self.texts)

    def with_made(self, labels: "Labels", corpus: str) -> "FeatureDatabase":
        """The same with the labels that were made on `corpus`, where they were, and their scores."""
        made = [feature for feature, one in enumerate(labels.text) if one is not None]
        columns = {name: [given[f] for f in made] for name, given in _columns_of(labels).items()}
        columns["scored_on"] = [corpus] * len(made)
        return self._with(dict(zip(made, range(len(made)), strict=True)), columns)

    def _with(self, places: Mapping[int, int], columns: Mapping[str, list[Any]]) -> "FeatureDatabase":
        """The same with other values for some features: `places` says where in `columns` those of each stand."""
        table = self.table.copy()
        for name, given in columns.items():
            values: list[Any] = table[name].tolist() if name in table.columns else [None] * len(table)
            for feature, place in places.items():
                values[feature] = given[place]
            table[name] = _texts(values) if name in TEXT_COLUMNS else pd.Series(values, dtype=np.float64)
        return FeatureDatabase(table, self.sae_key, self.corpus, self.texts)

    def _has_scores(self) -> bool:
        return any(name in self.table.columns for name in _SCORES)


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


def check_name(name: object) -> str | None:
    """A corpus's name as it is kept: one line of at most `MOST_NAME_CHARACTERS`; None for an empty one."""
    signs = "".join(sign if sign.isprintable() else " " for sign in str(name or ""))
    return " ".join(signs.split())[:MOST_NAME_CHARACTERS] or None


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


def _texts(values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype=object)


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
