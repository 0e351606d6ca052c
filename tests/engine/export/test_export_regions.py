import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.path import Path as Outline
from scipy import ndimage

from engine.export.outlines import trace
from engine.export.regions import write_ds9, write_geojson


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


masks = hnp.arrays(
    bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=st.booleans()
)


@settings(max_examples=200, deadline=None)
@given(masks)
def test_outlines_give_back_the_mask_and_its_area(mask: np.ndarray) -> None:
    outlines = trace(mask)
    assert len(outlines) == ndimage.label(mask)[1]
    rings = [ring[:, ::-1] for o in outlines for ring in (o.outer, *o.holes)]
    if rings:
        np.testing.assert_array_equal(painted(rings, mask.shape), mask)
    regions = ndimage.label(mask)[0]
    for outline in outlines:
        area = abs(signed_area(outline.outer)) - sum(abs(signed_area(hole)) for hole in outline.holes)
        row, column = outline.outer[-1]  # upper left corner of the first pixel
        assert area == np.count_nonzero(regions == regions[row, column])


def test_a_straight_edge_has_no_vertex_between_its_ends() -> None:
    (outline,) = trace(np.pad(np.ones((3, 5), bool), 2))
    assert outline.outer.tolist() == [[2, 7], [5, 7], [5, 2], [2, 2]]
    assert outline.holes == ()


def test_an_empty_mask_has_no_outline() -> None:
    assert trace(np.zeros((4, 4), bool)) == []


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
