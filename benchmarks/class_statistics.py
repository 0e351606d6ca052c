"""Spectra and table of 5 classes over 22 maps, beside NumPy's mean, std, median and quantiles per class.

    python benchmarks/class_statistics.py [--quick]

Both run interleaved in one warmed process on the same arrays in memory; printed are medians and the ratio.
Means must agree to 1e-9 and quantiles within the stated error, or the script fails.
"""

import argparse
import time

import numpy as np
import xarray as xr

from engine.statistics import describe
from engine.statistics.tile_passes import QUANTILE_ERROR

N_CLASSES, N_WAVELENGTHS = 5, 11
NAMES = {value: f"cluster_{value}" for value in range(1, N_CLASSES + 1)}


def stack(height: int, width: int) -> tuple[xr.Dataset, xr.DataArray, xr.DataArray]:
    rng = np.random.default_rng(0)
    labels = (1 + np.arange(width) * N_CLASSES // width).astype(np.uint8) * np.ones((height, 1), np.uint8)
    maps = {}
    for name, middle in (("delta", 140.0), ("psi", 40.0)):
        values = rng.normal(middle, 5, (N_WAVELENGTHS, height, width)).astype(np.float32)
        values[:, rng.random((height, width)) < 0.05] = np.nan
        maps[name] = (("wavelength", "y", "x"), values, {"units": "deg"})
    confidence = rng.random((height, width), dtype=np.float32)
    return xr.Dataset(maps), xr.DataArray(labels, dims=("y", "x")), xr.DataArray(confidence, dims=("y", "x"))


def ours(images: xr.Dataset, labels: xr.DataArray, confidence: xr.DataArray) -> np.ndarray:
    spectra = describe(images, labels, confidence, names=NAMES).compute()["spectra"]
    return np.array([[spectra[f"{v}_{s}"].values for s in ("mean", "std", "median", "q95")] for v in images])


def numpy(images: xr.Dataset, labels: xr.DataArray, confidence: xr.DataArray) -> np.ndarray:
    result = np.empty((len(images), 4, N_CLASSES, N_WAVELENGTHS))
    members = [labels.values == value for value in NAMES]
    [confidence.values[inside].mean(dtype=float) for inside in members]
    for v, image in enumerate(images.values()):
        for k, inside in enumerate(members):
            for c in range(N_WAVELENGTHS):
                values = image.values[c][inside]
                values = values[np.isfinite(values)]
                _, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
                np.median(np.abs(values - middle))
                result[v, :, k, c] = values.mean(dtype=float), values.std(dtype=float), middle, high
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="260 x 344 only")
    sizes = [(260, 344)] if parser.parse_args().quick else [(260, 344), (4096, 4096)]
    for height, width in sizes:
        data = stack(height, width)
        mine, theirs = ours(*data), numpy(*data)
        np.testing.assert_allclose(mine[:, :2], theirs[:, :2], rtol=1e-9)
        spread = max(float(np.ptp(image.values[np.isfinite(image.values)])) for image in data[0].values())
        np.testing.assert_allclose(mine[:, 2:], theirs[:, 2:], atol=QUANTILE_ERROR * spread, rtol=0)
        times: dict[str, list[float]] = {"ours": [], "numpy": []}
        for _ in range(5 if height < 1000 else 3):
            for way in (ours, numpy):
                start = time.perf_counter()
                way(*data)
                times[way.__name__].append(time.perf_counter() - start)
        mine_s, theirs_s = (float(np.median(taken)) for taken in times.values())
        ratio = theirs_s / mine_s
        print(f"{height} x {width} x 22: ours {mine_s:.3f} s, numpy {theirs_s:.3f} s, {ratio:.1f} x ours")


if __name__ == "__main__":
    main()
