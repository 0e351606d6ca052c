"""Value maps in formats of others, read back by their own libraries."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import xarray as xr
from astropy.io import fits
from PIL import Image

from engine.export import value_maps


@pytest.fixture
def result() -> xr.DataTree:
    values = np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]], np.float32)
    coords = {"y": ("y", [0.0, 2.0], {"units": "µm"}), "x": ("x", [0.0, 2.0, 4.0], {"units": "µm"})}
    data = (("y", "x"), values, {"units": "nm", "long_name": "thickness"})
    error = (("y", "x"), 0.1 * values, {"units": "nm"})
    root = xr.Dataset({"valid": (("y", "x"), np.isfinite(values))}, coords)
    root.attrs.update(kind="value_map", source="a/film.dat", recipe=json.dumps({"analysis": "profile"}))
    tree = {"/": root, "/values": xr.Dataset({"thickness": data, "thickness_error": error}, coords)}
    return xr.DataTree.from_dict(tree)


def test_the_summary_counts_pixels_with_a_value(result: xr.DataTree) -> None:
    (row,) = value_maps.values_frame(result).to_dict("records")
    assert row["name"] == "thickness"
    assert row["units"] == "nm"
    assert row["count"] == 5
    assert row["mean"] == pytest.approx(3.6)
    assert row["median"] == 4


def test_tiff_holds_each_value_with_its_unit_and_pixel_size(result: xr.DataTree, tmp_path: Path) -> None:
    paths = value_maps.write_tiff(result, tmp_path)
    assert [path.name for path in paths] == ["film_thickness.tif", "film_thickness_error.tif"]
    with tifffile.TiffFile(paths[0]) as file:
        np.testing.assert_array_equal(file.asarray(), np.asarray(result["values/thickness"]))
        assert json.loads(file.pages.first.description)["units"] == "nm"
        assert (
            file.pages.first.tags["XResolution"].value[0] / file.pages.first.tags["XResolution"].value[1]
            == 5000
        )


def test_fits_holds_each_value_as_an_image_with_bunit(result: xr.DataTree, tmp_path: Path) -> None:
    (path,) = value_maps.write_fits(result, tmp_path)
    with fits.open(path) as units:
        assert [unit.name for unit in units] == ["THICKNESS", "THICKNESS_ERROR", "RECIPE"]
        assert units[0].header["BUNIT"] == "nm"
        assert units[0].header["CDELT1"] == 2.0
        np.testing.assert_array_equal(units[0].data, np.asarray(result["values/thickness"]))


def test_a_picture_of_each_value_carries_the_recipe(result: xr.DataTree, tmp_path: Path) -> None:
    (path,) = value_maps.write_png(result, tmp_path)
    with Image.open(path) as picture:
        assert json.loads(picture.info["recipe"]) == {"analysis": "profile"}
    (drawing,) = value_maps.write_svg(result, tmp_path)
    assert "thickness (nm)" in drawing.read_text(encoding="utf-8")
