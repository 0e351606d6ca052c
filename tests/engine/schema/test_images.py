"""Images that follow the data model, and those that do not."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import schema
from engine.errors import InputError


def stack(**sizes: int) -> xr.DataArray:
    return xr.DataArray(np.zeros(tuple(sizes.values()), "f4"), dims=tuple(sizes))


def test_images_of_a_stack_pass_and_come_back_unchanged() -> None:
    images = xr.Dataset({"delta": stack(wavelength=3, y=4, x=5), "psi": stack(wavelength=3, y=4, x=5)})
    assert schema.check(images) is images
    assert schema.spectral_dim(images) == "wavelength"
    assert schema.is_ellipsometry(images)


@pytest.mark.parametrize(
    ("images", "what"),
    [
        (xr.Dataset({"a": stack(x=4, y=5)}), "no image variable"),
        (xr.Dataset({"a": stack(energy=2, y=4, x=5), "b": stack(channel=2, y=4, x=5)}), "leading dims"),
        (xr.Dataset({"a": stack(time=2, y=4, x=5)}), "at most one of wavelength"),
        (xr.Dataset({"a": stack(y=4, x=5).astype(complex)}), "expected numbers"),
        (xr.Dataset({"a": stack(y=4, x=5), "mask": stack(x=5, y=4)}), "'mask' has the dims"),
    ],
)
def test_images_that_break_the_data_model_are_refused(images: xr.Dataset, what: str) -> None:
    with pytest.raises(InputError, match=what):
        schema.check(images)


def test_a_plain_image_has_no_spectral_dim() -> None:
    assert schema.spectral_dim(xr.Dataset({"intensity": stack(y=4, x=5)})) is None


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_settings_may_be_numbers_of_numpy_and_images_must_be_a_dataset(example: Path) -> None:
    images = engine.open(example)
    result = engine.run("kmeans", images, n_clusters=np.int64(2), smooth=np.float32(1))
    assert json.loads(result.attrs["recipe"])["settings"]["n_clusters"] == 2
    with pytest.raises(InputError, match="type ndarray; give a Dataset"):
        engine.run("kmeans", np.zeros((2, 5, 5)), n_clusters=2)


def test_nothing_to_run_and_no_images_are_told() -> None:
    with pytest.raises(InputError, match="nothing to run"):
        engine.run()
    with pytest.raises(InputError, match="the images are of type ndarray"):
        engine.run("kmeans", np.zeros((2, 2)))
