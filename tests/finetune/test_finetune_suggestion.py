"""What to begin a fine-tune with: settings by the number of pairs, how long and how large, and what is refused."""

from dataclasses import replace

import pytest

from lib.errors import InputError
from lib.finetune.suggestion import (
    Material,
    Widths,
    check_material,
    check_memory,
    estimated_bytes,
    estimated_memory,
    estimated_seconds,
    fitted,
    long_text,
    steps_of,
    suggested,
)

BASE = Widths(dimensions=384, layers=6, parameters=22_713_216, max_tokens=256)


def material(pairs=2_000, **about):
    return Material(**{"pairs": pairs, "queries": pairs, "documents": pairs, "anchor_characters": 40.0,
                       "document_characters": 500.0} | about)  # fmt: skip


def advice(pairs=2_000, widths=BASE, **about):
    return suggested("e", material(pairs, **about), widths)


def test_few_pairs_are_seen_more_often_in_smaller_batches():
    few, many = advice(100), advice(20_000)
    assert (few.batch, few.epochs) == (8, 5)
    assert (many.batch, many.epochs) == (32, 1)
    assert few.validation > many.validation


@pytest.mark.parametrize("pairs", [8, 31, 100, 999, 1_000, 50_000])
def test_every_suggestion_can_be_had(pairs):
    made = advice(pairs)
    made.check()
    check_material(made, material(pairs))
    assert steps_of(made, material(pairs)) >= 1


def test_what_the_data_says_decides_the_loss_and_the_negatives():
    assert advice().loss == "infonce"
    assert advice().negatives == "bm25"
    assert advice(documents=20).negatives == "given"  # too few to mine among
    assert (advice(scored=True).loss, advice(scored=True).negatives) == ("cosine", "given")


def test_long_texts_are_cut_where_the_encoder_would_read_them_all():
    assert advice().max_tokens is None
    assert advice(widths=replace(BASE, max_tokens=8_192)).max_tokens == 256
    assert advice(widths=replace(BASE, max_tokens=None)).max_tokens == 256


def test_steps():
    settings = replace(advice(), validation=0.1, batch=32, epochs=2.0)
    assert steps_of(settings, material(1_000)) == 2 * 29  # 900 pairs, 28.1 batches a pass
    assert steps_of(replace(settings, max_steps=10), material(1_000)) == 10


def seconds(settings, of=None, widths=BASE, rate=1.2e11):
    return estimated_seconds(settings, of or material(), widths, rate=rate)


def test_the_estimate_grows_with_what_costs():
    settings = replace(advice(), negatives="none", validation=0.0)
    long = seconds(settings)
    assert seconds(replace(settings, method="full")) > long
    assert seconds(replace(settings, epochs=2 * settings.epochs)) > 1.5 * long
    assert seconds(replace(settings, negatives="bm25")) > long
    assert (
        seconds(replace(settings, validation=0.5, epochs=2 * settings.epochs)) > long
    )  # as many steps, and evaluations
    assert seconds(replace(settings, max_tokens=32)) < long
    assert seconds(settings, widths=replace(BASE, layers=12)) > long
    assert seconds(settings, rate=2.4e11) < long


def test_the_estimate_meets_what_was_measured():
    settings = replace(advice(), negatives="none", validation=0.0, batch=32, epochs=1.0, max_tokens=128)
    short, long = (
        seconds(replace(settings, max_steps=steps), material(document_characters=2_000.0)) for steps in (10, 60)
    )
    assert (long - short) / 50 == pytest.approx(2.0, rel=0.15)


def test_room_on_disk():
    settings = advice()
    lora, full = (estimated_bytes(replace(settings, method=way), material(), BASE) for way in ("lora", "full"))
    assert lora < 1e7 < 40 * BASE.parameters <= full < 41 * BASE.parameters + 1e7


@pytest.mark.parametrize(
    ("changes", "of", "words"),
    [
        ({}, material(7), "7 pairs are too few to train on: bring 8 at least"),
        ({"loss": "triplet", "negatives": "given"}, material(), "needs a negative for each pair and none is given"),
        ({"loss": "cosine", "negatives": "none"}, material(), "draws all texts to one point"),
        ({"batch": 64}, material(50), "64 pairs a step are more than the 50 that there are"),
    ],
)
def test_what_cannot_be_learnt_from(changes, of, words):
    with pytest.raises(InputError, match=words):
        check_material(replace(advice(), **changes), of)


def test_negatives_and_scores_suffice():
    check_material(replace(advice(), loss="triplet", negatives="given"), material(negatives=1))
    check_material(replace(advice(), loss="cosine", negatives="none"), material(scored=True))
    check_material(replace(advice(), loss="triplet", negatives="bm25"), material())


def test_rows_of_triplets_and_of_scored_pairs_are_steps_of_their_own():
    settings = replace(advice(), validation=0.0, batch=10, epochs=1.0, negatives="bm25", negatives_each=3)
    for loss, steps in (("infonce", 10), ("triplet", 30), ("cosine", 40)):
        assert steps_of(replace(settings, loss=loss), material(100)) == steps
    assert steps_of(replace(settings, loss="triplet", negatives="given"), material(100, negatives=2)) == 20


def test_memory_meets_what_was_measured_and_grows_with_the_batch_but_for_the_cached_loss():
    settings = replace(advice(), negatives="none", batch=8, max_tokens=256)
    heads = replace(BASE, heads=12)
    long = material(anchor_characters=9e3, document_characters=9e3)
    assert estimated_memory(settings, long, heads) == pytest.approx(2.34e9, rel=0.1)
    assert estimated_memory(replace(settings, max_tokens=64), long, heads) == pytest.approx(0.33e9, rel=0.4)
    assert estimated_memory(settings, long, BASE) == estimated_memory(settings, long, heads)  # one for 32 dimensions
    small, large = (
        [estimated_memory(replace(settings, batch=batch, loss=loss), long, heads) for batch in (16, 256)]
        for loss in ("cached infonce", "infonce")
    )
    assert small[0] == small[1] < large[0] < large[1] / 10
    assert estimated_memory(replace(settings, method="full"), long, heads) > estimated_memory(settings, long, heads)


def test_a_suggestion_fits_the_memory_there_is():
    of = material(document_characters=9e3)
    usual = advice(document_characters=9e3)
    assert fitted(usual, of, BASE, free=1e12) == usual
    small = fitted(usual, of, BASE, free=3e9)
    assert 4 <= small.batch < usual.batch
    check_memory(small, of, BASE, free=3e9, command="train")
    assert fitted(usual, of, BASE, free=0).batch == 4
    with pytest.raises(InputError, match=r"takes about .* GB of memory, and 0.1 GB are free here now: choose fewer"):
        check_memory(small, of, BASE, free=1e8, command="train")


def test_the_length_that_nine_of_ten_stay_below():
    assert long_text(["a" * n for n in range(101)]) == 90
    assert long_text([]) == 0
