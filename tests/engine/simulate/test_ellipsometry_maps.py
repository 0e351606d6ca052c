"""Tests of `engine.simulate.ellipsometry_maps`."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from engine.errors import FileError, InputError
from engine.simulate.ellipsometry_maps import Maps


@pytest.mark.parametrize("n_regions", [1, 2, 3, 6, 12])
def test_there_are_n_regions_zones_numbered_by_falling_area_each_with_a_fair_part_of_the_frame(n_regions):
    _, truth = Maps(n_regions=n_regions, n_wavelengths=3).images()
    areas = np.bincount(truth["labels"].values.ravel(), minlength=n_regions + 1)
    assert areas[0] == 0
    assert len(areas) == n_regions + 1
    assert list(areas[1:]) == sorted(areas[1:], reverse=True)
    assert areas[1:].min() >= 0.015 * 256**2
    assert len(set(truth["name"].values.tolist())) == n_regions


def test_values_are_the_spectrum_of_their_zone_plus_noise_of_the_given_size():
    images, truth = Maps(n_regions=3, noise=0.7, holes=0, seed=4).images()
    for name, period in (("delta", 360), ("psi", None)):
        spectrum = truth[name].sel(label=truth["labels"])
        error = (images[name] - spectrum).values
        if period:
            error = (error + period / 2) % period - period / 2
        assert error.std() == pytest.approx(0.7, rel=0.01)
        assert error.mean() == pytest.approx(0, abs=0.01)
        assert not images[name].isnull().any()


def test_values_stay_in_their_ranges_under_heavy_noise():
    images, _ = Maps(n_regions=4, size=64, noise=45, holes=0).images()
    assert float(images["delta"].min()) >= 0
    assert float(images["delta"].max()) < 360
    assert float(images["psi"].min()) >= 0
    assert float(images["psi"].max()) <= 90


def test_the_gradient_multiplies_tan_psi_by_its_share_from_one_end_of_the_frame_to_the_other():
    settings = {"n_regions": 1, "size": 64, "noise": 0, "holes": 0}
    plain, _ = Maps(**settings).images()
    uneven, _ = Maps(**settings, gradient=0.1).images()
    gain = np.log(np.tan(np.deg2rad(uneven["psi"])) / np.tan(np.deg2rad(plain["psi"])))
    assert float(gain.max() - gain.min()) == pytest.approx(0.1, rel=1e-3)
    turn = np.deg2rad(uneven["delta"] - plain["delta"])
    np.testing.assert_allclose(turn, gain, atol=1e-4)


def test_the_same_seed_gives_the_same_maps_and_another_seed_others():
    first, again, other = (Maps(size=32, seed=seed).images()[0] for seed in (1, 1, 2))
    assert first.identical(again)
    assert not first.equals(other)


def test_an_angle_scan_varies_the_incidence_at_one_wavelength(tmp_path):
    maps = Maps(size=16, n_wavelengths=4, scan="angle", holes=0)
    images, _ = maps.images()
    assert images["delta"].dims == ("angle", "y", "x")
    maps.write(tmp_path)
    rows = (tmp_path / "simulated_maps.ds.dat").read_text("latin-1").splitlines()[2:]
    assert [row.split("\t")[0] for row in rows] == ["632.8"] * 4
    assert [float(row.split("\t")[2]) for row in rows] == images["angle"].values.tolist()


def test_written_files_read_back_equal_through_the_reader(tmp_path):
    readers = pytest.importorskip("engine.readers")
    maps = Maps(size=40, n_wavelengths=4, seed=2)
    images, _ = maps.images()
    read = readers.open_images(maps.write(tmp_path))
    for name in ("delta", "psi"):
        np.testing.assert_array_equal(read[name].values, images[name].values)
        assert read[name].attrs["units"] == "deg"
    np.testing.assert_array_equal(read["wavelength"], images["wavelength"])
    np.testing.assert_array_equal(read["x"], images["x"])


def test_true_k_on_bounded_angles_finds_the_zones():
    from sklearn.cluster import KMeans

    images, truth = Maps(n_regions=5, seed=3).images()
    delta, psi = (np.deg2rad(images[name].values) for name in ("delta", "psi"))
    features = np.concatenate(
        [np.cos(2 * psi), np.sin(2 * psi) * np.cos(delta), np.sin(2 * psi) * np.sin(delta)]
    )
    complete = ~np.isnan(features).any(0)
    found = KMeans(5, n_init=5, random_state=0).fit_predict(features[:, complete].T)
    assert adjusted_rand_score(truth["labels"].values[complete], found) >= 0.99


@pytest.mark.parametrize("bad", [{"n_regions": 0}, {"noise": -1}, {"holes": 2}, {"wavelengths": 3}])
def test_a_wrong_setting_is_refused_with_its_name(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        Maps(**bad)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match="file"):
        Maps(size=8).write(tmp_path / "file")
