"""How features are called, and which one a name means."""

import pandas as pd
import pytest

from lib.errors import InputError
from lib.sae.database import FeatureDatabase
from lib.ui.sae.names import feature_name, feature_named, feature_of


def test_a_name_leads_back_to_its_feature():
    database = FeatureDatabase(pd.DataFrame({"label": ["12 apostles", None, "7 · seven"]}), "key", "corpus", 3)
    names = [feature_name(database, feature) for feature in range(3)]
    assert names == ["0 · 12 apostles", "feature 1", "2 · 7 · seven"]
    assert [feature_of(name, 3) for name in names] == [0, 1, 2]
    assert feature_name(None, 319) == "feature 319"


@pytest.mark.parametrize("name", ["319", " 319", "#319", "feature 319", "Feature319", "319 · any label", "319·x"])
def test_spellings(name):
    assert feature_of(name, 320) == 319


@pytest.mark.parametrize("name", ["", "three", "-1", "320", "3x", "99999999999999", "label 3"])
def test_what_names_none_is_refused(name):
    with pytest.raises(InputError, match="number from 0 to 319"):
        feature_of(name, 320)


def test_words_of_a_label_name_a_feature_where_no_number_does():
    options = ["17 · 2008 recession", "3 · Heart muscle"]
    assert feature_named("2008 recession", options, 4096) == 17
    assert feature_named("heart  MUSCLE", options, 4096) == 3
    assert feature_named("2008", options, 4096) == 2008
    with pytest.raises(InputError, match="No label among those listed"):
        feature_named("kidney", options, 4096)
