"""Particles of a collection of micrographs: one result, in parallel, resumable, and corrected by people."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask.array as da
import numpy as np

import engine
from engine.errors import FileError
from engine.runtime.client import connect
from engine.schema import table

MAPS = ("labels", "confidence", "objects")


def _unreadable(plane: np.ndarray) -> np.ndarray:
    if plane.size:
        raise FileError("it ends before its last value")
    return plane


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


def test_a_renamed_class_is_called_so_everywhere(result):
    renamed = engine.edit(result, "rename", label=1, name="defect")
    particles = table(renamed, "object_table").load()
    assert set(particles["name"].values[particles["class"].values == 1]) == {"defect"}
    assert "defect" in renamed["labels"].attrs["flag_meanings"]
    edited = engine.edit(renamed, "relabel_objects", objects=[1], label=1)
    assert table(edited, "object_table")["name"].values[0] == "defect"
