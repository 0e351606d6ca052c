"""Tests of `engine.errors`: errors that a user can mend, each told as one clear sentence."""

import pytest

from engine.cluster import KMeans
from engine.errors import InputError, UnknownNameError
from engine.recipe import Recipe


def test_a_wrong_setting_is_told_with_what_it_takes() -> None:
    with pytest.raises(InputError, match="n_clusters is 0; give a whole number from 1 to 64"):
        KMeans(n_clusters=0)
    with pytest.raises(InputError, match="KMeans has no setting 'clusters'"):
        KMeans(clusters=3)


RECIPE = Recipe("kmeans", {"n_clusters": 3}, source="a/maps", digest="sha256:1", seed=4)


def test_an_unknown_edit_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no edits entry 'explode'"):
        RECIPE.with_edit("explode")
