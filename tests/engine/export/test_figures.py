"""Tests of `engine.export.figures`."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import tifffile
import xarray as xr
from PIL import Image

from engine.export import figures
from engine.export.rasters import write_tiff
from engine.objects import Calibration, Rules, describe_objects
from engine.recipe import Recipe
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe


def test_png_shows_each_pixel_in_its_class_colour(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    (path,) = figures.write_png(result, tmp_path)
    with Image.open(path) as image:
        picture = np.asarray(image.convert("RGB"))
    scale = 800 // 24
    drawn = picture[40 : 40 + 16 * scale, 40 : 40 + 24 * scale]
    expected = figures.label_image(labels, {1: "#0072B2", 3: "#E69F00", 7: "#009E73"})
    np.testing.assert_array_equal(drawn[scale // 2 :: scale, scale // 2 :: scale], expected)
    np.testing.assert_array_equal(drawn, np.kron(expected, np.ones((scale, scale, 1), np.uint8)))


def test_large_maps_are_thinned_out_for_pictures(result: xr.DataTree, tmp_path: Path) -> None:
    large = np.ones((10, 9000), np.uint8)
    root = xr.Dataset({"labels": (("y", "x"), large)})
    tree = xr.DataTree.from_dict({"/": root, "/classes": result["classes"].to_dataset(inherit=False)})
    (path,) = figures.write_png(tree, tmp_path)
    with Image.open(path) as image:
        assert image.width < 4096 + 400


def test_svg_is_well_formed_and_names_the_classes_as_text(result: xr.DataTree, tmp_path: Path) -> None:
    from defusedxml import ElementTree

    (path,) = figures.write_svg(result, tmp_path)
    texts = "".join(
        node.text or "" for node in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    )
    assert "SiO₂, dünn" in texts
    assert "two lines" in texts
    assert "<b>$x_1$" in texts
    assert "µm" in texts


def test_pictures_leave_matplotlib_as_it_was(result: xr.DataTree, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    figures.write_png(result, tmp_path)
    assert dict(mpl.rcParams) == before


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


def test_tiff_and_pictures_are_written_of_a_result_with_objects(frame: xr.DataTree, tmp_path: Path) -> None:
    paths = write_tiff(frame, tmp_path)
    assert [p.stem for p in paths] == [f"frame_{n}" for n in ("labels", "confidence", "entropy", "objects")]
    np.testing.assert_array_equal(tifffile.imread(paths[-1]), frame["objects"])
    assert figures.write_png(frame, tmp_path)
