"""Results with objects: every format holds their table, and their regions lie where the objects are."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import xarray as xr
from astropy.io import fits
from astropy.table import Table

import engine
from engine.export import figures, regions, store, tables
from engine.export.rasters import write_fits, write_tiff
from engine.objects import Calibration, Rules, describe_objects
from engine.readers.labels.label_files import read_labels
from engine.recipe import Recipe
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe

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


def test_a_result_with_objects_is_saved_and_loaded_as_it_is(frame: xr.DataTree, tmp_path: Path) -> None:
    engine.save(frame, tmp_path / "a.zarr")
    again = engine.load(tmp_path / "a.zarr")
    for group in ("object_table", "audit", "classes"):
        xr.testing.assert_identical(
            again[group].to_dataset(inherit=False).load(), frame[group].to_dataset(inherit=False).compute()
        )
    for name in ("labels", "objects", "entropy", "confidence"):
        np.testing.assert_array_equal(again[name], frame[name])
        assert again[name].dtype == frame[name].dtype


def test_netcdf_holds_the_tables_of_objects_and_changes(frame: xr.DataTree, tmp_path: Path) -> None:
    (path,) = store.write_netcdf(frame, tmp_path)
    with xr.open_datatree(path, engine="h5netcdf") as again:
        for group in ("object_table", "audit"):
            expected = frame[group].to_dataset(inherit=False).compute()
            found = again[group].to_dataset(inherit=False).load()
            assert found.sizes == expected.sizes
            for name, column in expected.variables.items():
                assert found[name].values.tolist() == pytest.approx(column.values.tolist(), nan_ok=True)
                assert found[name].attrs == column.attrs


def test_fits_holds_all_maps_and_both_tables_with_units(frame: xr.DataTree, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (path,) = write_fits(frame, tmp_path)
    with fits.open(path, checksum=True) as units:
        units.verify("exception")
        for name in ("confidence", "entropy", "objects"):
            np.testing.assert_array_equal(units[name.upper()].data, frame[name])
        assert [units[0].header[f"CLASS{value}"] for value in NAMES] == list(CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, audit = (Table.read(path, hdu=name) for name in ("OBJECT_TABLE", "AUDIT"))
    expected = frame["object_table"].to_dataset(inherit=False)
    assert len(rows) == expected.sizes["object"]
    for name in ("object", "class", "y", "charge", "touches_edge", "votes"):
        np.testing.assert_array_equal(np.asarray(rows[name]), expected[name].values)
    assert [str(text) for text in rows["name"]] == expected["name"].values.tolist()
    assert {name: str(rows[name].unit) for name in ("y", "area", "charge", "energy", "orientation")} == {
        "y": "um",
        "area": "pix2",
        "charge": "adu",
        "energy": "eV",
        "orientation": "rad",
    }
    assert rows["votes"].unit is None
    assert len(audit) == frame["audit"].sizes["change"]
    assert [str(text) for text in audit["rule"]] == frame["audit"]["rule"].values.tolist()


def test_labels_in_fits_are_read_as_truth_with_the_names_of_the_classes(
    frame: xr.DataTree, tmp_path: Path
) -> None:
    truth = read_labels(write_fits(frame, tmp_path)[0])
    np.testing.assert_array_equal(truth, frame["labels"])
    assert str(truth.attrs["flag_meanings"]).split() == list(CLASSES)


def test_csv_and_parquet_hold_the_tables_of_objects_and_changes(frame: xr.DataTree, tmp_path: Path) -> None:
    for paths, read in (
        (tables.write_csv(frame, tmp_path), lambda path: pd.read_csv(path, comment="#")),
        (tables.write_parquet(frame, tmp_path), pd.read_parquet),
    ):
        named = {path.stem.rpartition("_")[2]: read(path) for path in paths}
        objects, audit = tables.objects_frame(frame), tables.audit_frame(frame)
        assert named["objects"].columns.tolist() == objects.columns.tolist()
        assert named["objects"]["object"].tolist() == objects["object"].tolist()
        np.testing.assert_allclose(named["objects"]["energy"].astype(float), objects["energy"])
        assert named["audit"]["rule"].tolist() == audit["rule"].tolist()
        assert named["audit"]["old"].tolist() == audit["old"].tolist()


def test_units_of_the_object_table_are_in_the_csv(frame: xr.DataTree, tmp_path: Path) -> None:
    path = next(p for p in tables.write_csv(frame, tmp_path) if p.stem.endswith("objects"))
    line = path.read_text(encoding="utf-8").splitlines()[1]
    units = json.loads(line.removeprefix("# units: "))
    assert {units["energy"], units["y"], units["charge"]} == {"eV", "µm", "adu"}


def test_tiff_and_pictures_are_written_of_a_result_with_objects(frame: xr.DataTree, tmp_path: Path) -> None:
    paths = write_tiff(frame, tmp_path)
    assert [p.stem for p in paths] == [f"frame_{n}" for n in ("labels", "confidence", "entropy", "objects")]
    np.testing.assert_array_equal(tifffile.imread(paths[-1]), frame["objects"])
    assert figures.write_png(frame, tmp_path)


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
