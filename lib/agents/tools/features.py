"""Tools about features: those of a corpus, by words in their labels, one in detail."""

from typing import Annotated, Any

from pydantic import Field

from lib.agents.answers import Answer, Row, clipped, page
from lib.agents.arguments import CorpusName, EncoderName, Feature, Limit, Offset, SaeName
from lib.agents.desk import Desk
from lib.encoders import PACKAGED
from lib.errors import InputError
from lib.numerals import count
from lib.sae.database import FeatureDatabase
from lib.sae.examples import examples
from lib.sae.facts import feature_facts, known_of, label_of
from lib.sae.label_lift import label_lift
from lib.sae.neighbours import nearest_features
from lib.sae.sources import PACKAGED_SAE
from lib.sae.statistics import Ranking, feature_statistics, rank_features


class FeatureRow(Row):
    """A feature and how it fires on a corpus."""

    feature: int
    label: str | None = None
    label_source: str | None = None
    score: float | None = Field(
        None, description="How well the label tells texts on which it fires: AUROC, .5 = chance."
    )
    score_error: float | None = None
    score_near: float | None = None
    score_texts: float | None = None
    scored_on: str | None = Field(None, description="The corpus that the label was scored on.")
    stability: float | None = Field(None, description="Cosine to its twin in another training, 0 to 1.")
    count: float | None = Field(None, description="Texts on which it fires.")
    frequency: float | None = None
    mean: float | None = Field(None, description="Mean activation where it fires.")
    maximum: float | None = None
    total: float | None = None
    specificity: float | None = None


class FeatureList(Answer):
    """Features, ranked."""

    ranked_by: str
    features: list[FeatureRow]
    sae: str


def list_features(
    desk: Desk,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    by: Annotated[Ranking, Field(description="What features are ranked by.")] = "total",
    offset: Offset = 0,
    limit: Limit = 20,
) -> FeatureList:
    """Which concepts a corpus holds: features that fire on its texts, ranked, with what is known of each."""
    taken = desk.bench.taken_apart(corpus, encoder, sae, tell=desk.tells("Encoding"))
    statistics = feature_statistics(taken.codes, labels=taken.corpus.labels)
    worth = {name: _numbers(taken.database, name) for name in ("score", "stability")}
    ranked = [row for row in rank_features(statistics, by, **worth).tolist() if statistics.count[row]]
    shown, cut = page(ranked, offset, limit, "features that fire")
    return FeatureList(
        says=f"{count(len(statistics.fires))} of {count(taken.opened.sae.features)} features fire on "
        f"{taken.corpus.name}, {float(statistics.count.sum() / statistics.texts):.3g} a text on average.",
        ranked_by=by,
        features=[FeatureRow(**feature_facts(feature, statistics, taken.database)) for feature in shown],
        sae=taken.opened.source,
        cut=cut,
    )


def search_features(
    desk: Desk,
    words: Annotated[str, Field(min_length=1, max_length=200, description="Words that the label has to hold.")],
    sae: SaeName = PACKAGED_SAE,
    offset: Offset = 0,
    limit: Limit = 20,
) -> FeatureList:
    """Features whose label holds these words, the best scored first; no texts are needed."""
    from lib.sae.labels.phrases import word_set

    opened, database = desk.bench.sae(sae)
    if database is None:
        raise InputError(f"{opened.source} comes without labels: browse its features on a corpus with list_features.")
    wanted, folded = word_set(words), words.casefold()
    labels = ((feature, database.label(feature)) for feature in range(opened.sae.features))
    found = [
        feature
        for feature, label in labels
        if label and (folded in label.casefold() or (wanted and wanted <= word_set(label)))
    ]
    scores = database.numbers("score")
    if scores is not None:
        found.sort(key=lambda feature: (-_or_less(float(scores[feature])), feature))
    shown, cut = page(found, offset, limit, "features")
    return FeatureList(
        says=f"{count(len(found))} of {count(opened.sae.features)} labels hold {clipped(words, 60)!r}."
        + ("" if found else " Labels are a few keywords each: try one other word."),
        ranked_by="score of the label",
        features=[FeatureRow(feature=feature, **known_of(feature, database)) for feature in shown],
        sae=opened.source,
        cut=cut,
    )


class Example(Row):
    """A text on which a feature fires."""

    id: str
    activation: float
    text: str


class NearFeature(Row):
    """A feature with a direction alike."""

    feature: int
    label: str | None
    cosine: float


class FeatureDetail(Answer):
    """All of one feature."""

    feature: FeatureRow
    examples: list[Example] = Field(description="Texts of the corpus on which it fires most strongly.")
    weaker: list[Example] = Field(description="Texts from the rest of its range: does the label still hold there?")
    by_label: dict[str, Any] | None = Field(description="How often it fires on each label beside all texts.")
    nearest: list[NearFeature]
    sae: str


def describe_feature(
    desk: Desk,
    feature: Feature,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    limit: Limit = 5,
) -> FeatureDetail:
    """One feature: its label and score, the texts that fire it most, weaker ones, labels, and features alike."""
    taken = desk.bench.taken_apart(corpus, encoder, sae, tell=desk.tells("Encoding"))
    texts, codes, database = taken.corpus, taken.codes, taken.database
    shown = examples(codes, feature, texts=texts.texts, top=limit)
    statistics = feature_statistics(codes, labels=texts.labels)
    near = nearest_features(taken.opened.sae, feature, 8)
    facts = FeatureRow(**feature_facts(feature, statistics, database))
    weaker = [
        (row, value)
        for rows, values in zip(shown.by_quantile, shown.quantile_activations, strict=True)
        for row, value in zip(rows, values, strict=True)
    ]

    def told(row: int, value: float) -> Example:
        return Example(id=texts.ids[row], activation=float(value), text=clipped(texts.texts[row]))

    name = f"Feature {feature}" + (f" ({facts.label})" if facts.label else ", which has no label,")
    return FeatureDetail(
        says=f"{name} fires on {shown.fires} of {len(texts)} texts of {texts.name}."
        + (f" Its label was scored {facts.score:.2f} (0.5 = chance) on {facts.scored_on}." if facts.score else ""),
        feature=facts,
        examples=[told(int(row), value) for row, value in zip(shown.rows, shown.activations, strict=True)],
        weaker=[told(int(row), float(value)) for row, value in weaker[: 2 * limit]],
        by_label=label_lift(statistics.labels, feature).to_dict() if statistics.labels else None,
        nearest=[
            NearFeature(feature=other, label=label_of(database, other), cosine=float(cosine))
            for other, cosine in zip(near.features.tolist(), near.cosines, strict=True)
        ],
        sae=taken.opened.source,
    )


def _numbers(database: FeatureDatabase | None, name: str) -> Any:
    return None if database is None else database.numbers(name)


def _or_less(score: float) -> float:
    return score if score == score else -1.0  # NaN: never scored
