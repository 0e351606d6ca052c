"""Tests of `engine.objects.shape`."""

from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from skimage.measure import label, regionprops_table

from engine.errors import InputError
from engine.objects import connect, measure

COLUMNS = {
    "label": "label",
    "y": "centroid-0",
    "x": "centroid-1",
    "area": "area",
    "bbox_top": "bbox-0",
    "bbox_left": "bbox-1",
    "bbox_bottom": "bbox-2",
    "bbox_right": "bbox-3",
    "eccentricity": "eccentricity",
    "length": "axis_major_length",
    "width": "axis_minor_length",
    "peak": "intensity_max",
}
"""scikit-image's names by ours."""


def frame(values: Any, chunks: object = None) -> xr.DataArray:
    values = np.asarray(values)
    return xr.DataArray(values if chunks is None else da.from_array(values, chunks=chunks), dims=("y", "x"))


def assert_scikit_image_agrees(table: xr.Dataset, objects: np.ndarray, image: np.ndarray) -> None:
    image = image.astype(np.float64)  # theirs are means in the image's own precision
    wanted = ("label", "centroid", "area", "bbox", "eccentricity", "axis_major_length", "axis_minor_length")
    theirs = regionprops_table(
        objects, image, properties=(*wanted, "orientation", "intensity_max", "intensity_mean")
    )
    for ours, name in COLUMNS.items():  # where an axis vanishes theirs is the root of a rounding error
        np.testing.assert_allclose(table[ours], theirs[name], rtol=1e-9, atol=1e-6, err_msg=ours)
    # half a turn is the same axis, and an object as long as wide has none
    off = np.sin(table["orientation"] - theirs["orientation"]) * table["eccentricity"] ** 2
    np.testing.assert_allclose(off, 0, atol=1e-9)
    np.testing.assert_allclose(
        table["charge"], theirs["intensity_mean"] * theirs["area"], rtol=1e-9, atol=1e-9
    )


def test_a_frame_of_many_shapes_over_many_tiles_is_measured_as_by_scikit_image() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((500, 400)) < 0.4
    image = rng.normal(100, 20, values.shape).astype(np.float32)
    table = measure(connect(frame(values, (37, 61))), image=frame(image, 128))
    assert table.sizes["object"] > 1000
    assert_scikit_image_agrees(table, label(values), image)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1]], {"orientation": -np.pi / 4, "eccentricity": 0, "length": 0, "width": 0}),
        ([[1, 1]], {"orientation": np.pi / 2, "eccentricity": 1, "length": 2, "width": 0}),
        ([[1], [1]], {"orientation": 0, "eccentricity": 1, "length": 2, "width": 0}),
        ([[1, 0], [0, 1]], {"orientation": np.pi / 4, "length": 2 * np.sqrt(2), "width": 0}),
        ([[0, 1], [1, 0]], {"orientation": -np.pi / 4, "length": 2 * np.sqrt(2), "width": 0}),
        ([[1, 1], [1, 1]], {"orientation": -np.pi / 4, "eccentricity": 0, "length": 2, "width": 2}),
    ],
)
def test_small_objects_have_the_shape_computed_by_hand(
    values: list[list[int]], expected: dict[str, float]
) -> None:
    row = measure(frame(values)).squeeze("object")
    for name, value in expected.items():
        assert float(row[name]) == pytest.approx(value, abs=1e-15), name


def test_maps_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"'image' has the dims .* the shape \(3, 3\); expected"):
        measure(frame(np.ones((2, 2), int)), image=frame(np.ones((3, 3))))
    with pytest.raises(InputError, match="'objects' has the dims"):
        measure(xr.DataArray(np.ones(3, int), dims="y"))
