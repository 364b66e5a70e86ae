"""Tools about networks: features that fire on the same texts."""

from typing import Annotated

from pydantic import Field

from lib.agents.answers import Answer, Row, page
from lib.agents.arguments import CorpusName, EncoderName, Feature, Limit, Offset, Picture, SaeName, Seed
from lib.agents.desk import Desk
from lib.agents.pictures import network_picture
from lib.encoders import PACKAGED
from lib.numerals import count
from lib.results import to_json
from lib.sae.facts import label_of
from lib.sae.network.graph import Measure
from lib.sae.network.settings import DEFAULT_FEATURES, DEFAULT_MEASURE
from lib.sae.sources import PACKAGED_SAE

_MOST_FEATURES = 300


class EdgeRow(Row):
    """Two features that fire on the same texts."""

    a: int
    b: int
    label_a: str | None
    label_b: str | None
    weight: float
    both: int = Field(description="Texts on which both fire.")
    expected: float = Field(description="How many there would be by chance.")
    chance: bool = Field(description="Whether chance could bring it about (false discovery rate).")


class ClusterRow(Row):
    """Features that fire together."""

    number: int
    features: list[int]
    labels: list[str | None]
    typical: str | None = Field(description="Label of the corpus that is over-represented, by its interval; or none.")


class NetworkAnswer(Answer):
    """Which features fire on the same texts."""

    texts: int
    shown: int = Field(description="Features in the network.")
    edges_kept: int
    edges_by_chance: float | None = Field(description="Edges in shuffled networks, on average.")
    measure: str
    threshold: float
    modularity: float | None
    edges: list[EdgeRow] = Field(description="The heaviest first.")
    clusters: list[ClusterRow]
    sae: str
    seed: int


def network(
    desk: Desk,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    features: Annotated[
        int, Field(ge=2, le=_MOST_FEATURES, description="How many, those of the largest total activation.")
    ] = DEFAULT_FEATURES,
    only: Annotated[
        list[Feature] | None, Field(max_length=_MOST_FEATURES, description="These features and no others.")
    ] = None,
    measure: Annotated[Measure, Field(description="What the weight of an edge is.")] = DEFAULT_MEASURE,
    threshold: Annotated[float | None, Field(ge=-1, le=1_000, description="Least weight of an edge.")] = None,
    offset: Offset = 0,
    limit: Limit = 30,
    picture: Picture = True,
    seed: Seed = 0,
) -> NetworkAnswer:
    """Which features fire on the same texts, clusters of them, and what shuffled texts would give."""
    from lib.sae.network import describe
    from lib.sae.network import network as network_of

    taken = desk.bench.taken_apart(corpus, encoder, sae, tell=desk.tells("Encoding"))
    found = network_of(
        taken.codes, most=features, chosen=only, measure=measure, threshold=threshold, seed=seed,
        progress=desk.tells("Shuffling"),
    )  # fmt: skip
    numbers = found.features.tolist()
    labels = [label_of(taken.database, feature) for feature in numbers]
    order = sorted(range(found.edges), key=lambda at: -float(found.weight[at]))
    shown, cut = page(order, offset, limit, "edges")
    names = [label or f"#{number}" for label, number in zip(labels, numbers, strict=True)]
    if len(found):
        desk.show(lambda: network_picture(found, names, name=taken.corpus.name), picture)
    clusters = describe(found, labels, taken.corpus.labels, taken.codes)
    return NetworkAnswer(
        says=f"{len(found)} features, {count(found.edges)} edges of {measure} {found.threshold:g} or more; shuffled "
        f"texts give {found.null_edges:.3g}. {len(clusters)} clusters.",
        texts=found.texts,
        shown=len(found),
        edges_kept=found.edges,
        edges_by_chance=to_json(found.null_edges),
        measure=measure,
        threshold=found.threshold,
        modularity=to_json(found.modularity),
        edges=[
            EdgeRow(
                a=numbers[int(found.a[at])],
                b=numbers[int(found.b[at])],
                label_a=labels[int(found.a[at])],
                label_b=labels[int(found.b[at])],
                weight=float(found.weight[at]),
                both=int(found.both[at]),
                expected=float(found.expected[at]),
                chance=bool(found.chance[at]),
            )
            for at in shown
        ],
        clusters=[
            ClusterRow(
                number=one.number,
                features=one.features[:12].tolist(),
                labels=[label_of(taken.database, feature) for feature in one.features[:12].tolist()],
                typical=one.typical,
            )
            for one in clusters[:20]
        ],
        sae=taken.opened.source,
        seed=seed,
        cut=cut,
    )
