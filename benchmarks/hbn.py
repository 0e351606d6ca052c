"""The real hBN folder, from disk to labels, spectra and table, beside the prior system's steps.

The prior system: each map filled by astropy's `interpolate_replace_nans` with a Gaussian kernel that is
1 pixel wide in x and, by the mistake of its call, 8 in y (65 x 65 in all); scikit-learn's k-means on the
pixel vectors; the spectra are the centres. One warmed process, the two take turns, medians are compared.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from astropy.convolution import Gaussian2DKernel, interpolate_replace_nans
from sklearn.cluster import KMeans as Peer

from engine.cluster import KMeans
from engine.readers import open_images
from engine.schema import DELTA, PSI

K = 4


def prior(folder: Path, n_maps: int) -> np.ndarray:
    """Load, fill, cluster: labels of all pixels."""
    images = open_images(folder)
    maps = [np.asarray(plane) for name in (DELTA, PSI) for plane in images[name].values][:n_maps]
    kernel = Gaussian2DKernel(1, 8, x_size=65, y_size=65)
    filled = [interpolate_replace_nans(plane, kernel) for plane in maps]
    pixels = np.nan_to_num(np.stack([plane.ravel() for plane in filled], axis=1))
    return np.asarray(Peer(K, n_init=10, random_state=0).fit_predict(pixels))


def ours(folder: Path) -> None:
    """Everything that a result holds, computed."""
    images = open_images(folder)
    KMeans(n_clusters=K).fit(images).predict(images).compute()


def seconds(way: object, *arguments: object) -> float:
    start = time.perf_counter()
    way(*arguments)  # type: ignore[operator]
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = os.environ.get("MAPSTACK_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--folder", type=Path, default=Path(shared) / "data" / "hyperspectral" / "hBN_test")
    parser.add_argument("--quick", action="store_true", help="one round, the prior system on 2 of 22 maps")
    arguments = parser.parse_args()
    rounds, n_maps = (1, 2) if arguments.quick else (5, 22)
    ours(arguments.folder)
    prior(arguments.folder, 1)
    taken = [
        (seconds(ours, arguments.folder), seconds(prior, arguments.folder, n_maps)) for _ in range(rounds)
    ]
    own, other = (np.median(column) for column in zip(*taken, strict=True))
    print(f"mapstack, folder -> labels, spectra, table: {own:.3f} s")
    print(f"prior system, load + fit, {n_maps} of 22 maps: {other:.2f} s = {other / own:.1f} x (target 20 x)")


if __name__ == "__main__":
    main()
