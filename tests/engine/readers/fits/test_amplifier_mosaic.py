"""Tests of `engine.readers.fits.amplifier_mosaic`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from engine.readers import open_images
from engine.readers.fits import amplifier_mosaic, image_units
from engine.readers.fits.image_units import load

RNG = np.random.default_rng(5)


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


@pytest.mark.parametrize("name", ["cam.fits.gz", "cam.fits.fz"])
def test_packed_amplifiers_are_unpacked_once_each(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fits.open(camera(tmp_path / "cam.fits", SCENE, [1000, 1200, 900, 1111])) as hdus:
        pack = fits.CompImageHDU if name.endswith(".fz") else fits.ImageHDU
        units = [pack(hdu.data, hdu.header) for hdu in hdus[1:]]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / name)
    seen: list[int] = []

    def watched(path: Path, image: image_units.Image, window: tuple[slice, ...]) -> np.ndarray:
        seen.append(image.number)
        return load(path, image, window)

    monkeypatch.setattr(amplifier_mosaic, "load", watched)
    images = open_images(f"{tmp_path}/{name}::mosaic")
    np.testing.assert_array_equal(images["values"].values, SCENE)
    assert sorted(seen) == [1, 2, 3, 4]
    np.testing.assert_array_equal(images["values"][25:40, 30:].values, SCENE[25:40, 30:])
