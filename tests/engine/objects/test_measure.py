""""""

import importlib
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label, regionprops_table

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


@settings(max_examples=40, deadline=None)
@given(
    values=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=14)),
    rows=st.integers(1, 14),
    columns=st.integers(1, 14),
    seed=st.integers(0, 99),
)
def test_the_table_is_that_of_scikit_image_and_the_same_to_the_last_bit_for_any_chunking(
    values: np.ndarray, rows: int, columns: int, seed: int
) -> None:
    image = np.random.default_rng(seed).lognormal(0, 9, values.shape) - 1
    objects = label(values)
    whole = measure(frame(objects), image=frame(image), confidence=frame(image))
    tiled = measure(
        frame(objects, (rows, columns)), image=frame(image, (columns, rows)), confidence=frame(image)
    )
    xr.testing.assert_identical(whole, tiled)
    if values.any():
        assert_scikit_image_agrees(tiled, objects, image)
    exact = [math.fsum(image[objects == number]) for number in tiled["object"].values]
    np.testing.assert_array_equal(tiled["charge"], exact)


@pytest.mark.real
def test_real_particle_tracks_are_measured_as_by_scikit_image(timepix: dict[str, np.ndarray]) -> None:
    for values in timepix["frames"]:
        table = measure(connect(frame(values, (100, 60))), image=frame(values))
        assert_scikit_image_agrees(table, label(values > 0), values)
        assert table["charge"].sum() == values.sum(dtype=np.int64)


def test_the_class_of_most_pixels_wins_and_at_a_tie_the_lowest() -> None:
    objects = frame([[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 0, 5]], (1, 2))
    classes = frame([[2, 1, 2, 7], [4, 3, 3, 4], [0, 0, 9, 6]])
    assert measure(objects, classes=classes)["class"].values.tolist() == [2, 3, 0, 6]


def test_pixels_without_a_finite_value_do_not_count() -> None:
    objects = frame([[1, 1, 1], [0, 0, 0], [2, 2, 0]])
    image = frame([[1.0, np.nan, 4.0], [9, 9, 9], [np.nan, np.inf, 9]])
    table = measure(objects, image=image, confidence=image)
    np.testing.assert_array_equal(table["charge"], [5, np.nan])
    np.testing.assert_array_equal(table["peak"], [4, np.nan])
    np.testing.assert_array_equal(table["confidence"], [2.5, np.nan])
    assert table["area"].values.tolist() == [3, 2]


def test_objects_at_each_edge_of_the_frame_touch_it_and_those_inside_do_not() -> None:
    objects = frame([[0, 0, 1, 0, 0], [2, 0, 0, 0, 3], [0, 0, 4, 0, 0], [0, 0, 0, 0, 0], [0, 0, 5, 0, 0]], 2)
    assert measure(objects)["touches_edge"].values.tolist() == [True, True, True, False, True]


def test_numbers_need_not_be_consecutive_and_rows_follow_them() -> None:
    table = measure(frame(np.array([[900, 0, 7], [900, 0, 7], [0, 0, 2**40]], np.uint64), 1))
    assert table["object"].values.tolist() == [7, 900, 2**40]
    assert table["area"].values.tolist() == [2, 2, 1]


def test_a_map_too_large_to_be_held_is_read_again_and_the_table_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def tile(block_id: tuple[int, int]) -> np.ndarray:
        seen.append(block_id)
        return np.random.default_rng(block_id).random((20, 20)) - 0.6

    values = da.map_blocks(tile, chunks=((20,) * 3,) * 2, dtype=float, meta=np.empty((0, 0)))
    image = xr.DataArray(values, dims=("y", "x"))
    held = measure(connect(image > 0), image=image)
    assert len(seen) == 9
    monkeypatch.setattr(importlib.import_module("engine.objects.measure"), "HELD_BYTES", 0)
    xr.testing.assert_identical(measure(connect(image > 0), image=image), held)
    assert len(seen) == 27


def test_nothing_found_is_an_empty_table_with_all_columns() -> None:
    some, none = (measure(connect(frame(np.full((4, 6), value), 3))) for value in (True, False))
    assert none.sizes == {"object": 0}
    assert {name: column.dtype for name, column in none.items()} == {n: c.dtype for n, c in some.items()}


def test_columns_without_a_map_are_there_and_say_nothing() -> None:
    row = measure(frame([[1]])).squeeze("object")
    assert row["class"] == 0
    assert all(np.isnan(row[name]) for name in ("charge", "peak", "confidence"))


def test_centroids_and_charge_have_the_units_of_coordinates_and_image() -> None:
    coords = {"y": ("y", [10.0, 12.0], {"units": "µm"}), "x": ("x", [5.0, 4.0, 3.0], {"units": "µm"})}
    objects = frame([[1, 1, 0], [1, 1, 0]]).assign_coords(coords)
    table = measure(objects, image=frame(np.ones((2, 3))).assign_attrs(units="adu"))
    assert (float(table["y"][0]), float(table["x"][0])) == (11.0, 4.5)
    units = {name: column.attrs["units"] for name, column in table.items()}
    assert {units[name] for name in ("y", "x")} == {"µm"}
    assert {units[name] for name in ("charge", "peak")} == {"adu"}
    assert {units[name] for name in ("length", "width", "bbox_top")} == {"px"}
    assert (units["area"], units["orientation"]) == ("px²", "rad")


def test_big_endian_and_half_precision_images_are_measured() -> None:
    objects = frame([[1, 1]])
    for dtype in (">f4", ">u2", "f2", bool):
        assert float(measure(objects, image=frame(np.array([[1, 1]], dtype)))["charge"][0]) == 2.0


@pytest.mark.parametrize("then", [xr.DataArray.compute, measure])
def test_the_mask_is_computed_once(then: Callable[[xr.DataArray], object]) -> None:
    seen = []

    def tile(block_id: tuple[int, int]) -> np.ndarray:
        seen.append(block_id)
        return np.ones((5, 5), bool)

    mask = da.map_blocks(tile, chunks=((5, 5), (5, 5)), dtype=bool, meta=np.empty((0, 0), bool))
    with dask.config.set(scheduler="synchronous"):
        then(connect(xr.DataArray(mask, dims=("y", "x"))))
    assert sorted(seen) == [(0, 0), (0, 1), (1, 0), (1, 1)]


SCRIPT = Path(__file__).parents[3] / "benchmarks" / "objects.py"


def test_objects_are_measured_in_little_memory_and_faster_than_by_scikit_image() -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert float(re.search(r"peak resident size ([\d.]+) GiB", run.stdout)[1]) <= 2  # type: ignore[index]
    assert float(re.search(r"= ([\d.]+) x ours", run.stdout)[1]) > 1  # type: ignore[index]
