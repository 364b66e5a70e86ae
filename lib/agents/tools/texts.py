"""Tools about one or two texts: which features they are made of, and what their cosine is made of."""

from typing import Annotated, Any

from pydantic import Field

from lib.agents.answers import Answer, Row, page
from lib.agents.arguments import EncoderName, Feature, Limit, Offset, Picture, SaeName, Text
from lib.agents.desk import Desk
from lib.agents.pictures import bars_picture
from lib.encoders import PACKAGED, Role
from lib.numerals import count
from lib.sae.decomposition import TWICE
from lib.sae.decomposition import contrast as contrast_of
from lib.sae.decomposition import decompose as decompose_of
from lib.sae.facts import contrast_facts, decomposition_facts
from lib.sae.sources import PACKAGED_SAE
from lib.sae.tokens import check_features, token_shares

_DRAWN = 14
RoleName = Annotated[Role, Field(description="Whose prompt stands before texts.")]
"""Whose prompt."""


class FeatureShare(Row):
    """A feature of a text."""

    feature: int
    label: str | None = Field(description="What it is about, where known: a guess with a score, see describe_feature.")
    activation: float
    share: float = Field(description="Of the vector's squared length; negative where the rest points away.")


class TokenShare(Row):
    """What each token does for a feature."""

    feature: int
    pre_activation: float
    tokens: list[str]
    shares: list[float] = Field(description="Of the pre-activation, one a token.")
    constant: float
    exact: bool
    why: str | None


class Decomposed(Answer):
    """The features that a text is made of."""

    text: str
    truncated: bool = Field(description="Whether the text was cut at the encoder's maximum length.")
    active: int = Field(description="Features that fire.")
    dictionary: int = Field(description="Features in the dictionary.")
    features_share: float = Field(description="Of the squared length that the features give; with bias and error: 1.")
    bias_share: float = Field(description="What the text has in common with the average text of the training.")
    error_share: float = Field(description="What the dictionary leaves out.")
    cosine: float = Field(description="Of the vector and its reconstruction.")
    fvu: float | None = Field(description="Fraction of variance unexplained of this text: 0 = all is explained.")
    features: list[FeatureShare]
    tokens: list[TokenShare]
    sae: str
    encoder: str


def decompose(
    desk: Desk,
    text: Text,
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    tokens_of: Annotated[list[Feature], Field(max_length=5, description="Features whose tokens are told.")] = [],  # noqa: B006
    role: RoleName = "document",
    offset: Offset = 0,
    limit: Limit = 20,
    picture: Picture = True,
) -> Decomposed:
    """Take a text's vector apart into features of a sparse autoencoder, and tell which tokens fire them."""
    checkpoint = desk.bench.checkpoint(encoder)
    opened, database = desk.bench.sae(sae, checkpoint)
    check_features(opened.sae, tokens_of)
    reader = desk.bench.encoder(checkpoint)
    made = reader.encode([text], role=role)
    told = decomposition_facts(decompose_of(opened.sae, made.vectors[0]), database, None)
    shown, cut = page(told["features"], offset, limit, "features")
    features = [FeatureShare(**one) for one in shown]
    tokens = []
    if tokens_of:
        found = token_shares(reader, opened.sae, text, features=tokens_of, role=role)
        for row, feature in enumerate(tokens_of):
            tokens.append(
                TokenShare(
                    feature=feature,
                    pre_activation=float(found.pre_activations[row]),
                    tokens=list(found.tokens),
                    shares=found.shares[row].tolist(),
                    constant=float(found.constants[row]),
                    exact=found.exact,
                    why=found.why,
                )
            )
    if features:
        desk.show(
            lambda: bars_picture(
                [f"{one.label or '(no label)'} · {one.feature}" for one in features[:_DRAWN]],
                [one.activation for one in features[:_DRAWN]],
                title="What is this text made of?",
                about=f"{told['active']} features fire; they give {told['features_share']:.0%} of the squared length, "
                f"bias {told['bias_share']:.0%}, error {told['error_share']:.0%}",
                unit="activation",
            ),
            picture,
        )
    first = ", ".join(one.label or f"feature {one.feature}" for one in features[:3]) or "none"
    whole = ("active", "dictionary", "features_share", "bias_share", "error_share", "cosine", "fvu")
    return Decomposed(
        says=f"{told['active']} of {count(told['dictionary'])} features fire, the strongest: {first}. Features give "
        f"{told['features_share']:.0%} of the squared length, the dictionary's bias {told['bias_share']:.0%}, and "
        f"{told['error_share']:.0%} is left out.",
        text=text,
        truncated=bool(made.truncated_mask[0]),
        features=features,
        tokens=tokens,
        sae=opened.source,
        encoder=checkpoint.source,
        cut=cut,
        **{name: told[name] for name in whole},
    )


