"""Names of the data model."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import schema
from engine.__main__ import main
from engine.schema import names


def test_every_name_is_offered_by_the_schema_itself() -> None:
    own = {name for name in vars(names) if name.isupper()}
    assert own == {name for name in schema.__all__ if name.isupper()}


def test_no_two_names_of_groups_or_maps_are_spelled_alike() -> None:
    groups = [
        names.CLASSES,
        names.SPECTRA,
        names.OBJECT_TABLE,
        names.IMAGE_TABLE,
        names.FRACTIONS,
        names.VALUES,
    ]
    groups += [
        names.FEATURES,
        names.AUDIT,
        names.PICTURES,
        names.KNOWN,
        names.TILES,
        names.MODEL,
        names.ZONE_TABLE,
    ]
    maps = [names.LABELS, names.CONFIDENCE, names.OBJECTS, names.ENTROPY, names.RESIDUAL, names.VALID]
    assert len({*groups, *maps}) == len(groups) + len(maps)


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


def test_a_setting_out_of_bounds_names_itself_and_what_to_give(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "kmeans", str(example), "--n-clusters", "0", "--out", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err == "error: n_clusters is 0; give a whole number from 1 to 64\n"


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


def stack(**sizes: int) -> xr.DataArray:
    return xr.DataArray(np.zeros(tuple(sizes.values()), "f4"), dims=tuple(sizes))


def test_a_label_map_names_its_classes_in_cf_flags_with_blanks_as_underscores() -> None:
    labels = schema.label_map(stack(y=2, x=2).astype("u1"), {1: "thin film", 4: "substrate"})
    assert labels.attrs["flag_values"].tolist() == [1, 4]
    assert labels.attrs["flag_meanings"] == "thin_film substrate"
    assert schema.class_names(labels) == {1: "thin_film", 4: "substrate"}
