"""Particles of a collection of micrographs: one result, in parallel, resumable, and corrected by people."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

import engine
from engine import pipeline, progress
from engine.errors import CancelledError, FileError, InputError
from engine.nanoparticles import record as records_module
from engine.nanoparticles.tables import CLASSES, JUDGED
from engine.runtime.client import connect
from engine.schema import table
from engine.simulate.hrtem import Hrtem
from engine.statistics.intervals import class_fractions

MAPS = ("labels", "confidence", "objects")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three micrographs, one of them smaller than the others."""
    place = Hrtem(size=256, n_frames=3, n_particles=4, pixel_size=0.05, empty=0.0, seed=3).write(
        tmp_path_factory.mktemp("collection")
    )
    small = Hrtem(size=200, n_frames=1, n_particles=3, pixel_size=0.05, empty=0.0, seed=4).write(
        tmp_path_factory.mktemp("small")
    )
    (small / "frame_000.tif").rename(place / "frame_003.tif")
    return place


@pytest.fixture(scope="module")
def result(folder: Path):
    return engine.run("particles", engine.open(folder))


def test_a_collection_gives_one_result_that_is_that_of_each_micrograph(folder: Path, result):
    particles, micrographs = table(result, "object_table"), table(result, "image_table")
    assert micrographs["file"].values.tolist() == [f"frame_00{n}.tif" for n in range(4)]
    assert particles["object"].values.tolist() == list(range(1, particles.sizes["object"] + 1))
    for n, name in enumerate(micrographs["file"].values):
        alone = engine.run("particles", engine.open(folder / str(name)))
        own, mine = table(alone, "object_table"), particles.isel(object=particles["image"] == n)
        for column in ("class", "label", "radius", "spacing", "angle", "probability_yes"):
            np.testing.assert_allclose(mine[column].values, own[column].values, rtol=1e-6, err_msg=column)
        rows, columns = alone["labels"].shape
        np.testing.assert_array_equal(result["labels"][n, :rows, :columns], alone["labels"])
        assert not np.asarray(result["labels"][n, rows:]).any()
    counts = np.stack([micrographs[f"n_{name}"].values for name in CLASSES], axis=1)
    shares = table(result, "fractions")
    expected = class_fractions(counts)
    for name, values in zip(("fraction", "low", "high"), expected, strict=True):
        np.testing.assert_allclose(shares[name].values, values)


def test_a_stored_collection_has_an_image_a_chunk_and_comes_back_the_same(result, tmp_path: Path):
    again = engine.load(engine.save(result, tmp_path / "stored.zarr"))
    assert again["labels"].data.chunksize[0] == 1
    for name in MAPS:
        np.testing.assert_array_equal(again[name], result[name])
    for name in ("object_table", "image_table", "fractions", "features", "classes"):
        assert table(again, name).load().identical(table(result, name).load()), name


def test_worker_processes_give_the_same(folder: Path, result):
    with connect(workers=1):
        elsewhere = engine.run("particles", engine.open(folder))
        assert table(elsewhere, "object_table").load().identical(table(result, "object_table").load())
        np.testing.assert_array_equal(elsewhere["objects"], result["objects"])


