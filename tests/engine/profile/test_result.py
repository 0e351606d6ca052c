"""The value map of a profile, and its values in zones."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import InputError
from engine.schema.kinds import VALUE_MAP, kind_of
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    folder = Maps(n_regions=2, size=48, n_wavelengths=12, seed=1).write(tmp_path_factory.mktemp("maps"))
    return engine.open(folder)


def test_a_profile_is_a_value_map_with_an_error_for_each_value(images: xr.Dataset) -> None:
    result = engine.run("profile", images)
    assert kind_of(result) is VALUE_MAP
    names = set(map(str, result["values"].data_vars))
    assert {"position", "width", "height", "area"} < names
    assert all(f"{name}_error" in names for name in ("position", "width", "height", "area"))


def test_zones_are_described_by_their_pixels(images: xr.Dataset, tmp_path: Path) -> None:
    engine.save(engine.run("kmeans", images, n_clusters=2), tmp_path / "zones.zarr")
    result = engine.run("profile", images, zones=str(tmp_path / "zones.zarr"), min_snr=0.0)
    table = result["zone_table"].to_dataset(inherit=False).compute()
    labels = np.asarray(engine.load(tmp_path / "zones.zarr")["labels"])
    position = np.asarray(result["values/position"], np.float64)
    for label in table["label"].values:
        inside = position[(labels == label) & np.isfinite(position)]
        assert int(table["count"].sel(label=label)) == inside.size
        assert float(table["position_median"].sel(label=label)) == pytest.approx(np.median(inside))


def test_zones_of_other_images_are_refused(images: xr.Dataset, tmp_path: Path) -> None:
    part = images.isel(y=slice(0, 24))
    engine.save(engine.run("kmeans", part, n_clusters=2), tmp_path / "part.zarr")
    with pytest.raises(InputError, match="give a class map of the same images"):
        engine.run("profile", images, zones=str(tmp_path / "part.zarr"))
