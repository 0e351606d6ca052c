"""Peaks of all pixels beside a loop of SciPy's `curve_fit`: speed, and how often the intervals hold.

    python benchmarks/peaks.py [--size 1000] [--loop 300]

Simulated peaks, Gaussian and Lorentzian, 8 channels wide, ten times as high as the noise, of which 2 % of
the pixels miss some channels. The loop fits so many of the same spectra on one core, from the true values;
ours uses all cores.
"""

import argparse
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import OptimizeWarning, curve_fit

import engine
from engine.simulate.spectra import Spectra

N_CHANNELS = 100
SNR = 10.0
WIDTH, HEIGHT, LEVEL = 8.0, 100.0, 20.0
FOUR_LN_2 = 4 * np.log(2)
SHAPES = {
    "gaussian": lambda x, h, p, w, b: h * np.exp(-FOUR_LN_2 * ((x - p) / w) ** 2) + b,
    "lorentzian": lambda x, h, p, w, b: h / (1 + 4 * ((x - p) / w) ** 2) + b,
}


def simulate(shape: str, size: int, *, missing: float = 0.02) -> tuple[xr.Dataset, np.ndarray]:
    """Return a stack of noisy peaks, and their positions."""
    rng = np.random.default_rng(7)
    axis = np.arange(N_CHANNELS, dtype=float)
    places = rng.uniform(30, 70, (size, size)).astype(np.float32)
    stack = np.empty((N_CHANNELS, size, size), np.float32)
    for n in range(N_CHANNELS):
        noise = rng.standard_normal((size, size), np.float32) * np.float32(HEIGHT / SNR)
        stack[n] = SHAPES[shape](axis[n], HEIGHT, places, WIDTH, LEVEL) + noise
    holes = rng.random((size, size)) < missing
    stack[40:50, holes] = np.nan
    data = (("wavelength", "y", "x"), stack, {"units": "1"})
    coords = {"wavelength": ("wavelength", axis, {"units": "nm"})}
    return xr.Dataset({"counts": data}, coords).chunk({"y": max(1, size // 8)}), places


def fit_in_a_loop(shape: str, stack: np.ndarray, places: np.ndarray) -> float:
    """Return the spectra a second of a loop of `curve_fit`."""
    axis = np.arange(N_CHANNELS, dtype=float)
    start = time.perf_counter()
    for spectrum, place in zip(stack.T, places, strict=True):
        known = np.isfinite(spectrum)
        with suppress(RuntimeError):  # one in some hundreds does not converge; its time counts
            curve_fit(SHAPES[shape], axis[known], spectrum[known], [HEIGHT, place, WIDTH, LEVEL])
    return len(places) / (time.perf_counter() - start)


def main() -> None:
    """Print coverage and speed of both shapes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=300)
    options = parser.parse_args()
    warnings.simplefilter("ignore", OptimizeWarning)
    for shape in SHAPES:
        images, places = simulate(shape, options.size)
        model = engine.fit("profile", images)
        model.predict(images.isel(y=slice(0, 8)))[
            "values"
        ].to_dataset().compute()  # compiled before it is timed
        start = time.perf_counter()
        values = model.predict(images)["values"].to_dataset().compute()
        ours = places.size / (time.perf_counter() - start)
        row = images["counts"].isel(y=0, x=slice(0, options.loop)).values
        loop = fit_in_a_loop(shape, row, places[0, : options.loop])
        error = values["position"].values - places
        print(f"{shape}: chosen shape {model.metadata['shape']}")
        beside = f"{ours / loop:.0f} x a loop of curve_fit ({loop:.0f}/s)"
        print(f"  {ours / 1e6:.2f} Mpx/s of {N_CHANNELS} channels, {beside}")
        bias, spread = np.nanmedian(error), np.nanmedian(np.abs(error))
        print(f"  position: median error {bias:+.4f}, median |error| {spread:.3f} channels")
        print_coverage(values, {"position": places, "width": WIDTH, "height": HEIGHT})
    print("noise of counting, which is not the same in all channels:")
    images, truth = Spectra(size=min(options.size, 512)).images()
    values = engine.run("profile", images, shape="gaussian")["values"].to_dataset().compute()
    print_coverage(values, {name: truth[name].values for name in ("position", "width", "height")})


def print_coverage(values: xr.Dataset, truth: Mapping[str, Any]) -> None:
    """Print how often the intervals hold the truth, of the pixels that have a value."""
    found = np.isfinite(values["position"].values)
    for name, true in truth.items():
        covered = np.abs(values[name].values - true) < 1.96 * values[f"{name}_error"].values
        print(f"  95 % interval of the {name} holds {100 * covered[found].mean():.1f} %")


if __name__ == "__main__":
    main()
