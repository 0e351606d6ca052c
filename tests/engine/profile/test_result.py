"""The value map of a profile, and its values in zones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import recipes
from engine.__main__ import main
from engine.errors import InputError
from engine.schema.kinds import VALUE_MAP, kind_of
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    folder = Maps(n_regions=2, size=48, n_wavelengths=12, seed=1).write(tmp_path_factory.mktemp("maps"))
    return engine.open(folder)


@pytest.fixture(scope="module")
def peaks() -> xr.Dataset:
    """Two halves of an image with a peak each: left at 560 nm, right at 640 nm."""
    wavelength = np.linspace(500, 700, 41)
    position = np.where(np.arange(40) < 20, 560.0, 640.0)
    clean = 100 * np.exp(-4 * np.log(2) * ((wavelength[:, None, None] - position) / 40) ** 2)
    counts = clean + np.random.default_rng(4).normal(0, 2, (41, 24, 40))
    return xr.Dataset(
        {"counts": (("wavelength", "y", "x"), counts.astype(np.float32), {"units": "adu"})},
        {"wavelength": ("wavelength", wavelength, {"units": "nm"})},
    )


def test_a_profile_is_a_value_map_with_an_error_for_each_value(images: xr.Dataset) -> None:
    result = engine.run("profile", images)
    assert kind_of(result) is VALUE_MAP
    names = set(map(str, result["values"].data_vars))
    assert {"position", "width", "height", "area"} < names
    assert all(f"{name}_error" in names for name in ("position", "width", "height", "area"))


def test_zones_are_described_by_their_pixels(peaks: xr.Dataset, tmp_path: Path) -> None:
    engine.save(engine.run("kmeans", peaks, n_clusters=2), tmp_path / "zones.zarr")
    result = engine.run("profile", peaks, zones=str(tmp_path / "zones.zarr"))
    table = result["zone_table"].to_dataset(inherit=False).compute()
    labels = np.asarray(engine.load(tmp_path / "zones.zarr")["labels"])
    position = np.asarray(result["values/position"], np.float64)
    for label in table["label"].values:
        inside = position[(labels == label) & np.isfinite(position)]
        assert inside.size > 400
        assert int(table["count"].sel(label=label)) == inside.size
        assert float(table["position_median"].sel(label=label)) == pytest.approx(np.median(inside))


def test_zones_of_other_images_are_refused(images: xr.Dataset, tmp_path: Path) -> None:
    part = images.isel(y=slice(0, 24))
    engine.save(engine.run("kmeans", part, n_clusters=2), tmp_path / "part.zarr")
    with pytest.raises(InputError, match="give a class map of the same images"):
        engine.run("profile", images, zones=str(tmp_path / "part.zarr"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def labels(path: Path) -> np.ndarray:
    return np.asarray(engine.load(path)["labels"])


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Maps(n_regions=2, size=32, n_wavelengths=4, seed=1).write(tmp_path / "maps")


def test_a_copied_result_names_the_source_it_was_asked_for(folder: Path, tmp_path: Path) -> None:
    assert (
        main(
            [
                "run",
                "kmeans",
                str(folder),
                "--out",
                str(tmp_path / "a.zarr"),
                "--results",
                str(tmp_path / "home"),
            ]
        )
        == 0
    )
    result = engine.load(tmp_path / "a.zarr")
    assert Path(result.attrs["source"]) == folder
    assert recipes.recipe_of(result).source == str(folder)
