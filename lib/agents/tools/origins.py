"""Tools about origins: where the features of a corpus are born, and which parts of the encoder write one."""

from typing import Annotated, Any

from pydantic import Field

from lib.agents.answers import Answer, Row, clipped, page
from lib.agents.arguments import CorpusName, EncoderName, Feature, Limit, Offset, SaeName, Seed, Text
from lib.agents.desk import Desk
from lib.agents.tools.circuits import LensName, lens_of
from lib.agents.tools.texts import RoleName
from lib.encoders import PACKAGED
from lib.kept import kept
from lib.numerals import count
from lib.results import to_json
from lib.sae.circuits.births import BIRTH_RULE, Births
from lib.sae.circuits.births import births as births_of
from lib.sae.circuits.shelved import births_inputs
from lib.sae.circuits.writers import writers as writers_of
from lib.sae.facts import label_of
from lib.sae.sources import PACKAGED_SAE
from lib.sae.tokens import check_features
from lib.shelf import default_shelf

_MOST_TEXTS = 1_000


class BirthRow(Row):
    """A feature and the depth from which on it is there."""

    feature: int
    label: str | None
    born: str
    between: list[str] = Field(description="The same with both ends of the 95 % intervals.")
    peak: str
    texts: int = Field(description="On which it fires at the output.")
    verdict: str


class BirthsAnswer(Answer):
    """Where the features of a corpus are born."""

    born: dict[str, int] = Field(description="Features born at each depth.")
    features: list[BirthRow] = Field(description="Those on most texts first.")
    rule: str
    lens: str
    texts: int
    seed: int


def births(
    desk: Desk,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    lens: LensName = "tuned",
    least: Annotated[int, Field(ge=2, le=10_000, description="Texts that a judged feature fires on.")] = 5,
    offset: Offset = 0,
    limit: Limit = 20,
    seed: Seed = 0,
) -> BirthsAnswer:
    """At which depth the features of a corpus are born, over up to 1 000 of its texts."""
    checkpoint = desk.bench.checkpoint(encoder)
    opened, database = desk.bench.sae(sae, checkpoint)
    read, texts = lens_of(lens, checkpoint, opened.sae), desk.bench.corpus(corpus)
    options: dict[str, Any] = {
        "sae": opened.sae, "lens": read, "least": least, "most": _MOST_TEXTS, "role": "document", "seed": seed,
    }  # fmt: skip
    found = kept(
        Births, births_inputs(texts.texts, checkpoint, precision="float32", **options), default_shelf(),
        lambda: births_of(
            desk.bench.encoder(checkpoint), texts.texts, progress=desk.tells("Following features"), **options
        ),
    )  # fmt: skip
    order = sorted(range(len(found.features)), key=lambda at: (-int(found.firing[at]), int(found.features[at])))
    shown, cut = page(order, offset, limit, "features")
    names = found.depths
    return BirthsAnswer(
        says=f"{count(len(order))} features fire on {least} texts or more; most are born at "
        f"{names[int(found.born.argmax())]} ({int(found.born.max())}). {found.rare} rarer ones are not judged.",
        born={name: int(number) for name, number in zip(names, found.born, strict=True)},
        features=[
            BirthRow(
                feature=int(found.features[at]),
                label=label_of(database, int(found.features[at])),
                born=names[int(found.birth[at])],
                between=[names[int(found.earliest[at])], names[int(found.latest[at])]],
                peak=names[int(found.peak[at])],
                texts=int(found.firing[at]),
                verdict=found.verdicts[at],
            )
            for at in shown
        ],
        rule=BIRTH_RULE,
        lens=found.lens,
        texts=found.texts,
        seed=seed,
        cut=cut,
    )


class PartRow(Row):
    """A part of the encoder."""

    part: str
    direct: float = Field(description="What it adds to the pre-activation; below 0: against the feature.")
    left_out: float | None = Field(description="How much lower the pre-activation is without it.")


class WritersAnswer(Answer):
    """Which parts of the encoder write a feature in a text."""

    text: str
    feature: int
    label: str | None
    parts: list[PartRow]
    constant: float = Field(description="Biases.")
    pre_activation: float = Field(description="The direct terms, the constant and rounding together.")
    activation: float
    agreement: dict[str, Any] = Field(description="How the two ways of asking compare, by a stated rule.")
    sae: str
    encoder: str


def writers(
    desk: Desk,
    text: Text,
    feature: Feature,
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    role: RoleName = "document",
) -> WritersAnswer:
    """Which layer's attention or feed-forward part writes a feature in a text, directly and when it is left out."""
    checkpoint = desk.bench.checkpoint(encoder)
    opened, database = desk.bench.sae(sae, checkpoint)
    check_features(opened.sae, [feature])
    found = writers_of(desk.bench.encoder(checkpoint), opened.sae, text, feature=feature, role=role)
    label = label_of(database, feature)
    first = max(range(len(found.parts)), key=lambda at: float(found.direct[at]))
    return WritersAnswer(
        says=f"The {found.parts[first]} adds most to feature {feature} directly ({found.direct[first]:+.3g} of a "
        f"pre-activation of {found.pre_activation:.3g}). Asked directly and by leaving "
        f"parts out, the answers {clipped(found.agreement.verdict)}.",
        text=text,
        feature=feature,
        label=label,
        parts=[
            PartRow(part=name, direct=float(found.direct[at]), left_out=to_json(found.left_out[at]))
            for at, name in enumerate(found.parts)
        ],
        constant=found.constant,
        pre_activation=found.pre_activation,
        activation=found.activation,
        agreement=found.agreement.to_dict(),
        sae=opened.source,
        encoder=checkpoint.source,
    )
