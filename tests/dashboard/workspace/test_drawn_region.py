"""Statistics of a drawn region and of a picked pixel."""

from pathlib import Path

import numpy as np
import pytest

from dashboard.workspace.drawn_region import read_pixel, summarise_region
from dashboard.workspace.example_data import open_example
from dashboard.workspace.workspace import Workspace
from engine.errors import InputError
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    Maps(n_regions=3, size=48, n_wavelengths=5, seed=3, holes=0.0).write(root / "maps")
    return root


@pytest.fixture(scope="module")
def workspace(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace([served], tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def example(workspace: Workspace):
    return open_example(workspace, "kmeans")


def test_a_region_has_the_mean_of_its_pixels_and_shares_that_add_up(example):
    stack, result = example
    x, y = stack.images["x"].values, stack.images["y"].values
    half = abs(x[1] - x[0]) / 2
    box = [x[5] - half, x[14] + half, y[10] - half, y[29] + half]
    polygon = [[box[0], box[2]], [box[1], box[2]], [box[1], box[3]], [box[0], box[3]]]
    region = summarise_region(stack, result, polygon)
    assert region.n_pixels == 200
    expected = np.nanmean(stack.images["psi"].values[:, 10:30, 5:15], axis=(1, 2))
    assert region.spectrum["psi_mean"].values == pytest.approx(expected, rel=1e-5)
    assert sum(region.shares.values()) == pytest.approx(1)


def test_a_region_beside_the_map_is_refused(example):
    with pytest.raises(InputError, match="no pixel"):
        summarise_region(*example, [[-90, -90], [-80, -90], [-80, -80]])


def test_a_picked_pixel_has_its_raw_spectrum(example):
    images = example[0].images
    picked = read_pixel(example[0], float(images["x"][7]), float(images["y"][9]))
    assert picked["delta"] == pytest.approx(images["delta"].values[:, 9, 7], nan_ok=True)
