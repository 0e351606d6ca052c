"""The analysis `particles`: from labelled micrographs to a model, and from a micrograph to its particles."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.__main__ import main
from engine.analysis import find_shipped_model, load_model
from engine.errors import InputError
from engine.nanoparticles.analysis import EMPTY, Particles, classes_of
from engine.nanoparticles.classifiers import pack_classifier, unpack_classifier
from engine.nanoparticles.features import NAMES
from engine.nanoparticles.model import consistent
from engine.readers.labels.label_files import labels_of
from engine.simulate.hrtem import Hrtem


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulator = Hrtem(size=384, n_frames=4, pixel_size=0.05, empty=0.0, seed=3)
    return simulator.write(tmp_path_factory.mktemp("hrtem"))


def test_classes_are_those_of_the_labels_under_most_of_each_object():
    objects = np.array([[1, 1, 1, 0], [2, 2, 3, 3]])
    labels = np.array([[2, 2, 1, 3], [0, 0, 0, 3]], np.uint8)
    assert classes_of(objects, labels).tolist() == [1, EMPTY, 2]


def test_the_shipped_model_finds_and_classifies_simulated_particles(micrographs: Path):
    with (micrographs / "truth.csv").open(encoding="utf-8") as file:
        truth = [row for row in csv.DictReader(file) if row["file"] == "frame_003.tif"]
    result = engine.run("particles", engine.open(micrographs / "frame_003.tif"))
    objects, labels = np.asarray(result["objects"]), np.asarray(result["labels"])
    table = result["object_table"].to_dataset()
    assert ((objects > 0) == (labels > 0)).all()
    assert table.sizes["object"] == objects.max() > 0
    inner = [
        (row, int(objects[round(float(row["y"])), round(float(row["x"]))]))
        for row in truth
        if row["class"] != "null"
    ]
    measured = [(row, table.isel(object=number - 1)) for row, number in inner if number]
    assert measured
    assert table["spacing"].attrs["units"] == "nm"
    off = []
    for row, found in measured:
        planes = np.array([float(value) for value in row["spacings"].split()])
        off.append(np.abs(float(found["spacing"]) / planes - 1).min())
    assert np.median(off) < 0.01
    fractions = result["fractions"].to_dataset(inherit=False)
    assert int(fractions["count"].sum()) == table.sizes["object"]
    assert (fractions["low"] <= fractions["fraction"]).all()


def test_a_folder_with_label_files_teaches_a_model_that_is_judged_by_other_micrographs(
    micrographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    assert main(["fit", "particles", str(micrographs), "--out", str(tmp_path / "model")]) == 0
    model = load_model(tmp_path / "model")
    assert model.metadata["n_micrographs"] == 4
    assert model.metadata["judged_on"] == "micrographs held out, in folds"
    assert model.arrays["confusion"].shape[0] == 4
    out = tmp_path / "out"
    paths = [str(micrographs / f"frame_00{n}.tif") for n in (0, 1)]
    options = ["--model", str(tmp_path / "model"), "--certainty", "0.9", "--out", str(out)]
    assert main(["run", "particles", *paths, *options]) == 0
    result = engine.load(out / "frame_001.zarr")
    table = result["object_table"].to_dataset()
    columns = [f"probability_{name}" for name in ("yes", "no", "null", "empty")]
    chances = np.stack([table[name].values for name in columns], axis=1)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(table["abstained"].values, chances.max(axis=1) < 0.9)
    counted = int(result["fractions"].to_dataset(inherit=False)["count"].sum())
    assert counted == (~table["abstained"].values).sum()


def test_of_an_empty_micrograph_next_to_nothing_is_a_particle():
    image = Hrtem(size=200, seed=5, empty=1.0).frame(0).image
    result = engine.run("particles", xr.Dataset({"image": (("y", "x"), image)}))
    table = result["object_table"].to_dataset()
    assert table.sizes["object"] == np.asarray(result["objects"]).max()
    assert (np.asarray(result["labels"]) > 0).mean() < 0.02
    assert "probability_yes" in table


def test_what_shows_no_lattice_is_null_and_what_is_plainly_there_is_no_empty_place():
    features = np.zeros((4, len(NAMES)), np.float32)
    features[[0, 2], NAMES.index("peaks")] = 2
    chances = np.array([[0.5, 0.2, 0.2, 0.1], [0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.2, 0.6], [0.9, 0.1, 0, 0]])
    found = consistent(chances, features, np.array([False, False, True, True]))
    np.testing.assert_allclose(
        found, [[0.5, 0.2, 0.2, 0.1], [0, 0, 2 / 3, 1 / 3], [0.25, 0.25, 0.5, 0], [0, 0, 1, 0]]
    )


@pytest.mark.real
def test_real_particles_too_small_for_a_lattice_are_counted_and_none_is_said_to_have_a_defect(shared: Path):
    image = shared / "data" / "hrtem" / "au_particles_temseg" / "images" / "frame_172.png"
    table = engine.run("particles", engine.open(image))["object_table"].to_dataset()
    assert table.sizes["object"] == pytest.approx(757, rel=0.15)
    assert set(table["name"].values[~table["resolved"].values]) == {"null"}


def test_what_cannot_be_learned_from_is_refused(micrographs: Path):
    images = engine.open(micrographs)
    with pytest.raises(InputError, match="there are none; give the labels"):
        Particles().fit(images)
    with pytest.raises(InputError, match="all particles found are of one class"):
        Particles().fit(images, 0 * labels_of(micrographs))


def test_a_stored_classifier_is_no_pickle_and_foreign_content_is_refused():
    shipped = load_model(find_shipped_model("particles"))
    assert bytes(shipped.arrays["classifier"][:2]) == b"PK"
    assert json.dumps(shipped.metadata)
    assert unpack_classifier(shipped.arrays["classifier"]).n_features_in_ == len(shipped.metadata["features"])
    with pytest.raises(InputError, match="is no classifier; fit it again"):
        unpack_classifier(pack_classifier(np.frompyfunc(len, 1, 1)))
