"""Sliding FFT and unmixing of a micrograph, beside the loop of the quantum-dot pipeline.

    python benchmarks/sliding_fft.py [--size 1024] [--window 64] [--step 16] [--components 4]

The prior way, rebuilt from its description: a Hamming window cut and transformed by numpy (`fft2`) one after
the other, N-FINDR with a determinant for every pixel and endmember, scipy's NNLS place by place. The
abundances are compared for the same endmembers.
"""

import argparse
import time

import numpy as np
import xarray as xr
from scipy.optimize import nnls

from engine.nanoparticles import sliding_fft, unmix
from engine.nanoparticles.unmix import _principal
from engine.simulate.hrtem import Hrtem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("size", 1024), ("window", 64), ("step", 16), ("components", 4), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    image = Hrtem(size=options.size, pixel_size=0.045, empty=0.0, seed=1).frame(0).image.astype(np.float32)
    ours = min(measured(lambda: new(image, options))[0] for _ in range(options.repeats))
    _, found = measured(lambda: new(image, options))
    theirs, (endmembers, abundances) = measured(lambda: prior(image, options))
    rows = new_rows(image, options)
    again = np.stack([nnls(found.endmembers.values.T.astype(float), row)[0] for row in rows])
    mine = found.abundances.values.reshape(options.components, -1).T
    same = [np.corrcoef(again[:, n], mine[:, n])[0, 1] for n in range(options.components)]
    half = half_plane(endmembers, options.window)
    shared = [np.abs(half - one).max(axis=1).min() < 1e-3 * one.max() for one in found.endmembers.values]
    print(
        f"{options.size} x {options.size}, window {options.window}, step {options.step}: {len(rows)} windows"
    )
    print(f"prior loop {theirs:.2f} s, engine {ours:.3f} s: {theirs / ours:.1f} x")
    print(f"abundances of the same endmembers: correlation at least {min(same):.6f}")
    print(f"their abundances sum to {abundances.sum():.0f}, ours to {mine.sum():.0f}")
    print(f"{sum(shared)} of {options.components} endmembers are those that the prior search found")


def measured(work):
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def new(image, options):
    array = xr.DataArray(image, dims=("y", "x"))
    spectra = sliding_fft(array, window=options.window, step=options.step)
    return unmix(spectra, n_components=options.components)


def prior(image, options):
    """Spectra, endmembers and abundances, one after the other."""
    window, step = options.window, options.step
    taper = np.outer(np.hamming(window), np.hamming(window))
    rows = []
    for y in range(0, image.shape[0] - window + 1, step):
        for x in range(0, image.shape[1] - window + 1, step):
            part = image[y : y + window, x : x + window]
            rows.append(np.abs(np.fft.fftshift(np.fft.fft2((part - part.mean()) * taper))).ravel() ** 2)
    rows = np.array(rows)
    endmembers = rows[search(rows, options.components)]
    return endmembers, np.stack([nnls(endmembers.T, row)[0] for row in rows])


def new_rows(image, options):
    array = xr.DataArray(image, dims=("y", "x"))
    spectra = sliding_fft(array, window=options.window, step=options.step).values
    return spectra.reshape(len(spectra), -1).T


def half_plane(spectra, window):
    """Of shifted spectra of the whole plane of frequencies, those of the half that rfft2 keeps."""
    plane = np.fft.ifftshift(spectra.reshape(-1, window, window), axes=(1, 2))
    return plane[:, :, : window // 2 + 1].reshape(len(spectra), -1)


def search(rows, n):
    """N-FINDR as it is written down: every pixel is tried in every place."""
    points = np.column_stack([np.ones(len(rows)), _principal(rows.astype(np.float32), n - 1)])
    chosen = np.random.default_rng(0).choice(len(rows), n, replace=False)
    volume = abs(np.linalg.det(points[chosen]))
    changed = True
    while changed:
        changed = False
        for corner in range(n):
            for row in range(len(rows)):
                tried = chosen.copy()
                tried[corner] = row
                larger = abs(np.linalg.det(points[tried]))
                if larger > volume * (1 + 1e-9):
                    chosen, volume, changed = tried, larger, True
    return chosen


if __name__ == "__main__":
    main()
