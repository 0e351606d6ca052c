"""Tests of `engine.export.regions`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.path import Path as Outline

from engine.export import regions
from engine.export.regions import write_ds9, write_geojson
from engine.objects import Calibration, Rules, describe_objects
from engine.recipe import Recipe
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe


def signed_area(ring: np.ndarray) -> float:
    """Area of a ring of (x, y) points, positive if counter-clockwise: the shoelace formula."""
    x, y = np.asarray(ring, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def painted(rings: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre is inside an odd number of rings of (x, y) vertices in pixel edges."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    centres = np.column_stack([x.ravel(), y.ravel()])
    inside = [Outline(np.vstack([r, r[:1]]), closed=True).contains_points(centres) for r in rings]
    return (np.sum(inside, axis=0, dtype=int) % 2 == 1).reshape(shape)


@pytest.fixture
def document(result: xr.DataTree, tmp_path: Path) -> dict[str, Any]:
    (path,) = write_geojson(result, tmp_path)
    return json.loads(path.read_text(encoding="utf-8"))


def test_geojson_areas_are_the_pixels_areas(document: dict[str, Any], labels: np.ndarray) -> None:
    assert document["type"] == "FeatureCollection"
    assert document["units"] == "µm"
    assert [f["properties"]["label"] for f in document["features"]] == [1, 3, 7]
    for feature in document["features"]:
        properties = feature["properties"]
        polygons = feature["geometry"]["coordinates"]
        rings = [np.array(ring) for polygon in polygons for ring in polygon]
        assert all((ring[0] == ring[-1]).all() for ring in rings)
        area = sum(signed_area(ring[:-1]) for ring in rings)  # holes turn the other way round
        assert area == pytest.approx(0.25 * np.count_nonzero(labels == properties["label"]))
        assert area == pytest.approx(properties["area"])


def test_geojson_holes_and_islands_are_where_they_are(document: dict[str, Any], labels: np.ndarray) -> None:
    geometry = {f["properties"]["label"]: f["geometry"]["coordinates"] for f in document["features"]}
    assert [len(polygon) for polygon in geometry[1]] == [2, 2]  # round the ring; in it, round both islands
    assert [len(polygon) for polygon in geometry[3]] == [2]
    assert [len(polygon) for polygon in geometry[7]] == [1, 1]  # they touch at a corner only
    for label, polygons in geometry.items():
        rings = [np.array(ring[:-1]) / 0.5 for polygon in polygons for ring in polygon]
        np.testing.assert_array_equal(painted(rings, labels.shape), labels == label)


def test_geojson_turns_its_rings_right_on_a_descending_axis(result: xr.DataTree, tmp_path: Path) -> None:
    groups = {path: node.to_dataset(inherit=False) for path, node in result.subtree_with_keys}
    groups["."] = groups["."].assign_coords(y=-groups["."]["y"])
    flipped = xr.DataTree.from_dict(groups)
    (path,) = write_geojson(flipped, tmp_path)
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        for outer, *holes in feature["geometry"]["coordinates"]:
            assert signed_area(np.array(outer[:-1])) > 0
            assert all(signed_area(np.array(hole[:-1])) < 0 for hole in holes)


def test_geojson_names_are_the_users_text(document: dict[str, Any], result: xr.DataTree) -> None:
    names = [feature["properties"]["name"] for feature in document["features"]]
    assert names == result["classes/name"].values.tolist()


def test_ds9_regions_are_polygons_in_image_coordinates(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    (path,) = write_ds9(result, tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[2] == "image"
    polygon = re.compile(r"(-?)polygon\(([-\d.,e+]+)\) # color=(#\w{6}) text=\{([^{}]*)\} tag=\{class (\d)\}")
    found = [polygon.fullmatch(line) for line in lines[3:]]
    assert all(found)
    rings = [np.array(m[2].split(","), float).reshape(-1, 2) - 0.5 for m in found if m and m[5] == "3"]
    np.testing.assert_array_equal(painted(rings, labels.shape), labels == 3)
    assert [m[1] for m in found if m and m[5] == "3"] == ["", "-"]
    assert {m[4] for m in found if m and m[5] == "7"} == {"two lines #(%)"}


NAMES = dict(enumerate(CLASSES, start=1))


def segmented(values: np.ndarray, recipe: Recipe) -> xr.DataTree:
    """Result of a frame with these classes, laid out as a U-Net's; pixels of 2 µm."""
    coords = {
        dim: (dim, 2.0 * np.arange(n), {"units": "µm"}) for dim, n in zip("yx", values.shape, strict=True)
    }
    labels = xr.DataArray(values.astype(np.uint8), coords, ("y", "x")).chunk(16)
    charge = xr.full_like(labels, 5, dtype="f4").assign_attrs(units="adu")
    confidence = xr.full_like(labels, 0.75, dtype="f4")
    found = describe_objects(
        labels, charge, confidence, names=NAMES, calibration=Calibration(1.0), rules=Rules()
    )
    tree = describe(xr.Dataset({"values": charge}), found.labels, confidence, names=NAMES)
    entropy = confidence.assign_attrs(units="1")
    tree.dataset = tree.to_dataset().assign(entropy=entropy, objects=found.objects)
    tree["object_table"], tree["audit"] = xr.DataTree(found.table), xr.DataTree(found.audit)
    tree.attrs.update(recipe=recipe.to_json(), title="frame")
    return tree


