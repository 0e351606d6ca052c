"""Particles of a collection in every format, and the report of them."""

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
from engine.export.methods import methods_text
from engine.export.provenance import read_recipe
from engine.export.tables import objects_frame
from engine.schema import table
from engine.simulate.hrtem import Hrtem

FILES = ["frame_000", "frame_001", "frame_002"]


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulator = Hrtem(size=256, n_frames=3, n_particles=4, pixel_size=0.05, empty=0.0, seed=3)
    return simulator.write(tmp_path_factory.mktemp("served") / "sample A")


@pytest.fixture(scope="module")
def stored(micrographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = engine.run("particles", engine.open(micrographs))
    edited = engine.edit(result, "relabel_objects", objects=[1, 2], label=1)
    return engine.save(edited, tmp_path_factory.mktemp("results") / "population.zarr")


@pytest.fixture
def result(stored: Path) -> xr.DataTree:
    return engine.load(stored)


def test_tables_have_a_row_a_particle_with_its_file_a_micrograph_and_a_class(result, tmp_path: Path):
    paths = catalogue.find("exporters", "csv")(result, tmp_path)
    assert [p.name for p in paths] == [
        f"sample_A_{kind}.csv" for kind in ("classes", "objects", "images", "fractions")
    ]
    objects = pd.read_csv(paths[1], comment="#")
    assert objects["file"].unique().tolist() == [f"{name}.tif" for name in FILES]
    assert objects["reviewed"].sum() == 2
    assert pd.read_csv(paths[2], comment="#")["n_particles"].sum() == len(objects)
    assert pd.read_csv(paths[3], comment="#", keep_default_na=False)["name"].tolist() == ["yes", "no", "null"]


@pytest.mark.parametrize("name", ["tiff", "fits", "png", "svg", "geojson", "ds9"])
def test_what_holds_one_map_is_written_for_each_micrograph(name: str, result, tmp_path: Path):
    paths = catalogue.find("exporters", name)(result, tmp_path)
    for file in FILES:
        assert any(path.name.startswith(f"sample_A_{file}") for path in paths)
    assert read_recipe(paths[0]).analysis == "particles"


def test_masks_are_those_of_the_micrograph_with_its_pixel_size(result, tmp_path: Path):
    import tifffile

    paths = catalogue.find("exporters", "tiff")(result, tmp_path)
    path = next(p for p in paths if p.name == "sample_A_frame_001_objects.tif")
    with tifffile.TiffFile(path) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), result["objects"][1])
        numerator, denominator = file.pages[0].tags["XResolution"].value
    assert 1e7 / (numerator / denominator) == pytest.approx(0.05, rel=1e-3)  # nm


def test_geojson_has_a_polygon_a_particle_of_its_area(result, tmp_path: Path):
    particles = objects_frame(result)
    paths = catalogue.find("exporters", "geojson")(result, tmp_path)
    features = [f for path in paths for f in json.loads(path.read_text())["features"]]
    assert [f["properties"]["object"] for f in features] == particles["object"].tolist()
    for feature, area in zip(features, particles["area"], strict=True):
        rings = [ring for polygon in feature["geometry"]["coordinates"] for ring in polygon]
        twice = [sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) for ring in rings]
        assert abs(sum(twice)) / 2 == pytest.approx(area * 0.05**2, rel=1e-6)


def test_crops_lie_in_folders_by_class_and_are_listed(
    stored: Path, result, tmp_path: Path, micrographs: Path
):
    assert main(["export", str(stored), "--to", "crops", "--out", str(tmp_path)]) == 0
    listed = pd.read_csv(tmp_path / "sample_A_crops.csv", comment="#", keep_default_na=False)
    assert len(listed) == len(objects_frame(result))
    for crop, name in zip(listed["crop"], listed["name"], strict=True):
        assert crop.startswith(f"{name}/")
        with Image.open(tmp_path / crop) as picture:
            assert picture.mode == "L"
    with pytest.raises(InputError, match="cut from the micrographs"):
        catalogue.find("exporters", "crops")(result, tmp_path)


def test_the_report_stands_alone_and_says_how_it_was_done(result, tmp_path: Path):
    (path,) = catalogue.find("exporters", "html")(result, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "src='http" not in text
    for said in (
        "3 micrographs",
        "gradient-boosted trees",
        "Wilson",
        "given or confirmed by a person",
        "numpy",
    ):
        assert said in methods_text(result)
        assert said in text
    assert read_recipe(path).edits[0]["name"] == "relabel_objects"


def test_the_summary_figure_is_a_picture_and_a_page(result, tmp_path: Path):
    paths = catalogue.find("exporters", "figure")(result, tmp_path)
    assert [p.suffix for p in paths] == [".png", ".pdf"]
    with Image.open(paths[0]) as picture:
        assert picture.width > 1000
    assert paths[1].read_bytes().startswith(b"%PDF")


def test_what_needs_spectra_is_refused_for_a_collection(result, tmp_path: Path):
    with pytest.raises(InputError, match="a collection of micrographs has no spectra"):
        catalogue.find("exporters", "dat")(result, tmp_path)


# ------------------------------------------------------------ against others
def test_a_collection_is_scored_against_the_truth_of_its_folder(stored: Path, micrographs: Path, capsys):
    assert main(["score", str(stored), str(micrographs), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["classes"]}
    assert {"yes", "no"} <= set(rows) | {"null"}
    assert max(row["iou"] for row in rows.values()) > 0.5


def test_collections_are_compared_with_intervals_and_more_of_a_class_is_seen(
    stored: Path, result, tmp_path, capsys
):
    numbers = table(result, "object_table")["object"].values.tolist()
    other = engine.edit(result, "relabel_objects", objects=numbers, label=2)
    engine.save(other, tmp_path / "other.zarr")
    assert main(["compare", str(stored), str(tmp_path / "other.zarr"), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["classes"]}
    own = table(result, "fractions").set_index(label="label")
    assert rows["no"]["difference"] == pytest.approx(float(own["fraction"].sel(label=2)) - 1)
    assert rows["no"]["low"] <= rows["no"]["difference"] <= rows["no"]["high"]
    assert rows["yes"]["radius_difference"] is None
    assert main(["compare", str(stored), str(stored)]) == 0
    assert "difference" in capsys.readouterr().out
