"""Tests of `engine.export.tables`."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image

import engine
from engine import catalogue
from engine.__main__ import main
from engine.errors import InputError
from engine.export import tables
from engine.export.tables import objects_frame
from engine.nanoparticles.methods import methods_text
from engine.objects import Calibration, Rules, describe_objects
from engine.recipe import Recipe
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe

FILES = ["frame_000", "frame_001", "frame_002"]


@pytest.fixture
def population(stored: Path) -> xr.DataTree:
    return engine.load(stored)


def test_tables_have_a_row_a_particle_with_its_file_a_micrograph_and_a_class(population, tmp_path: Path):
    paths = catalogue.find("exporters", "csv")(population, tmp_path)
    assert [p.name for p in paths] == [
        f"sample_A_{kind}.csv" for kind in ("classes", "objects", "images", "fractions")
    ]
    objects = pd.read_csv(paths[1], comment="#")
    assert objects["file"].unique().tolist() == [f"{name}.tif" for name in FILES]
    assert objects["reviewed"].sum() == 2
    assert pd.read_csv(paths[2], comment="#")["n_particles"].sum() == len(objects)
    assert pd.read_csv(paths[3], comment="#", keep_default_na=False)["name"].tolist() == ["yes", "no", "null"]


def test_geojson_has_a_polygon_a_particle_of_its_area(population, tmp_path: Path):
    particles = objects_frame(population)
    paths = catalogue.find("exporters", "geojson")(population, tmp_path)
    features = [f for path in paths for f in json.loads(path.read_text())["features"]]
    assert [f["properties"]["object"] for f in features] == particles["object"].tolist()
    for feature, area in zip(features, particles["area"], strict=True):
        rings = [ring for polygon in feature["geometry"]["coordinates"] for ring in polygon]
        twice = [sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) for ring in rings]
        assert abs(sum(twice)) / 2 == pytest.approx(area * 0.05**2, rel=1e-6)


def test_crops_lie_in_folders_by_class_and_are_listed(
    stored: Path, population, tmp_path: Path, micrographs: Path
):
    assert main(["export", str(stored), "--to", "crops", "--out", str(tmp_path)]) == 0
    listed = pd.read_csv(tmp_path / "sample_A_crops.csv", comment="#", keep_default_na=False)
    assert len(listed) == len(objects_frame(population))
    for crop, name in zip(listed["crop"], listed["name"], strict=True):
        assert crop.startswith(f"{name}/")
        with Image.open(tmp_path / crop) as picture:
            assert picture.mode == "L"
    with pytest.raises(InputError, match="cut from the micrographs"):
        catalogue.find("exporters", "crops")(population, tmp_path)


def test_a_single_micrograph_has_a_polygon_a_particle_too(micrographs: Path, tmp_path: Path):
    population = engine.run("particles", engine.open(micrographs / "frame_001.tif"))
    for name, ending in (("geojson", "geojson"), ("ds9", "reg")):
        (path,) = catalogue.find("exporters", name)(population, tmp_path)
        assert path.name == f"frame_001.{ending}"
    features = json.loads((tmp_path / "frame_001.geojson").read_text())["features"]
    assert [f["properties"]["object"] for f in features] == objects_frame(population)["object"].tolist()
    assert {"label", "name", "radius", "probability_yes"} <= set(features[0]["properties"])
    assert "to be independent" in methods_text(population)


def test_coordinates_are_the_pixels_of_each_cluster(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    pixels = np.loadtxt(tables.write_dat(result, tmp_path)[1], dtype=int)
    again = np.zeros_like(labels)
    again[pixels[:, 1], pixels[:, 2]] = pixels[:, 0]
    np.testing.assert_array_equal(again, labels)
    assert len(pixels) == np.count_nonzero(labels)
    assert (np.diff(pixels[:, 0]) >= 0).all()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_starts_like_a_formula(start: str, result: xr.DataTree, tmp_path: Path) -> None:
    names = xr.DataArray(np.array([f"{start}cmd|'/c calc'!A0"] * 3), dims="label")
    result["classes/name"] = names
    for path in tables.write_csv(result, tmp_path):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(line for line in file if not line.startswith("#")))
        assert not [cell for row in rows for cell in row if cell.startswith(start) and len(cell) > 9]


def test_objects_are_a_table_where_there_are_any(result: xr.DataTree, tmp_path: Path) -> None:
    assert tables.objects_frame(result).empty
    rows = xr.Dataset({"area": ("object", [4.0, 9.0])}, {"object": [1, 2]})
    result["object_table"] = xr.DataTree(rows)
    path = next(path for path in tables.write_csv(result, tmp_path) if path.name.endswith("_objects.csv"))
    assert pd.read_csv(path, comment="#").to_dict("list") == {"object": [1, 2], "area": [4.0, 9.0]}


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
