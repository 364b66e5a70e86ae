"""What a report tells of single texts: hubs and outliers."""

from lib.charts import geometry as charts
from lib.charts.outliers import score_histogram
from lib.numerals import count, counted, share
from lib.reports.material import CorpusSide, Options
from lib.reports.report import Picture, Section, Table
from lib.reports.sections.again import again
from lib.reports.sections.measured import Space
from lib.reports.words import Quoting, decimal, number

_RULES = {
    "centroid": "corpus centroid",
    "label_centroid": "nearest label centroid",
    "neighbour": "k-th neighbour",
    "local_centroid": "nearest local centroid",
    "mahalanobis": "corpus by its covariance",
}


def hubs_section(side: CorpusSide, found: Space, options: Options) -> Section:
    """How unevenly neighbourhoods are shared out, and the texts that turn up most often."""
    result, corpus = found.geometry.hubness, side.corpus
    quoting = Quoting(texts=options.texts)
    top = list(zip(result.hubs.tolist(), result.hub_counts.tolist(), strict=True))[: options.listed]
    return Section(
        "hubs",
        "Do a few texts turn up among everyone's neighbours?",
        f"The skewness of how often a text is among the {result.k} nearest neighbours of others is "
        f"{decimal(result.skewness, 2)}, where random neighbours would give {decimal(result.chance_skewness, 2)}.",
        (
            number(
                "hub_skewness",
                "Skewness",
                result.skewness,
                shown=decimal(result.skewness, 2),
                baseline=f"{decimal(result.chance_skewness, 2)} by chance",
                meaning="0 is even; above 1 is marked hubness.",
            ),
            number(
                "antihub_share",
                "Nobody's neighbour",
                result.antihub_share,
                shown=share(result.antihub_share),
                meaning="Texts that are never found by a search among these texts.",
            ),
        ),
        (Picture("occurrence", "How often texts are neighbours of others", charts.occurrence_histogram(result)),),
        (
            Table(
                "hubs",
                ("times", "id", "text"),
                tuple((n, corpus.ids[row], quoting.one("text", corpus.texts, corpus.ids, row)) for row, n in top),
                "The texts that turn up most often.",
                frozenset(quoting.quoted),
            ),
        ),
        **again("hubs", options),
    )


def outliers_section(side: CorpusSide, found: Space, options: Options) -> Section:
    """How many texts lie unusually far out, and which."""
    scores, flagged, corpus = found.fence.scores, found.fence.flagged, side.corpus
    quoting = Quoting(texts=options.texts)
    rows = flagged.rows[: options.listed].tolist()
    labels = corpus.labels or [None] * len(corpus)
    far = len(flagged.rows)
    return Section(
        "outliers",
        "Which texts do not belong?",
        f"{counted(far, 'text')} of {count(flagged.items)} {'lies' if far == 1 else 'lie'} unusually far out: beyond "
        "the median of the scores and three robust standard deviations.",
        (
            number(
                "outliers",
                "Far out",
                far,
                shown=count(far),
                baseline=f"about {share(0.00135, 2)} of the texts if scores followed a bell curve",
                meaning="Texts above the threshold.",
            ),
            number("outliers.share", "Share", flagged.share, shown=share(flagged.share), meaning="Of all texts."),
            number(
                "outliers.threshold",
                "Threshold",
                flagged.threshold,
                meaning=f"Distance to the {_RULES[scores.rule]}, the text itself left out; higher is further out.",
            ),
        ),
        (
            Picture(
                "outlier_scores",
                "Scores of the texts, with the threshold",
                score_histogram(scores.scores, flagged.threshold, name=f"distance to the {_RULES[scores.rule]}"),
                "Each text is left out of what judges it. Scores of different encoders or corpora cannot be compared.",
            ),
        ),
        (
            Table(
                "outliers",
                ("score", "id", "label", "text"),
                tuple(
                    (
                        float(scores.scores[row]),
                        corpus.ids[row],
                        labels[row],
                        quoting.one("text", corpus.texts, corpus.ids, row),
                    )
                    for row in rows
                ),
                f"The farthest first, {count(len(rows))} of {count(far)}.",
                frozenset(quoting.quoted),
            ),
        )
        if rows
        else (),
        notices=scores.notices,
        **again("outliers", options, rule=scores.rule),
    )
