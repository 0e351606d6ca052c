"""The command line: what users type and what they get."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.__main__ import main
from engine.catalogue import find
from engine.errors import InputError


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulator = find("simulators", "maps")(n_regions=3, size=64, n_wavelengths=4, seed=3)
    folder: Path = simulator.write(tmp_path_factory.mktemp("maps"))
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def labels(path: Path) -> np.ndarray:
    return np.asarray(engine.load(path)["labels"])


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    for command in ("list", "info", "fit", "run", "choose-k", "score", "export", "simulate", "jobs"):
        assert f"\n  {command} " in shown


def test_list_prints_the_catalogue_as_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed) == {"readers", "analyses", "simulators", "exporters"}
    assert "kmeans" in listed["analyses"]


def test_info_says_what_a_folder_holds(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(example), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    expected = "path reader dims sizes units dtype chunks bytes nan_share coordinates wcs pixel_size warnings"
    assert set(expected.split()) <= set(facts)
    assert facts["sizes"] == {"wavelength": 4, "y": 64, "x": 64}
    assert facts["reader"] == "ellipsometry"


def test_run_score_and_export_on_a_simulated_folder(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.zarr"
    assert main(["run", "kmeans", str(example), "--n-clusters", "3", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert main(["score", str(out), str(example / "truth.npz"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["ari"] > 0.95
    assert {"name", "precision", "recall", "f1", "iou", "support"} == set(scores["classes"][0])
    assert main(["export", str(out), "--to", "dat", "--out", str(tmp_path / "dat")]) == 0
    assert any(Path(line).name.endswith("_clustershot.dat") for line in capsys.readouterr().out.splitlines())


def test_an_identical_run_is_copied_not_computed_and_a_recipe_gives_the_same_labels(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", "kmeans", str(example), "--n-clusters", "3"]
    assert main([*run, "--out", str(tmp_path / "a.zarr")]) == 0
    assert main([*run, "--out", str(tmp_path / "b.zarr")]) == 0
    assert main(["run", "--recipe", str(tmp_path / "a.zarr"), "--out", str(tmp_path / "c.zarr")]) == 0
    capsys.readouterr()
    assert main(["jobs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [job["state"] for job in listed] == ["done", "done"]  # the run, and its recipe with the model
    created = [engine.load(tmp_path / name).attrs["created"] for name in ("a.zarr", "b.zarr")]
    assert created[0] == created[1]
    np.testing.assert_array_equal(labels(tmp_path / "a.zarr"), labels(tmp_path / "c.zarr"))
    assert main(["jobs", "show", listed[0]["id"], "--json"]) == 0
    expected = {"id", "state", "progress", "doing", "left", "recipe", "result", "error"}
    assert expected <= set(json.loads(capsys.readouterr().out))


def test_a_model_gives_the_same_zone_the_same_number_on_other_samples(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = find("simulators", "maps")(n_regions=3, size=64, n_wavelengths=4, seed=3).write(tmp_path / "twin")
    model = tmp_path / "model"
    assert main(["fit", "kmeans", str(example), "--n-clusters", "3", "--out", str(model)]) == 0
    several = ["run", "kmeans", str(example), str(twin), "--model", str(model), "--n-restarts", "2"]
    assert main([*several, "--out", str(tmp_path / "all")]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()[-2:]]
    assert all(path.parent == tmp_path / "all" for path in written)
    np.testing.assert_array_equal(labels(written[0]), labels(written[1]))
    assert json.loads(engine.load(written[0]).attrs["recipe"])["unused"] == ["n_restarts"]


def test_choose_k_prints_and_stores_its_indices(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "k.json"
    assert main(["choose-k", str(example), "--kmax", "5", "--out", str(out), "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert chosen == json.loads(out.read_text())
    assert chosen["k"] == [2, 3, 4, 5]
    indices = ("distortion", "calinski_harabasz", "davies_bouldin", "silhouette", "stability")
    assert all(len(chosen[name]) == len(chosen[f"{name}_spread"]) == 4 for name in indices)
    assert chosen["recommended"] in (None, 2, 3, 4, 5)
    assert chosen["reason"]


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


def test_a_setting_out_of_bounds_names_itself_and_what_to_give(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "kmeans", str(example), "--n-clusters", "0", "--out", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err == "error: n_clusters is 0; give a whole number from 1 to 64\n"


def test_an_existing_result_is_kept_unless_it_is_to_be_overwritten(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", "kmeans", str(example), "--out", str(tmp_path / "o.zarr")]
    assert main([*run, "--n-clusters", "2"]) == 0
    assert main([*run, "--n-clusters", "3"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert labels(tmp_path / "o.zarr").max() == 2
    assert main([*run, "--n-clusters", "3", "--overwrite"]) == 0
    assert labels(tmp_path / "o.zarr").max() == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    assert main(["run", "kmeans", str(example), "--overwrite", "--out", str(tmp_path / "mine")]) == 2
    assert "no Mapstack result" in capsys.readouterr().err
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_result_says_where_its_source_lies_seen_from_itself(example: Path, tmp_path: Path) -> None:
    out = tmp_path / "results" / "o.zarr"
    assert main(["run", "kmeans", str(example), "--n-clusters", "2", "--out", str(out)]) == 0
    stored = json.loads((out / "zarr.json").read_text())["attributes"]["source"]
    assert not Path(stored).is_absolute()
    assert (out.parent / stored).resolve() == example.resolve()
    assert Path(engine.load(out).attrs["source"]).resolve() == example.resolve()


def test_sources_of_the_same_name_get_results_of_their_own(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = shutil.copytree(example, tmp_path / "again" / example.name)
    out = tmp_path / "all"
    assert main(["run", "kmeans", str(example), str(again), "--n-clusters", "2", "--out", str(out)]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.split()] == [
        f"{example.name}.zarr",
        f"{example.name}_2.zarr",
    ]


def test_score_takes_names_for_the_values_of_the_truth(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, truth = tmp_path / "o.zarr", tmp_path / "truth.npy"
    np.save(truth, np.load(example / "truth.npz")["labels"])
    assert main(["run", "kmeans", str(example), "--n-clusters", "3", "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["score", str(out), str(truth), "--names", "Si, thin,thick", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["classes"]] == ["Si", "thin", "thick"]
    assert main(["score", str(out), str(truth), "--names", "Si"]) == 2
    assert capsys.readouterr().err.startswith("error: 1 names (Si) for 3 values")


def test_equal_data_elsewhere_is_not_computed_again_but_the_result_names_its_own_source(
    example: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(example, tmp_path / "copy")
    run = ["run", "kmeans", "--n-clusters", "3"]
    assert main([*run, str(example), "--out", str(tmp_path / "a.zarr")]) == 0
    assert main([*run, str(copy), "--out", str(tmp_path / "b.zarr")]) == 0
    first, second = (engine.load(tmp_path / name).attrs for name in ("a.zarr", "b.zarr"))
    assert first["created"] == second["created"]
    assert Path(second["source"]) == Path(json.loads(second["recipe"])["source"]) == copy


def test_several_files_name_the_one_at_fault_and_spare_a_result(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "empty.npy", np.full((2, 5, 5), np.nan))
    several = ["run", "kmeans", str(example), str(tmp_path / "empty.npy"), "--n-clusters", "2", "--out"]
    assert main([*several, str(tmp_path / "all")]) == 2
    said = capsys.readouterr()
    assert said.out.strip() == str(tmp_path / "all" / f"{example.name}.zarr")
    assert "empty.npy" in said.err
    assert main([*several, said.out.strip()]) == 2
    assert "is a result" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["1.2.3um", "um", "1e5", "-1nm", "nanum", "0um", "1e999nm"])
def test_a_pixel_size_that_is_none_is_the_users_fault(size: str, example: Path, tmp_path: Path) -> None:
    assert main(["run", "kmeans", str(example), f"--pixel-size={size}", "--out", str(tmp_path / "o")]) == 2


def test_numbers_that_overflow_leave_one_line_on_stderr(tmp_path: Path) -> None:
    np.save(tmp_path / "huge.npy", np.random.default_rng(0).normal(size=(3, 9, 9)) * 1e200)
    command = [sys.executable, "-m", "engine", "run", "kmeans", str(tmp_path / "huge.npy")]
    done = subprocess.run([*command, "--out", str(tmp_path / "o")], capture_output=True, text=True)
    assert done.stderr.count("\n") == (done.returncode != 0)
    assert "Warning" not in done.stderr


def test_parts_of_one_file_are_different_data(tmp_path: Path) -> None:
    steps = np.repeat([0.0, 9.0], [5, 11])[None, None] + np.random.default_rng(0).random((3, 6, 16))
    np.savez(tmp_path / "two.npz", a=steps, b=steps.transpose(0, 2, 1))
    run = ["run", "kmeans", "--n-clusters", "2"]
    for key in "ab":
        out = ["--out", str(tmp_path / f"{key}.zarr")]
        assert main([*run, f"{tmp_path / 'two.npz'}::{key}", *out]) == 0
    np.testing.assert_array_equal(labels(tmp_path / "a.zarr"), labels(tmp_path / "b.zarr").T)


def test_json_has_null_where_numbers_are_not_finite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"a": np.nan, "b": [np.float32(np.inf), (1.5, -np.inf)], "c": np.array([1.0, np.nan])}
    monkeypatch.setattr("engine.readers.describe", lambda _: facts)
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    assert main(["info", str(tmp_path / "a.npy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, [1.5, None]], "c": [1.0, None]}


def test_an_address_that_is_none_leaves_one_line_on_stderr(example: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine", "run", "kmeans", str(example), "--scheduler", "foo"]
    done = subprocess.run([*command, "--out", str(tmp_path / "o")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no Dask scheduler answers at foo")
    assert done.stderr.count("\n") == 1


def test_settings_may_be_numbers_of_numpy_and_images_must_be_a_dataset(example: Path) -> None:
    images = engine.open(example)
    result = engine.run("kmeans", images, n_clusters=np.int64(2), smooth=np.float32(1))
    assert json.loads(result.attrs["recipe"])["settings"]["n_clusters"] == 2
    with pytest.raises(InputError, match="type ndarray; give a Dataset"):
        engine.run("kmeans", np.zeros((2, 5, 5)), n_clusters=2)


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


def test_an_interrupted_run_exits_with_130_and_leaves_nothing_behind(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "big"
    np.save(tmp_path / "big.npy", np.random.default_rng(0).random((40, 1024, 1024), np.float32))
    out = tmp_path / "out.zarr"
    command = [sys.executable, "-m", "engine", "run", "kmeans", str(tmp_path / "big.npy"), "--out", str(out)]
    command += ["--algorithm", "lloyd", "--n-clusters", "64", "--results", str(home)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    while process.poll() is None and not any(home.glob("jobs/*/progress.json")):
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert not out.exists()
    assert not folder.exists()
    assert list((home / "results").glob("*")) == []
