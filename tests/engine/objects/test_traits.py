"""Tests of `engine.objects.traits`."""

import subprocess
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from engine.__main__ import main
from engine.objects import Rules
from engine.objects.rules import apply_rules
from engine.simulate.mosaic import CLASSES

NAMES = dict(enumerate(CLASSES, start=1))


BACKGROUND, GLOW, HOT, CLUSTER = NAMES


def lazy(values: np.ndarray, chunks: object = 64) -> xr.DataArray:
    return xr.DataArray(da.from_array(values.astype(np.uint8), chunks=chunks), dims=("y", "x"))


def ruled(values: np.ndarray, **limits: int) -> tuple[np.ndarray, list[str]]:
    found = apply_rules(lazy(values), names=NAMES, rules=Rules(**limits))
    return np.asarray(found.labels), found.audit["rule"].values.tolist()


def empty() -> np.ndarray:
    return np.full((100, 120), BACKGROUND)


def test_a_hot_line_that_the_network_saw_in_parts_is_one_hot_line_and_a_slanting_track_is_none():
    values = empty()
    values[0:100:1, 119] = HOT
    values[10:90:7, 119] = values[11:90:7, 119] = CLUSTER
    values[20:80, 40:42] = np.array([HOT, CLUSTER])
    for step in range(30):
        values[20 + step, 60 + step // 4] = CLUSTER
    found, told = ruled(values)
    assert (found[:, 119] == HOT).all()
    assert (found[24:76, 40:42] == HOT).mean() > 0.9
    assert (found[20:50, 60:68] == CLUSTER).sum() == 30
    assert "a hot line is no cluster" in told


def test_crossing_hot_lines_and_single_hot_pixels_stay_and_a_hot_blob_becomes_a_cluster():
    values = empty()
    values[10, 5:60] = values[2:40, 30] = values[80, 80] = HOT
    values[60:63, 60:63] = HOT
    found, told = ruled(values)
    assert (found[10, 5:60] == HOT).all()
    assert (found[2:40, 30] == HOT).all()
    assert found[80, 80] == HOT
    assert (found[60:63, 60:63] == CLUSTER).all()
    assert told == ["hot pixels lie in lines"]


def test_the_hot_part_of_a_track_joins_it_and_a_long_hot_line_through_it_does_not():
    values = empty()
    values[np.arange(20, 30), np.arange(20, 30)] = CLUSTER
    values[30, 30:38] = HOT
    values[70, :] = HOT
    values[68:73, 50] = CLUSTER
    found, told = ruled(values)
    assert (found[30, 30:38] == CLUSTER).all()
    assert (found[70, :50] == HOT).all()
    assert told == ["a track is of one class"]


def test_glow_inside_the_frame_a_hot_line_called_cluster_and_specks_are_put_right():
    values = empty()
    values[:, :8] = values[40:44, 60:64] = GLOW
    values[90, 20:60] = CLUSTER
    values[5, 100:102] = CLUSTER
    found, told = ruled(values, min_cluster=3)
    assert (found[:, :8] == GLOW).all()
    assert (found[40:44, 60:64] == BACKGROUND).all()
    assert (found[90, 20:60] == HOT).all()
    assert (found[5, 100:102] == BACKGROUND).all()
    assert sorted(told) == ["a cluster has a least size", "a hot line is no cluster", "glow touches the edge"]


def test_hot_lines_side_by_side_and_lines_with_gaps_stay_and_wide_hot_areas_do_not():
    values = empty()
    values[10:12, 5:100] = HOT
    for start in (5, 10, 15, 20, 25):
        values[30, start : start + 3] = HOT
    values[50:70, 20:40] = HOT
    values[80, 50:52] = HOT
    found, told = ruled(values)
    np.testing.assert_array_equal(found[:45], values[:45])
    assert (found[50:70, 20:40] == CLUSTER).all()
    assert (found[80, 50:52] == CLUSTER).all()
    assert told == ["hot pixels lie in lines"] * 2


def test_glow_behind_a_hot_column_through_the_frame_stays_and_a_large_island_does_not():
    values = empty()
    values[:, :20] = GLOW
    values[:, 10:12] = HOT
    values[40:60, 60:80] = GLOW
    found, told = ruled(values)
    np.testing.assert_array_equal(found[:, :20], values[:, :20])
    assert (found[40:60, 60:80] == BACKGROUND).all()
    assert told == ["glow touches the edge"]


def test_small_glow_that_touches_a_track_belongs_to_it():
    values = empty()
    values[40:50, 40:50] = CLUSTER
    values[44:46, 44:46] = GLOW
    found, told = ruled(values)
    assert (found[40:50, 40:50] == CLUSTER).all()
    assert told == ["a track is of one class"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nonsense"], "unknown command 'nonsense'"),
        (["info", "/no/such/folder"], "/no/such/folder"),
        (["run", "kmeans", "--out", "o"], "at least one file or folder"),
        (["run", "kmeens", "x", "--out", "o"], "no analyses entry 'kmeens'"),
        (["run", "kmeans", "x", "--out", "o", "--no-such", "3"], "--no-such"),
        (["run", "--recipe", "/no/such", "--out", "o"], "/no/such"),
        (["export", "/no/such.zarr", "--to", "csv", "--out", "o"], "/no/such.zarr"),
        (["score", "/no/such.zarr", "x.png"], "/no/such.zarr"),
        (["jobs", "show", "0123456789abcdef"], "no job '0123456789abcdef'"),
        (["jobs", "cancel"], "needs the ID"),
        (["simulate", "mops", "--out", "o"], "no simulators entry 'mops'"),
        (["simulate", "maps", "--size", "big", "--out", "o"], "--size"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert what in said.err


def test_numbers_that_overflow_leave_one_line_on_stderr(tmp_path: Path) -> None:
    np.save(tmp_path / "huge.npy", np.random.default_rng(0).normal(size=(3, 9, 9)) * 1e200)
    command = [sys.executable, "-m", "engine", "run", "kmeans", str(tmp_path / "huge.npy")]
    done = subprocess.run([*command, "--out", str(tmp_path / "o")], capture_output=True, text=True)
    assert done.stderr.count("\n") == (done.returncode != 0)
    assert "Warning" not in done.stderr


def test_an_address_that_is_none_leaves_one_line_on_stderr(example: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine", "run", "kmeans", str(example), "--scheduler", "foo"]
    done = subprocess.run([*command, "--out", str(tmp_path / "o")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no Dask scheduler answers at foo")
    assert done.stderr.count("\n") == 1


def test_a_bug_is_one_line_with_a_log_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("engine.commands.find_bug", lambda _: 1 / 0, raising=False)
    more = {"bug": ("engine.commands:find_bug", lambda *_: None)}
    assert main(["bug"], more=more) == 1
    said = capsys.readouterr().err
    assert said.startswith("internal error: ZeroDivisionError")
    assert said.count("\n") == 1
    (log,) = tmp_path.glob("mapstack-*.log")
    assert "Traceback" in log.read_text()
