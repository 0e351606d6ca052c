"""Particles of a collection in every format, and the report of them."""

import json
import shutil
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
from engine.nanoparticles.methods import methods_text
from engine.simulate.hrtem import Hrtem


@pytest.fixture
def result(stored: Path) -> xr.DataTree:
    return engine.load(stored)


def test_masks_are_those_of_the_micrograph_with_its_pixel_size(result, tmp_path: Path):
    import tifffile

    paths = catalogue.find("exporters", "tiff")(result, tmp_path)
    path = next(p for p in paths if p.name == "sample_A_frame_001_objects.tif")
    with tifffile.TiffFile(path) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), result["objects"][1])
        numerator, denominator = file.pages[0].tags["XResolution"].value
    assert 1e7 / (numerator / denominator) == pytest.approx(0.05, rel=1e-3)  # nm


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