@pytest.fixture(params=["some", "none"])
def frame(request: pytest.FixtureRequest, recipe: Recipe) -> xr.DataTree:
    """A line, a tilted track, a hot block that becomes a cluster, and glow at the edge; or nothing at all."""
    values = np.ones((40, 50), np.uint8)
    if request.param == "some":
        values[5, 10:30] = 3
        values[np.arange(12, 20), np.arange(30, 38)] = 4
        values[30:33, 20:23] = 3
        values[:, :3] = 2
    return segmented(values, recipe)


ELLIPSE = re.compile(
    r"ellipse\(([-\d.]+),([-\d.]+),([\d.]+),([\d.]+),([-\d.]+)\)"
    r" # color=(#\w{6}) tag=\{(\w+)\} text=\{(\d+)\}"
)


def covered(match: re.Match[str], shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre is in an ellipse of DS9: centre from 1, radii, angle from x to y in degrees."""
    x0, y0, a, b, angle = map(float, match.groups()[:5])
    y, x = np.mgrid[1 : shape[0] + 1, 1 : shape[1] + 1]
    turn = np.deg2rad(angle)
    along = (x - x0) * np.cos(turn) + (y - y0) * np.sin(turn)
    across = -(x - x0) * np.sin(turn) + (y - y0) * np.cos(turn)
    return (along / a) ** 2 + (across / b) ** 2 <= 1


def test_ds9_regions_of_objects_are_ellipses_round_them(frame: xr.DataTree, tmp_path: Path) -> None:
    (path,) = regions.write_ds9(frame, tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[2] == "image"
    found = [ELLIPSE.fullmatch(line) for line in lines[3:]]
    objects = np.asarray(frame["objects"])
    assert [int(m[8]) for m in found if m] == list(range(1, objects.max() + 1))
    for match in found:
        own = objects == int(match[8])  # type: ignore[index]
        inside = covered(match, objects.shape)  # type: ignore[arg-type]
        assert (own & inside).sum() >= 0.9 * own.sum()
        assert (inside & ~own).sum() <= 0.2 * own.sum() + 4


def test_ds9_tags_are_class_names_and_colours_those_of_the_classes(
    frame: xr.DataTree, tmp_path: Path
) -> None:
    lines = regions.write_ds9(frame, tmp_path)[0].read_text(encoding="utf-8").splitlines()[3:]
    found = [ELLIPSE.fullmatch(line) for line in lines]
    classes = frame["classes"].to_dataset().compute()
    colors = dict(zip(classes["name"].values.tolist(), classes["color"].values.tolist(), strict=True))
    assert [m[7] for m in found if m] == frame["object_table"]["name"].values.tolist()
    assert all(m and m[6] == colors[m[7]] for m in found)
