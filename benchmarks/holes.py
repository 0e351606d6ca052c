"""Filling holes (1 % of 4096 x 4096 missing, 9 x 9 Gaussian) beside astropy and a normalised scipy filter.

    python benchmarks/holes.py [--quick]

All ways run interleaved in one warmed process; printed are medians and their ratios to ours. astropy's
`interpolate_replace_nans` and ours must agree where the kernel lies inside the frame, or the script fails.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import xarray as xr
from astropy.convolution import Gaussian2DKernel, interpolate_replace_nans
from scipy.ndimage import correlate

from engine.preprocess.gaps import fill_gaps

SIGMA, WIDTH = 2.0, 9
TARGET = 25.0


def frame(size: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    plane = rng.normal(100, 10, (size, size)).astype(np.float32)
    plane[rng.random(plane.shape) < 0.01] = np.nan
    return plane


def ours(plane: np.ndarray) -> np.ndarray:
    images = xr.Dataset({"counts": (("y", "x"), plane)})
    return fill_gaps(images, size=WIDTH, sigma=SIGMA)["counts"].values


def astropy(plane: np.ndarray) -> np.ndarray:
    kernel = Gaussian2DKernel(SIGMA, x_size=WIDTH, y_size=WIDTH)
    return interpolate_replace_nans(plane, kernel)


def scipy(plane: np.ndarray) -> np.ndarray:
    weights = Gaussian2DKernel(SIGMA, x_size=WIDTH, y_size=WIDTH).array.astype(np.float32)
    valid = np.isfinite(plane)
    total = correlate(np.where(valid, plane, 0), weights, mode="constant")
    norm = correlate(valid.astype(np.float32), weights, mode="constant")
    return np.where(valid, plane, total / norm)


def seconds(way: Callable[[np.ndarray], np.ndarray], plane: np.ndarray) -> float:
    start = time.perf_counter()
    way(plane)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1024 x 1024, 3 rounds")
    quick = parser.parse_args().quick
    plane = frame(1024 if quick else 4096)
    inner = (slice(WIDTH, -WIDTH),) * 2
    np.testing.assert_allclose(ours(plane)[inner], astropy(plane)[inner], rtol=1e-6)
    times: dict[str, list[float]] = {"ours": [], "astropy": [], "scipy": []}
    for _ in range(3 if quick else 5):
        for way in (ours, astropy, scipy):
            times[way.__name__].append(seconds(way, plane))
    medians = {name: float(np.median(taken)) for name, taken in times.items()}
    for name, taken in medians.items():
        print(f"{name:8s} {taken:8.4f} s   {taken / medians['ours']:6.1f} x ours")
    print(f"target: {TARGET:.0f} x against astropy at 4096 x 4096")


if __name__ == "__main__":
    main()
