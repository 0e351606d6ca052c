"""Tests of `engine.__main__`."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


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


def test_json_has_null_where_numbers_are_not_finite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"a": np.nan, "b": [np.float32(np.inf), (1.5, -np.inf)], "c": np.array([1.0, np.nan])}
    monkeypatch.setattr("engine.readers.describe", lambda _: facts)
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    assert main(["info", str(tmp_path / "a.npy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, [1.5, None]], "c": [1.0, None]}
