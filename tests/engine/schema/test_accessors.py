"""Typed access to the classes and attributes of a result."""

import pytest
import xarray as xr

from engine.errors import InputError
from engine.schema import accessors
from engine.schema import columns as c


@pytest.fixture
def result() -> xr.DataTree:
    values = {c.NAME: ["a", "b"], c.COLOR: ["#000000", "#ffffff"], c.COUNT: [3, 1], c.FRACTION: [0.75, 0.25]}
    objects = xr.Dataset(coords={"object": [3, 5]})
    classes = c.CLASS_TABLE.build(values, rows=[1, 4])
    return xr.DataTree.from_dict({"/": xr.Dataset(), "/classes": classes, "/object_table": objects})


def test_names_and_colours_come_by_label(result: xr.DataTree) -> None:
    assert accessors.names_of(result) == {1: "a", 4: "b"}
    assert accessors.colors_of(result) == {1: "#000000", 4: "#ffffff"}


def test_a_replaced_name_leaves_the_result_as_it_was(result: xr.DataTree) -> None:
    names = accessors.replace_name(result, 4, " film ")
    edited = accessors.with_class_column(result, c.NAME, names)
    assert accessors.names_of(edited) == {1: "a", 4: "film"}
    assert accessors.names_of(result) == {1: "a", 4: "b"}


def test_what_is_not_there_is_refused_with_what_is(result: xr.DataTree) -> None:
    with pytest.raises(InputError, match="no class 2; the classes are 1, 4"):
        accessors.check_class(accessors.names_of(result), 2)
    with pytest.raises(InputError, match="no particle 4; the result has 2"):
        accessors.check_objects(result, [3, 4], what="particle")
    with pytest.raises(InputError, match="empty name"):
        accessors.replace_name(result, 1, " ")
    assert accessors.check_objects(result, [5, 3, 5]).tolist() == [3, 5]


def test_warnings_are_sentences_and_none_where_there_are_none() -> None:
    assert accessors.warnings_of(xr.Dataset(attrs={"warnings": '["One."]'})) == ["One."]
    assert accessors.warnings_of(xr.Dataset()) == []
