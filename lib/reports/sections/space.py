"""What a report tells of a corpus in an encoder's space: map, anisotropy, dimension, labels, hubs, outliers."""

from dataclasses import replace

from lib.charts import geometry as charts
from lib.charts import maps
from lib.geometry.vectors import sample_rows
from lib.numerals import count, share
from lib.reports.material import CorpusSide, Options
from lib.reports.report import Picture, Section
from lib.reports.sections.again import again
from lib.reports.sections.labels import labels_section
from lib.reports.sections.measured import FEWEST, Space, measured, numbers_beside
from lib.reports.sections.texts import hubs_section, outliers_section
from lib.reports.words import Quoting, decimal, number

__all__ = ["FEWEST", "Space", "measured", "numbers_beside", "sections"]

MOST_POINTS = 5_000
"""Texts that the map draws; of more, a uniform sample."""


def sections(side: CorpusSide, found: Space, options: Options) -> tuple[Section, ...]:
    """The sections on the space."""
    made = [_map(side, found, options), _anisotropy(found, options), _dimension(found, options)]
    made.append(labels_section(found, options))
    return (*made, hubs_section(side, found, options), outliers_section(side, found, options))


def _map(side: CorpusSide, found: Space, options: Options) -> Section:
    layout, groups, corpus = found.layout, found.groups, side.corpus
    quoting = Quoting(texts=options.texts)
    rows = sample_rows(len(corpus), MOST_POINTS, seed=options.seed)
    drawn = replace(layout, coordinates=layout.coordinates[rows], items=len(rows))
    names = corpus.labels or [None if c < 0 else f"cluster {c + 1}" for c in groups.labels]
    colouring = maps.Colouring("label" if corpus.labels else "cluster", groups=[names[row] for row in rows])
    texts = quoting.all("text", corpus.texts, corpus.ids, rows.tolist())
    figure = maps.corpus_map(drawn, texts, colouring, flagged=groups.far[rows])
    notices = [*layout.notices, *groups.notices]
    if len(rows) < len(corpus):
        notices.append(f"A uniform sample of {count(len(rows))} of {count(len(corpus))} texts is drawn.")
    far = int(groups.far.sum())
    return Section(
        "map",
        "How is this corpus laid out?",
        f"{count(groups.count)} clusters were found without labels; {count(far)} of {count(len(corpus))} texts lie far "
        "from every one of them.",
        (
            number(
                "trustworthiness",
                "Trustworthiness of the map",
                layout.trustworthiness,
                baseline="about 0.5 for a random map",
                meaning="1: every neighbour on the map is a neighbour by cosine.",
            ),
            number("clusters", "Clusters", groups.count, shown=count(groups.count), meaning="Found without labels."),
            number(
                "clusters.far_share",
                "Far from any cluster",
                far / groups.items,
                shown=share(far / groups.items),
                meaning=f"Texts whose cosine distance to the nearest cluster's centroid is above {groups.fence:.2f}.",
            ),
        ),
        (
            Picture(
                "map",
                "Map of the corpus",
                figure,
                "Close points are alike; distances between groups, their sizes and the axes mean nothing.",
                frozenset(quoting.quoted),
            ),
        ),
        notices=tuple(notices),
        **again("map", options),
    )


def _anisotropy(found: Space, options: Options) -> Section:
    result, even = found.geometry.anisotropy, found.geometry.uniformity
    beyond = result.mean_cosine * result.dimensions**0.5
    return Section(
        "anisotropy",
        "Do all embeddings point the same way?",
        f"Two texts drawn at random have a cosine of {decimal(result.mean_cosine)} on average, {decimal(beyond, 1)} "
        "standard deviations of evenly spread directions above 0.",
        (
            number(
                "anisotropy",
                "Mean cosine",
                result.mean_cosine,
                baseline="0 for directions spread evenly",
                meaning="Over every pair, exact; 1 is collapsed.",
            ),
            number(
                "anisotropy.centred",
                "After mean-centering",
                result.mean_cosine_centred,
                baseline="0 for directions spread evenly",
                meaning="The same once the mean vector is subtracted.",
            ),
            number(
                "top_direction_share",
                "Top direction",
                result.top_direction_share,
                shown=share(result.top_direction_share),
                baseline=f"{share(1 / result.dimensions)} for directions spread evenly",
                meaning="Share of the second moment in the strongest direction.",
            ),
            number(
                "uniformity",
                "Uniformity",
                even.uniformity,
                baseline=f"{decimal(even.uniform_sphere, 2)} for directions spread evenly",
                meaning="log mean exp(−2 |u − v|²) over pairs; lower is more even.",
            ),
            number(
                "alignment",
                "Alignment",
                even.alignment,
                baseline="" if even.across is None else f"{decimal(even.across, 2)} across labels",
                meaning="Mean squared distance of two texts with the same label; lower is closer.",
                needs="It needs a label that two texts share: name a column of labels.",
            ),
        ),
        (
            Picture(
                "cosines",
                "Cosines of pairs of texts, beside the law of even directions",
                charts.cosine_histogram(result),
                f"Over {'every pair' if result.every_pair else 'a sample of pairs'} ({count(result.pairs)}). Compare "
                "encoders on the same corpus only: a narrow topic raises the mean too, and a low one does not by "
                "itself mean good retrieval.",
            ),
            Picture(
                "dimensions",
                "Dimensions with the largest part of the mean cosine",
                charts.dominant_dimensions(result),
                f"The parts of all {count(result.dimensions)} dimensions add up to the mean cosine.",
            ),
        ),
        **again("anisotropy", options),
    )


def _dimension(found: Space, options: Options) -> Section:
    result = found.geometry.dimension
    of = f"of {count(result.dimensions)}"
    small = (
        (f"{count(result.items)} texts are few for {count(result.dimensions)} dimensions: more would raise counts.",)
        if result.items < 5 * result.dimensions
        else ()
    )
    return Section(
        "dimension",
        "How many dimensions do these texts fill?",
        f"{result.components_90}, {result.components_95} and {result.components_99} {of} components hold 90, 95 and "
        "99 % of the variance. A low count says how far this corpus could be compressed, nothing worse.",
        (
            *(
                number(
                    f"components_{part}",
                    f"Components for {part} %",
                    value,
                    shown=count(value),
                    baseline=of,
                    meaning=f"Principal components that hold {part} % of the variance.",
                )
                for part, value in (
                    (90, result.components_90),
                    (95, result.components_95),
                    (99, result.components_99),
                )
            ),
            number(
                "participation_ratio",
                "Participation ratio",
                result.participation_ratio,
                shown=decimal(result.participation_ratio, 1),
                baseline=of,
                meaning="Equally strong components that would spread the variance as evenly.",
            ),
            number(
                "two_nn",
                "TwoNN",
                result.two_nn,
                shown=decimal(result.two_nn, 1),
                interval=result.two_nn_interval,
                baseline=of,
                meaning="Nonlinear estimate from the two nearest neighbours.",
                needs="It needs ten different texts or more.",
            ),
        ),
        (
            Picture(
                "variance",
                "Share of the variance in the first components",
                charts.cumulative_variance(result),
                "Compare encoders on the same texts only.",
            ),
        ),
        notices=small,
        **again("dimension", options),
    )
