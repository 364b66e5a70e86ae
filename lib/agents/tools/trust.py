"""Tools about trust: absorption, several senses and fit of a dictionary's features."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from lib.agents.answers import Answer, Row, page
from lib.agents.arguments import CorpusName, EncoderName, Limit, Offset, SaeName, Seed
from lib.agents.desk import Desk
from lib.encoders import PACKAGED
from lib.sae.facts import label_of
from lib.sae.sources import PACKAGED_SAE


class AbsorptionRow(Row):
    """A feature that keeps another from being told apart: wherever the first fires, the second does."""

    absorber: int
    absorber_label: str | None
    absorbed: int
    absorbed_label: str | None
    conditional: float = Field(description="P(absorbed fires | absorber fires).")
    interval: list[float]
    expected: float = Field(description="Texts with both by chance.")
    both: int


class PolysemyRow(Row):
    """A feature with several senses."""

    feature: int
    label: str | None
    senses: int
    variance: float = Field(description="Mean cosine distance of its examples; low = about one thing.")
    percentile: float = Field(description="Share of random draws with no larger a variance.")
    fires: int


class DiagnosisAnswer(Answer):
    """Whether a dictionary's features can be relied on for a corpus."""

    texts: int
    mean_active: float
    silent: int = Field(description="Features that fire on no text of this corpus.")
    always_on: int = Field(description="Features on more than half of the texts.")
    unexplained: float = Field(description="Fraction of variance unexplained: 0 = all is explained.")
    unexplained_interval: list[float]
    absorption_flagged: int = Field(description="Pairs that chance does not explain.")
    absorption_by_chance: int = Field(description="Pairs above the threshold that chance could bring about.")
    absorption: list[AbsorptionRow]
    several_senses: int
    measured: int = Field(description="Features on enough texts to look for senses.")
    senses_by_chance: float = Field(description="Share of random draws of texts that show two senses or more.")
    polysemy: list[PolysemyRow]
    sae: str
    encoder: str
    seed: int


def diagnose(
    desk: Desk,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    threshold: Annotated[
        float, Field(gt=0, le=1, description="P(absorbed | absorber) from which a pair counts.")
    ] = 0.8,
    part: Annotated[
        Literal["all", "absorption", "polysemy"], Field(description="Whose list is filled; figures come always.")
    ] = "all",
    offset: Offset = 0,
    limit: Limit = 10,
    seed: Seed = 0,
) -> DiagnosisAnswer:
    """Can the features be trusted on these texts? Absorption, several senses, dead and always-on features, fit."""
    from lib.sae.diagnostics import health, known_from_training, polysemy, scan_absorption

    taken = desk.bench.taken_apart(corpus, encoder, sae, tell=desk.tells("Encoding"))
    codes, dictionary, database = taken.codes, taken.opened.sae, taken.database
    pairs = scan_absorption(codes, dictionary, threshold=threshold, progress=desk.tells("Comparing features"))
    several = polysemy(
        taken.vectors, codes, texts=taken.corpus.texts, seed=seed, progress=desk.tells("Looking for senses")
    )
    frequency, stability = known_from_training(dictionary, database)
    fit = health(
        taken.vectors,
        codes,
        dictionary,
        labels=taken.corpus.labels,
        frequency=frequency,
        stability=stability,
        seed=seed,
    )
    flagged = np.flatnonzero(~pairs.chance).tolist()
    polysemous = np.flatnonzero(several.polysemous).tolist()
    shown, cut = page(flagged, offset, limit, "pairs") if part != "polysemy" else ([], [])
    senses, more = page(polysemous, offset, limit, "features of several senses") if part != "absorption" else ([], [])
    lost = fit.unexplained
    return DiagnosisAnswer(
        says=f"The dictionary leaves {lost.total:.1%} of the variance unexplained ({lost.low:.1%} to {lost.high:.1%}); "
        f"{len(flagged)} pairs look absorbed beyond chance, {len(polysemous)} of {len(several)} features show several "
        f"senses (random texts: {several.random_several:.1%}), {fit.silent} of {dictionary.features} are silent here.",
        texts=fit.texts,
        mean_active=fit.mean_active,
        silent=fit.silent,
        always_on=len(fit.always_on),
        unexplained=lost.total,
        unexplained_interval=[lost.low, lost.high],
        absorption_flagged=len(flagged),
        absorption_by_chance=int(pairs.chance.sum()),
        absorption=[
            AbsorptionRow(
                absorber=int(pairs.absorber[at]),
                absorber_label=label_of(database, int(pairs.absorber[at])),
                absorbed=int(pairs.absorbed[at]),
                absorbed_label=label_of(database, int(pairs.absorbed[at])),
                conditional=float(pairs.conditional[at]),
                interval=[float(pairs.low[at]), float(pairs.high[at])],
                expected=float(pairs.expected[at]),
                both=int(pairs.both[at]),
            )
            for at in shown
        ],
        several_senses=len(polysemous),
        measured=len(several),
        senses_by_chance=several.random_several,
        polysemy=[
            PolysemyRow(
                feature=int(several.feature[at]),
                label=label_of(database, int(several.feature[at])),
                senses=int(several.senses[at]),
                variance=float(several.variance[at]),
                percentile=float(several.percentile[at]),
                fires=int(several.fires[at]),
            )
            for at in senses
        ],
        sae=taken.opened.source,
        encoder=encoder,
        seed=seed,
        cut=[*cut, *more],
    )
