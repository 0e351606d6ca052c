"""Tests of `engine.readers.microscopes.hyperspy`."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.errors import InputError
from engine.readers import describe, open_images
from tests.engine.readers.array_files import CUBE


def _write_hspy(path: Path, data: np.ndarray, axes: list[dict[str, Any]]) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("Experiments/Map 1")
        group["data"] = data
        for n, facts in enumerate(axes):
            group.create_group(f"axis-{n}").attrs.update(facts)


def test_a_hyperspy_spectrum_image_has_energies_in_ev_and_pixels_in_µm(tmp_path: Path) -> None:
    pixel = {"navigate": True, "scale": 20.0, "offset": 0.0, "units": "nm"}
    energy = {"navigate": False, "scale": 0.01, "offset": -0.1, "units": "keV"}
    _write_hspy(tmp_path / "a.hspy", CUBE.transpose(1, 2, 0), [pixel, pixel, energy])
    images = open_images(tmp_path / "a.hspy")
    assert images["values"].dims == ("energy", "y", "x")
    np.testing.assert_array_equal(images["values"].values, CUBE)
    np.testing.assert_allclose(images["energy"].values, [-100, -90, -80])
    assert images.attrs["title"] == "Map 1"
    assert describe(images)["pixel_size"] == {"y": 20.0, "x": 20.0, "units": "nm"}


def test_a_hyperspy_stack_of_images_has_the_dim_image(tmp_path: Path) -> None:
    axes = [{"navigate": True, "units": "s", "scale": 1.0}, {"navigate": False}, {"navigate": False}]
    _write_hspy(tmp_path / "a.hspy", CUBE, axes)
    images = open_images(tmp_path / "a.hspy")
    assert images["values"].dims == ("image", "y", "x")


def test_a_hyperspy_line_scan_is_refused(tmp_path: Path) -> None:
    _write_hspy(tmp_path / "a.hspy", CUBE[0], [{"navigate": True}, {"navigate": False}])
    with pytest.raises(InputError, match="neither an image nor a stack"):
        open_images(tmp_path / "a.hspy")
