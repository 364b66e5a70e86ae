"""Facts: what is reported of a dictionary, of its features, and of texts taken apart, as JSON values."""

from typing import Any

from lib.results import to_json
from lib.sae.database import FeatureDatabase
from lib.sae.decomposition import Contrast, Decomposition
from lib.sae.sources import OpenedSae
from lib.sae.statistics import FeatureStatistics

_KNOWN = ("label", "label_source", "score", "score_error", "score_near", "score_texts", "stability")
_COUNTED = ("count", "frequency", "mean", "maximum", "total", "specificity")


def about_sae(opened: OpenedSae) -> dict[str, Any]:
    """What is reported of a dictionary."""
    sae = opened.sae
    return {
        "source": opened.source,
        "key": sae.key,
        "features": sae.features,
        "dimensions": sae.dimensions,
        "rule": sae.rule,
        "k": sae.k,
        "prefixes": list(sae.prefixes),
        **sae.about.to_dict(),
    }


def label_of(database: FeatureDatabase | None, feature: int) -> str | None:
    """What a feature is about, where that is known."""
    return None if database is None else database.label(feature)


def known_of(feature: int, database: FeatureDatabase | None) -> dict[str, Any]:
    """Label, score and stability of a feature, and the corpus that the label was scored on."""
    if database is None:
        return {}
    row = database.table.iloc[feature]
    found = {name: row[name] for name in _KNOWN if name in database.table.columns}
    found["label"] = database.label(feature)
    found |= {"scored_on": database.scored_on[feature]} if found["label"] is not None else {}
    return {name: to_json(value) for name, value in found.items()}


def feature_facts(feature: int, statistics: FeatureStatistics, database: FeatureDatabase | None) -> dict[str, Any]:
    """How often and how strongly a feature fires on a corpus, and what is known of it."""
    found = {"feature": feature} | {name: to_json(getattr(statistics, name)[feature]) for name in _COUNTED}
    return found | known_of(feature, database)


def decomposition_facts(result: Decomposition, database: FeatureDatabase | None, top: int | None) -> dict[str, Any]:
    """A decomposition, one object a feature, the `top` strongest."""
    rows = zip(result.features.tolist(), result.activations, result.shares, strict=True)
    features = [
        {"feature": feature, "label": label_of(database, feature), "activation": activation, "share": part}
        for feature, activation, part in list(rows)[:top]
    ]
    whole = {
        name: value for name, value in result.to_dict().items() if name not in ("features", "activations", "shares")
    }
    made: dict[str, Any] = to_json(
        {"active": len(result.features), "features_share": result.features_share, **whole, "features": features}
    )
    return made


def contrast_facts(result: Contrast, database: FeatureDatabase | None, *, times: float, shared: bool) -> dict[str, Any]:
    """A contrast, one object a feature: those that differ `times` as strong, or all; what is left out is counted."""
    differs = result.differing(times)
    rows = [row for row in range(len(result.features)) if shared or differs[row]]
    features = [
        {
            "feature": result.features[row],
            "label": label_of(database, int(result.features[row])),
            "differs": bool(differs[row]),
            "a": result.activations_a[row],
            "b": result.activations_b[row],
            "through_a": result.through_a.contributions[row],
            "through_b": result.through_b.contributions[row],
            "contribution": result.both.contributions[row],
        }
        for row in rows
    ]
    ways = {"through_a": result.through_a, "through_b": result.through_b, "both": result.both}
    made: dict[str, Any] = to_json(
        {
            "cosine": result.cosine,
            "only_a": int(result.only_a.sum()),
            "only_b": int(result.only_b.sum()),
            "shared": int(result.shared.sum()),
            "parts": {
                name: {"features": way.contributions.sum(), "bias": way.bias, "error": way.error}
                for name, way in ways.items()
            },
            "meetings": result.meetings,
            "features": features,
            "features_not_written": len(result.features) - len(rows),
        }
    )
    return made


def change_facts(database: FeatureDatabase | None, feature: int, before: float, after: float) -> dict[str, Any]:
    """One feature's activation before and after."""
    return {
        "feature": feature,
        "label": label_of(database, feature),
        "before": before,
        "after": after,
        "change": float(after) - float(before),
    }
