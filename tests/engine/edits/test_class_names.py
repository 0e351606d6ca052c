"""Names and colours of classes, for any kind of result."""

import pytest
import xarray as xr

import engine
from engine.edits.class_names import recolour, rename
from engine.errors import InputError
from engine.schema.accessors import colors_of, names_of


def test_a_class_gets_another_name_and_colour(result: xr.DataTree, images: xr.Dataset) -> None:
    edited = recolour(rename(result, images, label=2, name=" film "), images, label=2, color="#123456")
    assert names_of(edited)[2] == "film"
    assert colors_of(edited)[2] == "#123456"
    assert names_of(result)[2] == "cluster 2"


@pytest.mark.parametrize(
    ("name", "arguments", "what"),
    [
        ("recolour", {"label": 1, "color": "red"}, "give it as #rrggbb"),
        ("rename", {"label": 7, "name": "x"}, "no class 7"),
    ],
)
def test_what_cannot_be_is_refused(
    result: xr.DataTree, images: xr.Dataset, name: str, arguments: dict[str, object], what: str
) -> None:
    with pytest.raises(InputError, match=what):
        engine.edit(result, name, images, **arguments)
