"""Tools about the space: a corpus's geometry, and how the layers build it."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from lib.agents.answers import Answer, Row, clipped, page
from lib.agents.arguments import CorpusName, EncoderName, Limit, Offset, Picture, Seed
from lib.agents.desk import Desk
from lib.agents.pictures import layers_picture, map_picture
from lib.corpora.facts import about
from lib.encoders import PACKAGED
from lib.errors import InputError
from lib.geometry import flag, measure, score
from lib.kept import kept, kept_projection
from lib.layers import (
    BuildUp,
    HeadEntropy,
    build_up_inputs,
    findings,
    flag_heads,
    head_entropy,
    head_entropy_inputs,
    layer_build_up,
)
from lib.results import to_json
from lib.sae.circuits.lens import why_no_layers
from lib.shelf import default_shelf


class OutlierRow(Row):
    """A text far from the others."""

    id: str
    text: str
    score: float = Field(description="Distance by the rule; higher is farther.")
    flagged: bool = Field(description="Whether it is above the quantile of the corpus's own scores.")


class LabelsFit(Row):
    """Whether labels lie apart."""

    names: list[str]
    silhouette: float = Field(description="-1 to 1; 0 = groups lie in each other.")
    purity: float = Field(description="Share of the nearest neighbours with the text's own label.")
    chance: list[float] = Field(description="What purity would be if labels were dealt out at random, by label.")


class GeometryAnswer(Answer):
    """The shape of a corpus in an encoder's space."""

    corpus: dict[str, Any]
    encoder: str
    mean_cosine: float = Field(description="Of every two texts; 0 on a uniform sphere, 1 = all alike.")
    mean_cosine_centred: float = Field(description="The same after the mean vector is taken away.")
    components_90: int = Field(description="Principal components that hold 90 % of the variance.")
    components_95: int
    components_99: int
    dimensions: int = Field(description="d, of the vectors.")
    two_nn: float | None = Field(description="Intrinsic dimension by TwoNN.")
    two_nn_interval: list[float] | None = Field(description="Its 95 % interval.")
    hub_skewness: float = Field(description="Of how often a text is another's neighbour.")
    hub_skewness_by_chance: float
    labels: LabelsFit | None = Field(description="None where the corpus has no labels.")
    outliers: list[OutlierRow] = Field(description="The farthest texts first.")
    outlier_rule: str
    map: str | None = Field(description="Method of the map that is drawn; None without a picture.")
    trustworthiness: float | None = Field(description="Of the map: share of near neighbours kept, 0 to 1.")
    seed: int


def geometry(
    desk: Desk,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    map: Annotated[
        Literal["pca", "umap", "tsne"], Field(description="How the picture is made; umap is slower.")
    ] = "pca",
    quantile: Annotated[float, Field(gt=0, lt=1, description="Of the corpus's own scores; above it: flagged.")] = 0.95,
    offset: Offset = 0,
    limit: Limit = 10,
    picture: Picture = True,
    seed: Seed = 0,
) -> GeometryAnswer:
    """The shape of a corpus in an encoder's space: anisotropy, intrinsic dimension, hubs, labels, outliers, a map."""
    bench, read = desk.bench, desk.bench.corpus(corpus)
    checkpoint = bench.checkpoint(encoder)
    made = bench.embed(read.texts, checkpoint, tell=desk.tells("Encoding"))
    desk.check()
    found = measure(made.vectors, read.labels, seed=seed)
    scored = score(made.vectors, seed=seed)
    flagged = set(flag(scored, quantile=quantile).rows.tolist())
    order = np.argsort(-np.asarray(scored.scores), kind="stable").tolist()
    shown, cut = page(order, offset, limit, "texts by distance")
    desk.check()
    drawn = kept_projection(made.key, made.vectors, default_shelf(), method=map, seed=seed) if picture else None
    if drawn is not None:
        desk.show(lambda: map_picture(drawn, read.labels, name=read.name))
    cone, dimension, labels = found.anisotropy, found.dimension, found.labels
    interval = dimension.two_nn_interval
    return GeometryAnswer(
        says=f"Two texts have a mean cosine of {cone.mean_cosine:.3f} (uniform sphere: 0), "
        f"{cone.mean_cosine_centred:.3f} once centred; {dimension.components_95} of {dimension.dimensions} components "
        f"hold 95 % of the variance; {len(flagged)} of {len(read)} texts lie above the {quantile:.0%} quantile of "
        "distance. A low cosine does not by itself mean good retrieval.",
        corpus=about(read),
        encoder=checkpoint.source,
        mean_cosine=cone.mean_cosine,
        mean_cosine_centred=cone.mean_cosine_centred,
        components_90=dimension.components_90,
        components_95=dimension.components_95,
        components_99=dimension.components_99,
        dimensions=dimension.dimensions,
        two_nn=to_json(dimension.two_nn),
        two_nn_interval=None if interval is None else to_json(list(interval)),
        hub_skewness=found.hubness.skewness,
        hub_skewness_by_chance=found.hubness.chance_skewness,
        labels=None
        if labels is None
        else LabelsFit(
            names=list(labels.names),
            silhouette=labels.silhouette,
            purity=labels.purity,
            chance=to_json(labels.chance_by_label),
        ),
        outliers=[
            OutlierRow(
                id=read.ids[row], text=clipped(read.texts[row]), score=float(scored.scores[row]), flagged=row in flagged
            )
            for row in shown
        ],
        outlier_rule=f"distance by the rule {scored.rule}, flagged above its {quantile:.0%} quantile",
        map=None if drawn is None else drawn.method,
        trustworthiness=None if drawn is None else drawn.trustworthiness,
        seed=seed,
        cut=cut,
    )


