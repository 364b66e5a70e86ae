"""Tools about steering: what pushing a text's vector along features does."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lib.agents.answers import Answer, Row, clipped
from lib.agents.arguments import CorpusName, EncoderName, Limit, SaeName, Seed, Text
from lib.agents.desk import Desk
from lib.agents.tools.texts import RoleName
from lib.agents.workbench import TakenApart
from lib.encoders import PACKAGED
from lib.errors import InputError
from lib.results import to_json
from lib.sae.facts import change_facts
from lib.sae.sources import PACKAGED_SAE
from lib.sae.steering import dose_response, parse_recipe, push_of, rerank
from lib.sae.steering import steer as steer_of
from lib.sae.steering.verdicts import RULE


class Change(Row):
    """A feature before and after."""

    feature: int
    label: str | None
    before: float
    after: float
    change: float


class Place(Row):
    """A text in a ranking."""

    rank: int
    was: int = Field(description="Its rank before the push.")
    id: str
    text: str
    score: float
    fires: bool = Field(description="Whether the first feature of the recipe fires on it.")


class SteerAnswer(Answer):
    """What pushing a text's vector along features does."""

    recipe: str
    cosine_shift: float = Field(description="1 - cosine of before and after: 0 = nothing moved.")
    random_shift: list[float] = Field(description="The same under random pushes of that length: 5 %, median, 95 %.")
    targets: list[Change]
    changes: list[Change] = Field(description="Other features, the largest change first.")
    side_effects: int = Field(description="Other features that changed noticeably.")
    random_side_effects: list[float] = Field(description="The same under random pushes: 5 %, median, 95 %.")
    after: list[Place] | None = Field(description="The first texts of the corpus after the push; None without one.")
    kept: float | None = Field(description="Share of the first texts that were first before, too.")
    dose: dict[str, Any] | None = Field(description="Verdict on the first feature against random directions, its rule.")
    sae: str
    encoder: str
    seed: int


def steer(
    desk: Desk,
    text: Text,
    recipe: Annotated[
        str,
        Field(
            min_length=3,
            max_length=200,
            description="Features and how many of their mean active values to add, e.g. '319:+4,27:-2'; up to 8.",
        ),
    ],
    corpus: Annotated[CorpusName | None, Field(description="Texts to rank before and after; none by default.")] = None,
    encoder: EncoderName = PACKAGED,
    sae: SaeName = PACKAGED_SAE,
    dose: Annotated[bool, Field(description="With a corpus: judge the first feature's pull against controls.")] = False,
    role: RoleName = "query",
    limit: Limit = 10,
    seed: Seed = 0,
) -> SteerAnswer:
    """Push a text's vector along features: what moves, what else changes, and which texts it then finds."""
    checkpoint = desk.bench.checkpoint(encoder)
    opened, database = desk.bench.sae(sae, checkpoint)
    parsed = parse_recipe(recipe, opened.sae.features)
    if not parsed.features:
        raise InputError("A recipe names at least one feature, e.g. '319:+4': give one.")
    if dose and corpus is None:
        raise InputError("A dose-response ranks the texts of a corpus: give one.")
    taken = None
    if corpus is not None:
        taken = desk.bench.taken_apart(corpus, encoder, sae, tell=desk.tells("Encoding"))
    codes = taken.codes if taken else None
    push = push_of(opened.sae, parsed, codes=codes, database=database, normalised=checkpoint.normalised)
    vector = desk.bench.encoder(checkpoint).encode([text], role=role).vectors[0]
    found = steer_of(opened.sae, vector, push, seed=seed)
    rows = zip(found.features[:limit].tolist(), found.before[:limit], found.after[:limit], strict=True)
    low, middle, high = found.random_shift
    after, kept = (None, None) if taken is None else _after(taken, vector, push, text, limit)
    return SteerAnswer(
        says=f"The vector moved by {found.cosine_shift:.3g} (1 - cosine); random pushes of that length move it by "
        f"{middle:.3g} ({low:.3g} to {high:.3g}). {found.side_effects} other features changed noticeably, against "
        f"{found.random_side_effects[1]:g} under random pushes.",
        recipe=recipe,
        cosine_shift=found.cosine_shift,
        random_shift=to_json(found.random_shift),
        targets=[
            Change(**to_json(change_facts(database, *one)))
            for one in zip(found.targets, found.target_before, found.target_after, strict=True)
        ],
        changes=[Change(**to_json(change_facts(database, *row))) for row in rows],
        side_effects=found.side_effects,
        random_side_effects=to_json(found.random_side_effects),
        after=after,
        kept=kept,
        dose=_dose(desk, taken, vector, push, text, seed) if dose and taken is not None else None,
        sae=opened.source,
        encoder=checkpoint.source,
        seed=seed,
        cut=[f"Cut: {len(found.features) - limit} more changed features; ask with a larger limit."]
        if len(found.features) > limit
        else [],
    )


def _same(taken: TakenApart, text: str) -> Any:
    return np.flatnonzero([one == text for one in taken.corpus.texts])


def _after(taken: TakenApart, vector: Any, push: Any, text: str, limit: int) -> tuple[list[Place], float | None]:
    fires = taken.codes.firing(push.features[0])[0]
    made = rerank(taken.vectors, vector, push, left_out=_same(taken, text), firing=fires)
    firing = set(fires.tolist())
    ranked = zip(made.after.tolist(), made.after_scores, made.after_were, strict=True)
    places = [
        Place(
            rank=rank,
            was=int(was),
            id=taken.corpus.ids[row],
            text=clipped(taken.corpus.texts[row]),
            score=float(score),
            fires=row in firing,
        )
        for rank, (row, score, was) in enumerate(list(ranked)[:limit], 1)
    ]
    return places, to_json(made.kept(limit))


def _dose(desk: Desk, taken: TakenApart, vector: Any, push: Any, text: str, seed: int) -> dict[str, Any]:
    made = dose_response(
        taken.opened.sae, taken.codes, taken.vectors, vector=vector, feature=push.features[0], unit=push.units[0],
        left_out=_same(taken, text), seed=seed, progress=desk.tells("Dose-response"),
    )  # fmt: skip
    told = ("feature", "unit", "deltas", "mean_rank", "rank_random", "best_rank", "chance_rank", "probe", "rise",
            "verdict", "firing", "texts")  # fmt: skip
    return {name: to_json(getattr(made, name)) for name in told} | {"rule": RULE}
