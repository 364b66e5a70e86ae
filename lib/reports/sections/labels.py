"""What a report tells of labels: do they show in the space?"""

import numpy as np

from lib.charts import geometry as charts
from lib.numerals import count, share
from lib.reports.material import Options
from lib.reports.report import Picture, Section, Table
from lib.reports.sections.again import again
from lib.reports.sections.measured import Space
from lib.reports.words import number

_LABELS = "Do the labels show in the space?"
_MOST_LABELS = 200


def labels_section(found: Space, options: Options) -> Section:
    """Silhouette and purity, label by label; says what is needed where there are no two labels."""
    fit, alike = found.geometry.labels, found.geometry.similarity
    needed = ("silhouette", "Silhouette"), ("purity", "Purity of neighbours")
    if fit is None:
        why = "It needs at least two different labels: name a column of labels."
        wanting = tuple(number(name, label, None, needs=why) for name, label in needed)
        return Section("labels", _LABELS, why, wanting, missing=True, **again("labels", options))
    chance = float((fit.chance_by_label * fit.counts).sum() / fit.counts.sum())
    order = np.argsort(fit.silhouette_by_label, kind="stable")
    worst = fit.names[int(order[0])]
    pictures = [
        Picture(
            "label_bars",
            "Silhouette and purity of each label",
            charts.label_bars(fit),
            "The tick is the purity that random neighbours would give. A low silhouette with a high purity means that "
            "groups touch but do not mix.",
        )
    ]
    if alike is not None and len(alike.names) > 1:
        pictures.append(Picture("label_cosines", "Mean cosine within and between labels", charts.label_heatmap(alike)))
    return Section(
        "labels",
        _LABELS,
        f"{share(fit.purity)} of a text's {fit.k} nearest neighbours carry its label, where chance would give "
        f"{share(chance)}. Least held together: {worst}.",
        (
            number(
                "silhouette",
                "Silhouette",
                fit.silhouette,
                baseline="0 for groups that overlap",
                meaning="By cosine in the full space, from −1 to 1.",
            ),
            number(
                "purity",
                "Purity of neighbours",
                fit.purity,
                shown=share(fit.purity),
                baseline=f"{share(chance)} by chance",
                meaning=f"Share of a text's {fit.k} nearest neighbours with its label.",
            ),
        ),
        tuple(pictures),
        (
            Table(
                "label_fit",
                ("label", "texts", "silhouette", "purity", "purity by chance"),
                tuple(
                    (
                        fit.names[i],
                        int(fit.counts[i]),
                        float(fit.silhouette_by_label[i]),
                        float(fit.purity_by_label[i]),
                        float(fit.chance_by_label[i]),
                    )
                    for i in order[:_MOST_LABELS]
                ),
                "The least held together first."
                + (f" {_MOST_LABELS} of {count(len(order))} labels." if len(order) > _MOST_LABELS else ""),
            ),
        ),
        facts={"purity.chance": chance},
        **again("labels", options),
    )
