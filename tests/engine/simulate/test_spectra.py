"""Simulated photoluminescence: its peaks are where the truth says, on disk as in memory."""

from pathlib import Path

import numpy as np
import pytest

import engine
from engine.simulate.spectra import FILE, TRUTH, Spectra


def test_the_map_on_disk_is_the_one_in_memory(tmp_path: Path) -> None:
    simulator = Spectra(n_regions=3, size=24, n_channels=32, seed=2)
    images, truth = simulator.images()
    read = engine.open(simulator.write(tmp_path / "spectra") / FILE)
    np.testing.assert_array_equal(read["counts"], images["counts"])
    np.testing.assert_array_equal(read["wavelength"], images["wavelength"])
    assert read["wavelength"].attrs["units"] == "nm"
    with np.load(tmp_path / "spectra" / TRUTH) as stored:
        np.testing.assert_array_equal(stored["position"], truth["position"])
        np.testing.assert_array_equal(stored["labels"], truth["labels"])


def test_profile_finds_the_true_peaks() -> None:
    images, truth = Spectra(n_regions=3, size=48, seed=5).images()
    values = engine.run("profile", images, shape="gaussian")["values"]
    assert bool(np.isfinite(values["position"]).all())
    apart = (values["position"].values - truth["position"].values) / values["position_error"].values
    assert abs(apart.mean()) < 0.15
    assert np.abs(apart).max() < 8
    for name in ("width", "height"):
        assert float(values[name].mean()) == pytest.approx(float(truth[name].mean()), rel=0.01)


def test_counts_grow_with_the_exposure_and_depend_on_the_seed_alone() -> None:
    short, long = (Spectra(size=16, seed=1, exposure=exposure).images()[0]["counts"] for exposure in (1, 10))
    assert float(long.mean()) == pytest.approx(10 * float(short.mean()), rel=0.05)
    np.testing.assert_array_equal(short, Spectra(size=16, seed=1).images()[0]["counts"])
    assert not np.array_equal(short, Spectra(size=16, seed=2).images()[0]["counts"])
