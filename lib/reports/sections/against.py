"""What a report tells of two encoders side by side: tests over the same queries, numbers of the same space."""

import math
from collections.abc import Mapping

import numpy as np

from lib.charts.retrieval_quality import metric_by_topic
from lib.reports.material import Options
from lib.reports.report import Number, Picture, Section, Table
from lib.reports.sections.again import again
from lib.reports.sections.retrieval import HEADLINE, Answers, titled
from lib.reports.words import number
from lib.retrieval import PairedTest, Summary, paired_test
from lib.retrieval.bootstrap import interval
from lib.retrieval.comparison import holm

_TESTED = (HEADLINE, "recall@1", "recall@10", "mrr")
_LEVEL = 0.05
_SPACE = {
    "anisotropy": "Mean cosine",
    "anisotropy.centred": "After mean-centering",
    "components_95": "Components for 95 %",
    "two_nn": "TwoNN",
    "purity": "Purity of neighbours",
    "silhouette": "Silhouette",
    "hub_skewness": "Skewness of neighbourhoods",
    "outliers.share": "Far out",
}


def section(
    own: str,
    other: str,
    options: Options,
    *,
    answers: tuple[Answers, Answers] | None,
    facts: tuple[Mapping[str, float], Mapping[str, float]],
) -> Section:
    """The encoder `own` beside the encoder `other`; `facts` are the numbers of each by their flat names."""
    numbers: list[Number] = []
    tables: list[Table] = []
    pictures: tuple[Picture, ...] = ()
    sentence = "No query set was asked, so that nothing can be tested: the numbers stand side by side."
    more: dict[str, float] = {}
    if answers is not None:
        tests = _tests(answers, options.seed)
        corrected = holm(np.array([test.p_value for test in tests]))
        numbers = [_difference(test, float(p)) for test, p in zip(tests, corrected, strict=True)]
        tables.append(_table(tests, corrected.tolist(), own, other))
        pictures = _by_topic(answers, own, other, options.seed)
        sentence = _verdict(tests[0], own, other)
        more["against.p"] = tests[0].p_value
    rows = []
    for name, label in _SPACE.items():
        if name in facts[0] and name in facts[1]:
            rows.append((label, facts[0][name], facts[1][name], facts[0][name] - facts[1][name]))
            more[f"against.{name}"] = facts[0][name] - facts[1][name]
    if rows:
        caption = (
            "The space of the same texts. No test says which is better: these numbers describe a space, they do not "
            "grade it."
        )
        tables.append(Table("spaces", ("number", own, other, "difference"), tuple(rows), caption))
    return Section(
        "against", f"How does it compare with {other}?", sentence, tuple(numbers), pictures, tuple(tables), facts=more,
        **again("against", options, beside=other),
    )  # fmt: skip


def _tests(answers: tuple[Answers, Answers], seed: int) -> list[PairedTest]:
    own, other = (side.found.metrics for side in answers)
    return [paired_test(other, own, metric, seed=seed) for metric in _TESTED if metric in own.names]


def _difference(test: PairedTest, corrected: float) -> Number:
    return number(
        f"against.{test.metric}",
        f"{titled(test.metric)}, difference",
        test.difference,
        interval=(test.low, test.high),
        baseline="0 where both are the same",
        meaning=f"Above 0 this encoder is better; p = {corrected:.2g} by random signs, Holm over the metrics tested.",
    )


def _verdict(test: PairedTest, own: str, other: str) -> str:
    told = f"p = {test.p_value:.2g}, paired test over {test.queries} queries, level {_LEVEL:g}"
    if test.p_value > _LEVEL:
        return f"{titled(test.metric)} of {own} and {other} cannot be told apart ({told})."
    better, worse = (own, other) if test.difference > 0 else (other, own)
    return f"{better} has a higher {titled(test.metric)} than {worse} ({told})."


def _table(tests: list[PairedTest], corrected: list[float], own: str, other: str) -> Table:
    columns = ("metric", own, other, "difference", "from", "to", "p (Holm)", "better on", "worse on", "verdict")
    rows = tuple(
        (
            titled(t.metric), t.mean_b, t.mean_a, t.difference, _known(t.low), _known(t.high), p, t.wins, t.losses,
            "cannot be told" if p > _LEVEL else "higher" if t.difference > 0 else "lower",
        )
        for t, p in zip(tests, corrected, strict=True)
    )  # fmt: skip
    caption = (
        f"The same {tests[0].queries} queries put to both; intervals over queries, p by random signs, corrected by "
        f"Holm; told at {_LEVEL:g} or below."
    )
    return Table("tests", columns, rows, caption)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _by_topic(answers: tuple[Answers, Answers], own: str, other: str, seed: int) -> tuple[Picture, ...]:
    """The difference in `HEADLINE` over all queries and by topic."""
    first, second = answers
    difference = first.found.metrics.column(HEADLINE) - second.found.metrics.column(HEADLINE)
    groups: dict[str | None, list[int]] = {None: list(range(len(difference)))}
    topics = {s.group for s in first.found.summaries if s.group is not None}
    if not topics or first.topics is None:
        return ()
    for place, query in enumerate(first.found.metrics.query):
        topic = first.topics[int(query)]
        if topic is not None:
            groups.setdefault(topic, []).append(place)
    made = []
    for name, places in groups.items():
        (low,), (high,) = interval(difference[places, None], seed=seed)
        made.append(Summary(HEADLINE, name, float(difference[places].mean()), float(low), float(high), len(places)))
    return (
        Picture(
            "difference_by_topic",
            f"Difference in {titled(HEADLINE)} by topic",
            metric_by_topic(made, title=f"{titled(HEADLINE)}, difference", bounded=False),
            f"Above 0, {own} is better than {other}. Few queries make wide intervals.",
        ),
    )
