"""Tests of `engine.readers.fits.sections`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits

from engine.errors import InputError
from engine.readers import open_images
from engine.simulate.mosaic import Mosaic

Said = Callable[[xr.Dataset], list[str]]


RNG = np.random.default_rng(5)


FRAME = RNG.integers(0, 2**16, (37, 53)).astype(np.uint16)


def camera(path: Path, scene: np.ndarray, pedestals: list[float], keyword: str = "DETSEC") -> Path:
    """Cut a scene into 2 x 2 amplifiers, 5 columns of overscan each; the right ones read mirrored in x, the
    upper ones in y; two columns in front of the exposed ones hold nonsense."""
    units: list[Any] = [fits.PrimaryHDU()]
    height, width = scene.shape[0] // 2, scene.shape[1] // 2
    noise = np.random.default_rng(1)
    for n, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        part = scene[row * height : (row + 1) * height, column * width : (column + 1) * width]
        part = part[:: -1 if row else 1, :: -1 if column else 1] + pedestals[n]
        overscan = pedestals[n] + np.tile([-3, -1, 0, 1, 3], (height, 1))
        junk = noise.integers(0, 9, (height, 2))
        hdu = fits.ImageHDU(np.hstack([junk, part, overscan]).astype(np.uint16), name=f"AMP{n}")
        x = f"{2 * width}:{width + 1}" if column else f"1:{width}"
        y = f"{2 * height}:{height + 1}" if row else f"1:{height}"
        hdu.header[keyword] = f"[{x},{y}]"
        hdu.header["DATASEC"] = f"[3:{width + 2},1:{height}]"
        hdu.header["BIASSEC"] = f"[{width + 3}:{width + 7},1:{height}]"
        units.append(hdu)
    fits.HDUList(units).writeto(path, overwrite=True)
    return path


SCENE = RNG.integers(0, 5000, (60, 44))


@pytest.mark.real
def test_a_real_frame_is_trimmed_and_loses_its_overscan(shared: Path) -> None:
    path = shared / "data" / "ccd" / "real" / "a8280271.fits"
    with fits.open(path, memmap=False) as hdus:
        raw = hdus[0].data
    expected = raw[:, 16:528].astype(np.float32) - np.float32(np.median(raw[:, 3:13]))
    np.testing.assert_array_equal(open_images(f"{path}::mosaic")["values"].values, expected)


@pytest.mark.parametrize("keyword", ["DETSEC", "CCDSEC"])
@pytest.mark.parametrize("name", ["cam.fits", "cam.fits.gz"])
def test_four_amplifiers_give_the_scene_for_any_chunks(
    tmp_path: Path, keyword: str, name: str, warnings_of: Said
) -> None:
    path = camera(tmp_path / name, SCENE, [1000, 1200.0, 900, 1111], keyword)
    for chunks in (None, {"y": 7, "x": 9}, {"y": 60, "x": 1}, {"y": 31, "x": 23}):
        images = open_images(f"{path}::mosaic", chunks=chunks)
        assert images["values"].dtype == np.float32
        np.testing.assert_array_equal(images["values"].values, SCENE)
    assert warnings_of(images) == []
    assert "all together as" in warnings_of(open_images(path))[0]
    np.testing.assert_array_equal(images["values"].data[29:33, 20:25].compute(), SCENE[29:33, 20:25])


def test_compressed_amplifiers_give_the_scene(tmp_path: Path) -> None:
    with fits.open(camera(tmp_path / "cam.fits", SCENE, [1000, 1200, 900, 1111])) as hdus:
        units = [fits.CompImageHDU(hdu.data, hdu.header) for hdu in hdus[1:]]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "cam.fits.fz")
    np.testing.assert_array_equal(open_images(f"{tmp_path}/cam.fits.fz::mosaic")["values"].values, SCENE)


def test_gaps_between_amplifiers_are_nan_and_binned_places_are_understood(tmp_path: Path) -> None:
    units: list[Any] = [fits.PrimaryHDU()]
    for first in (1, 29):
        hdu = fits.ImageHDU(np.full((10, 12), 7, np.int16))
        hdu.header.update({"DETSEC": f"[{first}:{first + 23},1:20]", "CCDSUM": "2 2"})
        units.append(hdu)
    fits.HDUList(units).writeto(tmp_path / "a.fits")
    values = open_images(f"{tmp_path}/a.fits::mosaic")["values"].values
    assert values.shape == (10, 26)
    assert np.isnan(values[:, 12:14]).all()
    assert (values[:, :12] == 7).all()
    assert (values[:, 14:] == 7).all()


def test_a_single_frame_without_sections_is_no_mosaic(tmp_path: Path) -> None:
    fits.PrimaryHDU(FRAME).writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match=r"a\.fits has no DATASEC in HDU 0"):
        open_images(f"{tmp_path}/a.fits::mosaic")


@pytest.mark.parametrize("n_amplifiers", [2, 4])
def test_simulated_amplifiers_are_put_together(tmp_path: Path, n_amplifiers: int) -> None:
    simulator = Mosaic(size=64, n_frames=1, n_amplifiers=n_amplifiers, seed=4)
    simulator.write(tmp_path)
    frame = simulator.frame(0)
    found = open_images(f"{tmp_path}/frame_000.fits::mosaic")["values"].values
    for amplifier, part in zip(frame.amplifiers, frame.parts, strict=True):
        here = (amplifier.rows, amplifier.columns)
        width = amplifier.columns.stop - amplifier.columns.start
        expected = frame.image[here].astype(np.float32) - np.float32(np.median(part[:, width:]))
        np.testing.assert_array_equal(found[here], expected)