def test_a_micrograph_that_cannot_be_read_is_told_and_the_others_go_on(folder: Path, tmp_path: Path):
    for file in folder.glob("*.tif"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    broken = tmp_path / "frame_001.tif"
    broken.write_bytes(broken.read_bytes()[:30_000])
    images = engine.open(tmp_path, reader="collection")
    assert "frame_001.tif" in images.attrs["warnings"]  # what its header gives away
    assert images["file"].values.tolist() == ["frame_000.tif", "frame_002.tif", "frame_003.tif"]
    planes = [images["intensity"].data[n] for n in range(3)]
    planes[1] = planes[1].map_blocks(_unreadable, dtype=planes[1].dtype)  # what only reading finds out
    found = engine.run("particles", images.assign(intensity=images["intensity"].copy(data=da.stack(planes))))
    micrographs = table(found, "image_table")
    assert micrographs["problem"].values.tolist() == ["", "it ends before its last value", ""]
    assert "frame_002.tif: it ends before" in found.attrs["warnings"]
    assert (micrographs["n_particles"].values > 0).tolist() == [True, False, True]


def _unreadable(plane: np.ndarray) -> np.ndarray:
    if plane.size:
        raise FileError("it ends before its last value")
    return plane


def test_what_is_finished_is_found_again_after_a_cancel(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(records_module, "AT_ONCE", 1)
    images, looked = engine.open(folder), []
    look = records_module._detect_in_image
    monkeypatch.setattr(records_module, "_detect_in_image", lambda *a, **k: looked.append(1) or look(*a, **k))

    def stop_at_half(share: float, _doing: str) -> None:
        if share > 0.32:
            raise CancelledError("enough")

    with progress.keeping(tmp_path, lambda _: None):
        with progress.reporting(stop_at_half), pytest.raises(CancelledError):
            engine.run("particles", images)
        n_kept = len(list(tmp_path.glob("micrograph_*.npz")))
        assert 0 < n_kept < 4
        looked.clear()
        engine.run("particles", images)
    assert len(looked) == 4 - n_kept


def test_a_killed_job_goes_on_where_it_was(folder: Path, result, tmp_path: Path):
    home, out = tmp_path / "home", tmp_path / "out.zarr"
    words = ["-m", "engine", "run", "particles", str(folder), "--out", str(out), "--results", str(home)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    one_at_once = (
        "import engine.nanoparticles.record as r; r.AT_ONCE = 1; import engine.__main__ as m; import sys;"
    )
    code = one_at_once + "sys.exit(m.main(sys.argv[1:]))"
    first = subprocess.Popen([sys.executable, "-c", code, *words[2:]], env=environment)
    deadline = time.monotonic() + 60
    while not list(home.glob("jobs/*/kept/*.npz")):
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    kept = {file: file.stat().st_mtime_ns for file in home.glob("jobs/*/kept/*.npz")}
    assert not out.exists()
    assert subprocess.run([sys.executable, *words], check=False).returncode == 0
    assert kept
    again = engine.load(out)
    np.testing.assert_array_equal(again["labels"], result["labels"])
    assert not list(home.glob("jobs/*/kept"))


# ------------------------------------------------------------ people
def test_people_relabel_confirm_and_reject_particles_and_every_table_follows(result):
    before = table(result, "object_table").load()
    first, second, third = before["object"].values[:3].tolist()
    label = 1 + before["class"].values[0] % 3
    edited = engine.edit(result, "relabel_objects", objects=[first], label=label, author="me")
    edited = engine.edit(edited, "relabel_objects", objects=[second], label=int(before["class"].values[1]))
    edited = engine.edit(edited, "relabel_objects", objects=[third], label=0)
    after = table(edited, "object_table").load()
    assert after["class"].values[:3].tolist() == [label, before["class"].values[1], 0]
    assert after["name"].values[2] == "empty"
    assert after["reviewed"].values.sum() == 3
    labels, objects = np.asarray(edited["labels"]), np.asarray(edited["objects"])
    assert set(labels[objects == first]) == {label}
    assert set(labels[objects == third]) == {0}
    counts = table(edited, "fractions")["count"].values
    expected = np.bincount(after["class"].values, minlength=4)[1:]
    np.testing.assert_array_equal(counts, expected)
    assert table(edited, "image_table")["n_particles"].values.sum() == len(after["object"]) - 1
    undone = pipeline.undo(engine.edit(result, "relabel_objects", objects=[first], label=label))
    assert table(undone, "object_table").load().identical(before)


def test_retraining_learns_what_people_said_and_leaves_their_word_alone(result, tmp_path: Path):
    before = table(result, "object_table").load()
    before = before.isel(object=before["resolved"].values)  # what shows no lattice stays null
    radius = before["radius"].values
    small = before["object"].values[radius < np.median(radius)]
    large = before["object"].values[radius >= np.median(radius)]
    edited = engine.edit(result, "relabel_objects", objects=small[1:].tolist(), label=1)
    edited = engine.edit(edited, "relabel_objects", objects=large[1:].tolist(), label=2)
    retrained = engine.edit(edited, "retrain")
    after = table(retrained, "object_table").load().set_index(object="object")
    assert (after["class"].sel(object=small[1:]) == 1).all()
    assert (after["class"].sel(object=large[1:]) == 2).all()
    for number, name in ((small[0], "yes"), (large[0], "no")):
        was = float(before.sel(object=number)[f"probability_{name}"])
        assert float(after.sel(object=number)[f"probability_{name}"]) > was or was > 0.9
    sums = sum(after[f"probability_{name}"].values for name in JUDGED)
    np.testing.assert_allclose(sums, 1)
    stored = engine.load(engine.save(retrained, tmp_path / "retrained.zarr"))
    again = engine.run(recipe=stored)
    np.testing.assert_array_equal(again["labels"], retrained["labels"])


def test_a_renamed_class_is_called_so_everywhere(result):
    renamed = engine.edit(result, "rename", label=1, name="defect")
    particles = table(renamed, "object_table").load()
    assert set(particles["name"].values[particles["class"].values == 1]) == {"defect"}
    assert "defect" in renamed["labels"].attrs["flag_meanings"]
    edited = engine.edit(renamed, "relabel_objects", objects=[1], label=1)
    assert table(edited, "object_table")["name"].values[0] == "defect"


def test_edits_that_need_pixels_and_unknown_particles_are_refused(result):
    with pytest.raises(
        InputError, match="merge is for maps of classes, and the result is one of populations of particles"
    ):
        engine.edit(result, "merge", labels=[1, 2])
    with pytest.raises(InputError, match="there is no particle 999"):
        engine.edit(result, "relabel_objects", objects=[999], label=1)
    with pytest.raises(InputError, match="the classes are 0"):
        engine.edit(result, "relabel_objects", objects=[1], label=7)
    with pytest.raises(InputError, match="fewer than two were given a class"):
        engine.edit(result, "retrain")