class DepthRow(Row):
    """One depth of the encoder."""

    depth: str = Field(description="embedding, a layer, or the output.")
    mean_cosine: float | None
    cka_output: float | None = Field(description="Agreement with the output's geometry, 0 to 1.")
    cka_by_chance: float | None
    overlap_output: float | None = Field(description="Share of nearest neighbours that the output has too.")
    components_95: int | None


class HeadRow(Row):
    """A head that stands out."""

    layer: int
    head: int
    flags: list[Literal["collapsed", "uniform", "silent"]]
    entropy: float | None = Field(description="Normalised, 0 = one token takes all, 1 = all alike.")
    output_share: float | None
    looks_at: str | None = Field(description="The target that takes at least half of its attention.")


class LayersAnswer(Answer):
    """How an encoder's layers build the vectors of a corpus."""

    corpus: dict[str, Any]
    encoder: str
    depths: list[DepthRow]
    findings: dict[str, Any] = Field(description="What the numbers say, by stated thresholds.")
    heads_of: int | None = Field(description="Heads measured; None where they were not asked for.")
    heads: list[HeadRow] = Field(description="Heads with a flag: a question, not a verdict.")
    seed: int


def layers(
    desk: Desk,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    heads: Annotated[bool, Field(description="Whether attention heads are measured too.")] = True,
    offset: Offset = 0,
    limit: Limit = 30,
    picture: Picture = True,
    seed: Seed = 0,
) -> LayersAnswer:
    """Layer by layer: mean cosine, agreement with the output, dimension; and heads that collapsed or add nothing."""
    bench, read = desk.bench, desk.bench.corpus(corpus)
    checkpoint = bench.checkpoint(encoder)
    why = why_no_layers(checkpoint)
    if why is not None:
        raise InputError(why)
    settings: dict[str, Any] = {"precision": "float32", "seed": seed}
    made = kept(
        BuildUp, build_up_inputs(read, checkpoint, **settings), default_shelf(),
        lambda: layer_build_up(
            bench.encoder(checkpoint), read.texts, read.labels, progress=desk.tells("Running the layers"), seed=seed
        ),
    )  # fmt: skip
    rows, measured = _heads(desk, read, checkpoint, settings) if heads else ([], None)
    shown, cut = page(rows, offset, limit, "flagged heads")
    told = findings(made)
    desk.show(lambda: layers_picture(made, name=checkpoint.source), picture)
    settled = "not told" if told.settled is None else made.names[told.settled]
    return LayersAnswer(
        says=f"Mean cosine goes from {made.mean_cosine[0]:.2f} at the {made.names[0]} to {made.mean_cosine[-1]:.2f} at "
        f"the {made.names[-1]}; neighbours and geometry agree with the output's from: {settled}"
        + (f"; {len(rows)} of {measured} heads are flagged." if measured else "."),
        corpus=about(read),
        encoder=checkpoint.source,
        depths=[
            DepthRow(
                depth=name,
                mean_cosine=to_json(made.mean_cosine[at]),
                cka_output=to_json(made.cka_output[at]),
                cka_by_chance=to_json(made.cka_chance[at]) if np.ndim(made.cka_chance) else to_json(made.cka_chance),
                overlap_output=to_json(made.overlap[at]),
                components_95=to_json(made.components_95[at]),
            )
            for at, name in enumerate(made.names)
        ],
        findings=told.to_dict(),
        heads_of=measured,
        heads=shown,
        seed=seed,
        cut=cut,
    )


def _heads(desk: Desk, read: Any, checkpoint: Any, settings: dict[str, Any]) -> tuple[list[HeadRow], int]:
    """Flagged heads, and how many were measured."""
    made = kept(
        HeadEntropy, head_entropy_inputs(read, checkpoint, **settings), default_shelf(),
        lambda: head_entropy(
            desk.bench.encoder(checkpoint), read.texts, progress=desk.tells("Measuring heads"), seed=settings["seed"]
        ),
    )  # fmt: skip
    flags = flag_heads(made)
    kinds: tuple[Literal["collapsed", "uniform", "silent"], ...] = ("collapsed", "uniform", "silent")
    rows = [
        HeadRow(
            layer=layer + 1,
            head=head + 1,
            flags=[kind for kind in kinds if getattr(flags, kind)[layer, head]],
            entropy=to_json(made.entropy[layer, head]),
            output_share=None if made.output_share is None else to_json(made.output_share[layer, head]),
            looks_at=flags.target[layer][head],
        )
        for layer, head in np.argwhere(flags.flagged).tolist()
    ]
    return rows, int(made.entropy.size)
