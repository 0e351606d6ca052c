"""Kinds of results: what they hold, and how other kinds are refused."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.schema import kinds


def result(kind: str, *maps: str) -> xr.DataTree:
    data = {name: (("y", "x"), np.zeros((2, 3), "u1")) for name in maps}
    return xr.DataTree(xr.Dataset(data, attrs={"kind": kind}))


def test_a_result_says_its_kind() -> None:
    assert kinds.kind_of(result("population")) is kinds.POPULATION
    assert kinds.is_kind(result("value_map"), kinds.CLASS_MAP, kinds.VALUE_MAP)
    assert not kinds.is_kind(result("value_map"), kinds.CLASS_MAP)


@pytest.mark.parametrize(("kind", "what"), [("", "does not say"), ("cube", "unknown kind 'cube'")])
def test_a_result_without_a_known_kind_is_refused_with_the_command_that_makes_it_anew(
    kind: str, what: str
) -> None:
    with pytest.raises(InputError, match=f"{what}.*mapstack run --recipe"):
        kinds.kind_of(result(kind))


def test_optional_parts_are_there_or_not_and_required_ones_always() -> None:
    plain, full = (
        result("class_map", "labels", "confidence"),
        result("class_map", "labels", "confidence", "entropy"),
    )
    assert not kinds.has(plain, "entropy")
    assert kinds.has(full, "entropy")
    assert kinds.has(plain, "labels")
    assert not kinds.has(plain, "fractions")
    assert kinds.maps_of(full) == ["labels", "confidence", "entropy"]


def test_another_kind_is_refused_in_words() -> None:
    with pytest.raises(
        InputError, match="split is for maps of classes, and the result is one of sorted images"
    ):
        kinds.check_kind(result("sorted_images"), kinds.CLASS_MAP, what="split")


def test_optional_parts_are_parts() -> None:
    for kind in kinds.KINDS.values():
        assert kind.optional <= set(kind.parts)
