"""Particles of a collection in every format, and the report of them."""

import json
import shutil
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
from engine.export.collections import micrograph_names, split_micrographs
from engine.export.provenance import file_name, read_recipe
from engine.export.tables import objects_frame
from engine.nanoparticles.methods import methods_text
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


def test_what_a_class_is_called_leads_nowhere_but_into_the_folder(stored: Path, tmp_path: Path):
    renamed = engine.edit(engine.load(stored), "rename", label=1, name="../../=twin <b>&")
    images = engine.pipeline.images_of(renamed)
    for name in ("crops", "html", "geojson", "figure", "csv"):
        paths = catalogue.find("exporters", name)(renamed, tmp_path / "in" / name, images=images)
        assert all(path.resolve().is_relative_to(tmp_path / "in" / name) for path in paths)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert (tmp_path / "in" / "crops" / "twin_b").is_dir()
    assert (
        "<b>" not in next((tmp_path / "in" / "html").iterdir()).read_text(encoding="utf-8").split("<h1>")[1]
    )
    features = json.loads(next((tmp_path / "in" / "geojson").iterdir()).read_text())["features"]
    assert {f["properties"]["name"] for f in features if f["properties"]["class"] == 1} == {
        "../../=twin <b>&"
    }


def test_the_legend_of_a_micrograph_is_of_its_own_particles(result):
    for single in split_micrographs(result):
        classes, labels = table(single, "classes"), single["labels"].values
        pixels = [(labels == label).sum() for label in classes["label"].values]
        assert classes["count"].values.tolist() == pixels
        assert classes["fraction"].values == pytest.approx(np.array(pixels) / max(1, sum(pixels)))


def test_names_of_micrographs_are_different_however_long_and_alike_their_files_are():
    files = [f"{'grain' * 40}_{n}.tif" for n in range(3)] + ["a.tif", "A.png", "??.tif"]
    names = micrograph_names(files, start="sample_")
    assert len({name.casefold() for name in names}) == len(files)
    assert all(file_name(name) == name for name in names)


def test_a_micrograph_that_could_not_be_read_is_told_and_left_out(tmp_path: Path):
    import tifffile

    folder = Hrtem(size=128, n_frames=2, n_particles=2, pixel_size=0.05, empty=0.0).write(tmp_path / "some")
    tifffile.imwrite(folder / "frame_000.tif", np.full((128, 128), np.nan, np.float32))
    images = engine.open(folder, reader="collection")
    result = engine.run("particles", images)
    assert "1 micrographs could not be read" in methods_text(result)
    for name in ("tiff", "png", "geojson", "ds9", "fits", "crops"):
        paths = catalogue.find("exporters", name)(result, tmp_path / name, images=images)
        assert not any("frame_000" in path.name for path in paths)
    catalogue.find("exporters", "csv")(result, tmp_path)
    images_table = pd.read_csv(tmp_path / "some_images.csv", comment="#")
    assert images_table["problem"].notna().tolist() == [True, False]


def test_a_single_micrograph_has_a_polygon_a_particle_too(micrographs: Path, tmp_path: Path):
    result = engine.run("particles", engine.open(micrographs / "frame_001.tif"))
    for name, ending in (("geojson", "geojson"), ("ds9", "reg")):
        (path,) = catalogue.find("exporters", name)(result, tmp_path)
        assert path.name == f"frame_001.{ending}"
    features = json.loads((tmp_path / "frame_001.geojson").read_text())["features"]
    assert [f["properties"]["object"] for f in features] == objects_frame(result)["object"].tolist()
    assert {"label", "name", "radius", "probability_yes"} <= set(features[0]["properties"])
    assert "to be independent" in methods_text(result)


def test_the_report_stands_alone_and_says_how_it_was_done(result, tmp_path: Path):
    (path,) = catalogue.find("exporters", "html")(result, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "src='http" not in text
    for said in (
        "3 micrographs",
        "gradient-boosted trees",
        "the model that Mapstack",
        "bootstrap intervals",
        "Wilson",
        "given or confirmed by a person",
        "numpy",
    ):
        assert said in methods_text(result)
        assert said in text
    assert read_recipe(path).edits[0]["name"] == "relabel_objects"


def test_the_report_shows_what_retraining_changed(result, tmp_path: Path):
    names = ["yes", "no", "null", "empty"]
    before, after = np.diag([7001, 2, 3, 4]).tolist(), np.diag([7002, 2, 3, 4]).tolist()
    report = {"n_reviewed": 9, "names": names, "before": before, "after": after}
    result.attrs["retrained"] = json.dumps(report)
    (path,) = catalogue.find("exporters", "html")(result, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.index("<td>7001</td>") < text.index("<td>7002</td>")
    assert "corrected by what 9 of them taught" in text


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
    assert set(rows) <= {"0", "yes", "no", "null"}
    assert max(row["iou"] for row in rows.values()) > 0.5


def test_a_collection_is_scored_by_the_names_of_its_files(
    stored: Path, micrographs: Path, tmp_path: Path, capsys
):
    main(["score", str(stored), str(micrographs), "--json"])
    expected = json.loads(capsys.readouterr().out)
    for file in ("frame_000", "frame_001", "frame_002"):
        for ending in (".txt", "_mask.png"):
            shutil.copy(micrographs / f"{file}{ending}", tmp_path)
    shutil.copy(micrographs / "frame_000.txt", tmp_path / "another.txt")  # the labels of no micrograph
    assert main(["score", str(stored), str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected
    (tmp_path / "frame_001.txt").unlink()
    assert main(["score", str(stored), str(tmp_path)]) == 2
    assert "no labels for frame_001.tif" in capsys.readouterr().err


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
    assert rows["yes"]["radius_p"] is None
    assert 0 <= rows["no"]["radius_p"] <= 1
    assert main(["compare", str(stored), str(stored)]) == 0
    assert "difference" in capsys.readouterr().out