class ContrastRow(Row):
    """A feature of either text."""

    feature: int
    label: str | None
    differs: bool = Field(description="Whether it fires in one alone, or `times` as strongly there.")
    a: float = Field(description="Activation in A.")
    b: float = Field(description="Activation in B.")
    through_a: float = Field(description="What it adds to the cosine, A taken apart and B whole.")
    through_b: float
    contribution: float = Field(description="Mean of the two: above 0 it draws the texts together.")


class Contrasted(Answer):
    """Two texts side by side."""

    a: str
    b: str
    cosine: float
    only_a: int = Field(description="Features that fire in A alone.")
    only_b: int
    shared: int
    parts: dict[str, dict[str, float]] = Field(description="What makes up the cosine: features, bias, error; 3 ways.")
    features: list[ContrastRow] = Field(description="The largest difference first.")
    truncated: list[bool]
    sae: str
    encoder: str


def contrast(
    desk: Desk,
    a: Text,
    b: Text,
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    times: Annotated[float, Field(gt=1, le=1_000, description="How many times as strong counts as different.")] = TWICE,
    shared: Annotated[bool, Field(description="Whether features that do not differ are listed too.")] = False,
    role: RoleName = "document",
    offset: Offset = 0,
    limit: Limit = 20,
    picture: Picture = True,
) -> Contrasted:
    """Set two texts side by side: which features tell them apart, and what their cosine is made of."""
    checkpoint = desk.bench.checkpoint(encoder)
    opened, database = desk.bench.sae(sae, checkpoint)
    made = desk.bench.encoder(checkpoint).encode([a, b], role=role)
    result = contrast_of(opened.sae, made.vectors[0], made.vectors[1])
    told: dict[str, Any] = contrast_facts(result, database, times=times, shared=shared)
    shown, cut = page(told["features"], offset, limit, "features")
    features = [ContrastRow(**one) for one in shown]
    if told["features_not_written"]:
        cut = [*cut, f"Left out: {told['features_not_written']} features that do not differ; ask with shared."]
    if features:
        desk.show(
            lambda: bars_picture(
                [f"{one.label or '(no label)'} · {one.feature}" for one in features[:_DRAWN]],
                [one.a - one.b for one in features[:_DRAWN]],
                title="What tells the two texts apart?",
                about=f"amber: stronger in A, violet: stronger in B; cosine {told['cosine']:.3f}",
                unit="activation in A less that in B",
            ),
            picture,
        )
    both = told["parts"]["both"]
    return Contrasted(
        says=f"Cosine {told['cosine']:.3f}: features {both['features']:+.3f}, bias {both['bias']:+.3f}, what the "
        f"dictionary leaves out {both['error']:+.3f}. {told['only_a']} features fire in A alone, {told['only_b']} in B "
        f"alone, {told['shared']} in both.",
        a=a,
        b=b,
        features=features,
        truncated=made.truncated_mask.tolist(),
        sae=opened.source,
        encoder=checkpoint.source,
        cut=cut,
        **{name: told[name] for name in ("cosine", "only_a", "only_b", "shared", "parts")},
    )
