"""Tests of `engine.export.rasters`."""

import json
from pathlib import Path

import numpy as np
import tifffile
import xarray as xr

from engine.export.rasters import pixel_edges, write_tiff

STEM = "hBN_µ-map_2"


NAMES = ["SiO₂, dünn", "=SUM(A1)\"'; <b>$x_1$", "two\nlines\t#{%}"]


def test_tiff_holds_the_maps_classes_and_pixel_size(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    paths = write_tiff(result, tmp_path)
    assert [p.name for p in paths] == [f"{STEM}_labels.tif", f"{STEM}_confidence.tif"]
    np.testing.assert_array_equal(tifffile.imread(paths[0]), labels)
    confidence = tifffile.imread(paths[1])
    assert confidence.dtype == np.float32
    np.testing.assert_array_equal(confidence, result["confidence"])
    with tifffile.TiffFile(paths[0]) as file:
        page = file.pages.first
        assert [row["name"] for row in json.loads(page.description)["classes"]] == NAMES
        assert page.tags["XResolution"].value[0] / page.tags["XResolution"].value[1] == 20000  # 0.5 µm
        assert page.tags["ResolutionUnit"].value == 3


def test_pixel_edges_lie_half_a_pixel_around_the_centres(result: xr.DataTree) -> None:
    edges, unit = pixel_edges(result, "x")
    np.testing.assert_allclose(edges, 0.5 * np.arange(25))
    assert unit == "µm"
    bare, unit = pixel_edges(xr.DataTree(xr.Dataset({"labels": (("y", "x"), np.ones((2, 3), "u1"))})), "x")
    assert bare.tolist() == [-0.5, 0.5, 1.5, 2.5]
    assert unit == "px"
