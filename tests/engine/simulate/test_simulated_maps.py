import struct
import zlib

import defusedxml.ElementTree
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from engine.errors import FileError, InputError
from engine.simulate import ep4, films, zone_layout
from engine.simulate.ellipsometry_maps import Maps


def chunks(path):
    """Kind and content of each chunk of a PNG, its CRC checked."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        kind, data = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        assert struct.unpack(">I", raw[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        found.append((kind, data))
        at += 12 + length
    return found


def float_chunk(path):
    return next(data for kind, data in chunks(path) if kind == b"tEXt" and data.startswith(ep4.KEYWORD))


@pytest.mark.parametrize("n_regions", [1, 2, 3, 6, 12])
def test_there_are_n_regions_zones_numbered_by_falling_area_each_with_a_fair_part_of_the_frame(n_regions):
    _, truth = Maps(n_regions=n_regions, n_wavelengths=3).images()
    areas = np.bincount(truth["labels"].values.ravel(), minlength=n_regions + 1)
    assert areas[0] == 0
    assert len(areas) == n_regions + 1
    assert list(areas[1:]) == sorted(areas[1:], reverse=True)
    assert areas[1:].min() >= 0.015 * 256**2
    assert len(set(truth["name"].values.tolist())) == n_regions


@pytest.mark.parametrize("seed", range(5))
def test_zones_are_physically_distinct_and_delta_wraps_in_some(seed):
    _, truth = Maps(n_regions=6, size=32, seed=seed).images()
    assert films.least_separation(truth["delta"].values, truth["psi"].values) >= films.SEPARATION
    assert (np.abs(np.diff(truth["delta"].values)) > 180).any()


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


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_share_of_pixels_with_holes_is_as_asked_for_and_every_pixel_keeps_some_value(share):
    images, _ = Maps(n_regions=2, holes=share).images()
    missing = images["delta"].isnull()
    assert float(missing.any("wavelength").mean()) == pytest.approx(share, rel=0.02)
    assert float(missing.mean()) == pytest.approx(9 / 11 * share, rel=0.02)
    assert not missing.all("wavelength").any()
    assert (missing == images["psi"].isnull()).all()


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


def test_files_hold_the_maps_of_memory_bit_by_bit_behind_the_layout_of_the_instrument(tmp_path):
    maps = Maps(size=24, n_wavelengths=3, seed=9)
    folder = maps.write(tmp_path / "maps")
    images, truth = maps.images()
    table = (folder / "simulated_maps.ds.dat").read_text("latin-1").splitlines()
    for i, row in enumerate(table[2:]):
        for file, name in zip(row.split("\t")[-2:], ("delta", "psi"), strict=True):
            data = float_chunk(folder / file)
            start = len(ep4.KEYWORD) + 1
            (n,) = struct.unpack(">H", data[start : start + 2])
            assert struct.unpack(">III", data[start + n : start + n + 12]) == (24 * 24 * 4 + 8, 24, 24)
            floats = np.frombuffer(data[start + n + 12 :], ">f4").reshape(24, 24)
            np.testing.assert_array_equal(floats, images[name].values[i])
    with np.load(folder / "truth.npz") as stored:
        np.testing.assert_array_equal(stored["labels"], truth["labels"])
        assert stored["labels"].dtype == np.uint8
        assert stored["names"].tolist() == truth["name"].values.tolist()
        np.testing.assert_array_equal(stored["delta"], truth["delta"])
        np.testing.assert_array_equal(stored["wavelength"], images["wavelength"])


def test_the_picture_is_the_rounded_value_and_zero_in_holes(tmp_path):
    from PIL import Image

    values = np.array([[0.4, 99.6], [np.nan, 300.0]], np.float32)
    ep4.write_map(tmp_path / "map.png", values)
    with Image.open(tmp_path / "map.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), [[0, 100], [0, 255]])


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


def test_the_type_descriptor_the_table_and_the_columns_are_those_of_a_real_measurement(tmp_path, shared):
    real = shared / "data" / "hyperspectral" / "hBN_test"
    Maps(size=16, n_wavelengths=11, holes=0).write(tmp_path)
    start = len(ep4.KEYWORD) + 1
    theirs, ours = (float_chunk(next(folder.glob("*_001.png"))) for folder in (real, tmp_path))
    assert ours[: start + 40] == theirs[: start + 40]
    shown = [kind for kind, _ in chunks(next(tmp_path.glob("*_001.png")))]
    rest = iter(kind for kind, _ in chunks(next(real.glob("*_001.png"))))
    assert all(kind in rest for kind in shown)  # a subsequence: the same order
    tables = [next(folder.glob("*.ds.dat")).read_bytes().split(b"\n") for folder in (real, tmp_path)]
    assert tables[0][:2] == tables[1][:2]
    assert [row.split(b"\t")[0] for row in tables[0]] == [row.split(b"\t")[0] for row in tables[1]]
    # like the instrument's, the description has bytes that are not UTF-8 and does not say so
    ours_xml = defusedxml.ElementTree.fromstring(next(tmp_path.glob("*.dsinfo.xml")).read_text("latin-1"))
    columns = [prop.findtext("label") for prop in ours_xml.iter("col_props")]
    assert "#" + "\t".join(columns) == tables[0][0].decode()


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


def test_a_flake_covers_the_pixels_inside_its_straight_edges():
    bearings = np.deg2rad([-135.0, -45.0, 45.0, 135.0])
    square = zone_layout.Shape(zone_layout.FLAKE, (0.5, 0.5), bearings, np.full(4, 0.25 * np.sqrt(2)))
    expected = np.zeros((8, 8), bool)
    expected[2:6, 2:6] = True
    np.testing.assert_array_equal(square.covers(8), expected)


@pytest.mark.parametrize("bad", [{"n_regions": 0}, {"noise": -1}, {"holes": 2}, {"wavelengths": 3}])
def test_a_wrong_setting_is_refused_with_its_name(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        Maps(**bad)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match="file"):
        Maps(size=8).write(tmp_path / "file")
