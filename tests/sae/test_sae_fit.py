"""Whether a dictionary belongs to an encoder."""

import dataclasses

import pytest

from lib.encoders import PACKAGED, Policy, describe
from lib.errors import InputError
from lib.sae import About, check_fit
from tests.toy_sae import random_sae


@pytest.fixture(scope="module")
def packaged():
    return describe(PACKAGED, policy=Policy(allow_hub=False))


def _sae(checkpoint, **about):
    return random_sae(d=384, n=8, k=2, about=About(name="toy", encoder=checkpoint.source, **about))


def test_its_own_encoder_is_taken(packaged):
    check_fit(_sae(packaged, fingerprint=packaged.fingerprint), packaged)


def test_files_that_name_no_encoder_are_held_against_the_width_alone(packaged):
    check_fit(_sae(packaged, fingerprint=None), packaged)


def test_another_encoder_is_refused(packaged):
    other = dataclasses.replace(packaged, source="other/encoder", content="0" * 64)
    with pytest.raises(InputError, match=r"is another encoder .* or train an SAE on this one"):
        check_fit(_sae(packaged, fingerprint=packaged.fingerprint), other)


def test_other_prompts_are_refused_with_the_way_back(packaged):
    with pytest.raises(InputError, match=r"other weights or prompts .* set its prompts back"):
        check_fit(_sae(packaged, fingerprint=packaged.fingerprint), packaged.with_prompts(document="passage: "))


def test_another_width_is_refused(packaged):
    with pytest.raises(InputError, match="takes vectors of 16 dimensions apart"):
        check_fit(random_sae(), packaged)
