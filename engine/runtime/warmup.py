"""Run the whole pipeline on a handful of pixels, so that a job's process has everything loaded beforehand.

Imports alone leave half of it undone: compiled kernels and codecs are loaded at their first use.
"""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from engine import catalogue
from engine.analysis import STACK
from engine.schema import DELTA, PIXEL, PSI, WAVELENGTH

RUN: Final = "engine.pipeline:run"
STORE: Final = "engine.export.store:write_result"
N_CHANNELS: Final = 8
"""Channels of the images: as many as every analysis needs."""


def warm_up() -> None:
    """Run every analysis with its defaults on random images, and store the result in a temporary folder."""
    run, store = catalogue.load(RUN), catalogue.load(STORE)
    with tempfile.TemporaryDirectory(prefix="mapstack-") as folder:
        for name in catalogue.ANALYSES:
            images = _images() if catalogue.find("analyses", name).takes == STACK else _frame()
            store(run(name, images), Path(folder) / f"{name}.zarr")


def _frame(size: int = 64) -> xr.Dataset:
    """Return a frame of noise, dims (y, x)."""
    values = np.random.default_rng(0).normal(100, 5, (size, size)).astype(np.float32)
    return xr.Dataset({"frame": (PIXEL, values, {"units": "adu"})})


def _images(size: int = 16) -> xr.Dataset:
    """Ellipsometric images of noise, dims (wavelength, y, x)."""
    values = np.random.default_rng(0).uniform(0, 90, (2, N_CHANNELS, size, size)).astype(np.float32)
    dims = (WAVELENGTH, *PIXEL)
    wavelength = (WAVELENGTH, np.linspace(400.0, 700.0, N_CHANNELS), {"units": "nm"})
    variables = {
        name: (dims, image, {"units": "deg", "long_name": name})
        for name, image in zip((DELTA, PSI), values, strict=True)
    }
    return xr.Dataset(variables, coords={WAVELENGTH: wavelength})


if __name__ == "__main__":
    warm_up()
