"""Tools about circuits: a feature through the layers."""

from typing import Annotated

from pydantic import Field

from lib.agents.answers import Answer, Row
from lib.agents.arguments import EncoderName, Feature, Picture, SaeName, Text
from lib.agents.desk import Desk
from lib.agents.pictures import circuit_picture
from lib.agents.tools.texts import RoleName
from lib.encoders import PACKAGED, Checkpoint
from lib.errors import InputError
from lib.numerals import counted
from lib.results import to_json
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Kind, Lens, raw_lens
from lib.sae.circuits.lens_file import known_lens
from lib.sae.circuits.states import pooled_states
from lib.sae.circuits.trace import trace
from lib.sae.facts import label_of
from lib.sae.sources import PACKAGED_SAE
from lib.sae.tokens import check_features

LensName = Annotated[
    Kind,
    Field(
        description="How a layer is read: tuned = mapped to the output first; raw = as it is, noisy in early layers."
    ),
]
"""Which lens."""


class CircuitDepth(Row):
    """A feature at one depth."""

    depth: str
    activation: float = Field(description="0 where it does not fire.")
    pre_activation: float
    growth_step: bool = Field(description="A rise of at least 5 % of the peak.")
    fvu: float | None = Field(description="Of this text's reading there: 1 and more: the dictionary does not fit it.")
    active: int = Field(description="Features that fire there.")
    beside_it: list[str] = Field(description="The strongest other features there.")


class Circuit(Answer):
    """A feature through the layers."""

    text: str
    feature: int
    label: str | None
    lens: str
    lens_r2: list[float | None] | None = Field(description="How well the lens guesses the output from each depth.")
    depths: list[CircuitDepth]
    peak: str
    verdict: str
    rule: str = Field(description="The rule behind the verdict.")
    sae: str
    encoder: str


def circuit(
    desk: Desk,
    text: Text,
    feature: Feature,
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    lens: LensName = "tuned",
    role: RoleName = "document",
    picture: Picture = True,
) -> Circuit:
    """Follow a feature through the layers of one text: where it appears, grows and peaks, by a stated rule."""
    checkpoint = desk.bench.checkpoint(encoder)
    opened, database = desk.bench.sae(sae, checkpoint)
    check_features(opened.sae, [feature])
    read = lens_of(lens, checkpoint, opened.sae)
    desk.check()
    states = pooled_states(desk.bench.encoder(checkpoint), [text], role=role)
    found = trace(opened.sae, read, states, text=text, feature=feature)
    label = label_of(database, feature)
    desk.show(lambda: circuit_picture(found, label), picture)
    steps = [False, *found.steps.tolist()]

    def beside(at: int) -> list[str]:
        others = [int(other) for other in found.coactive[at] if other >= 0]
        return [f"{other}: {label_of(database, other) or 'no label'}" for other in others]

    return Circuit(
        says=f"Feature {feature}{f' ({label})' if label else ''} in this text: {found.verdict}"
        + (
            f"; its activation peaks at {found.activations[found.peak]:.3g} at {found.depths[found.peak]}, with "
            f"{counted(found.growth_steps, 'growth step')}."
            if found.activations[found.peak] > 0
            else "; it fires at no depth."
        ),
        text=text,
        feature=feature,
        label=label,
        lens=found.lens,
        lens_r2=None if read.r2 is None else to_json(read.r2),
        depths=[
            CircuitDepth(
                depth=name,
                activation=float(found.activations[at]),
                pre_activation=float(found.pre_activations[at]),
                growth_step=steps[at],
                fvu=to_json(found.fvu[at]),
                active=int(found.active[at]),
                beside_it=beside(at),
            )
            for at, name in enumerate(found.depths)
        ],
        peak=found.depths[found.peak],
        verdict=found.verdict,
        rule=found.rule,
        sae=opened.source,
        encoder=checkpoint.source,
    )


def lens_of(kind: Kind, checkpoint: Checkpoint, sae: SparseAutoencoder) -> Lens:
    """The lens that ships, or the raw one, which needs none.

    Raises:
        InputError: the encoder has no layers, or no tuned lens ships for it.
    """
    raw = raw_lens(checkpoint)
    known = known_lens(kind, checkpoint, sae)
    if known is not None:
        return known
    if kind == "raw":
        return raw
    raise InputError(f"No tuned lens ships for {checkpoint.source}: ask with lens 'raw'.")
