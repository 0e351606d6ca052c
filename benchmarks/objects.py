"""10^5 objects in 10^4 x 10^4 pixels, numbered and measured in a fresh process: peak memory and time.

    python benchmarks/objects.py [--quick]

The mask is made tile by tile in the child process, which reports its peak resident size (VmHWM). On a part of
the frame ours and scikit-image's `label` + `regionprops_table` run interleaved in one warmed process; their
columns must agree, or the script fails. Printed are medians and their ratio.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr
from skimage.measure import label, regionprops_table

from engine.objects import connect, measure

TILE = 1000
PIXELS_PER_OBJECT = 950
"""Of those that are thrown; some touch."""
COLUMNS = {
    "area": "area",
    "y": "centroid-0",
    "x": "centroid-1",
    "bbox_top": "bbox-0",
    "bbox_right": "bbox-3",
    "eccentricity": "eccentricity",
    "length": "axis_major_length",
    "width": "axis_minor_length",
    "peak": "intensity_max",
}
PROPERTIES = (
    "label",
    "area",
    "centroid",
    "bbox",
    "orientation",
    "eccentricity",
    "axis_major_length",
    "axis_minor_length",
    "intensity_mean",
    "intensity_max",
)

CHILD = """
import sys, time
sys.path.insert(0, sys.argv[2])
from objects import frame
from engine.objects import connect, measure
image = frame(int(sys.argv[1]))
start = time.perf_counter()
table = measure(connect(image > 0), image=image)
seconds = time.perf_counter() - start
lines = open("/proc/self/status").read().splitlines()
print(seconds, next(line.split()[1] for line in lines if line.startswith("VmHWM")), table.sizes["object"])
"""


def tile(block_info: dict[None, dict[str, list[tuple[int, int]]]]) -> np.ndarray:
    """Boxes of up to 7 x 7 pixels of random values, 0 between them."""
    (top, bottom), (left, right) = block_info[None]["array-location"]
    rng = np.random.default_rng([top, left])
    boxes = np.zeros((bottom - top, right - left), np.float32)
    for y, x in rng.integers(0, boxes.shape, (boxes.size // PIXELS_PER_OBJECT, 2)):
        box = boxes[y : y + rng.integers(1, 8), x : x + rng.integers(1, 8)]
        box[:] = rng.uniform(1, 1000, box.shape)
    return boxes


def frame(size: int) -> xr.DataArray:
    """Image of size x size pixels, lazy."""
    n_tiles = -(-size // TILE)
    chunks = ((TILE,) * (n_tiles - 1) + (size - TILE * (n_tiles - 1),),) * 2
    values = da.map_blocks(tile, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0), np.float32))
    return xr.DataArray(values, dims=("y", "x"), attrs={"units": "adu"})


def ours(image: xr.DataArray) -> xr.Dataset:
    return measure(connect(image > 0), image=image)


def theirs(image: xr.DataArray) -> dict[str, np.ndarray]:
    return regionprops_table(label(image.values > 0), image.values, properties=PROPERTIES)


def seconds(way: Callable[[xr.DataArray], object], image: xr.DataArray) -> float:
    start = time.perf_counter()
    way(image)
    return time.perf_counter() - start


def check(image: xr.DataArray) -> None:
    """Fail if the tables differ."""
    table, expected = ours(image), theirs(image)
    for name, other in COLUMNS.items():
        np.testing.assert_allclose(table[name], expected[other], rtol=1e-9, atol=1e-6, err_msg=name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2000 x 2000, a part of 500 x 500")
    quick = parser.parse_args().quick
    size, part = (2000, 500) if quick else (10_000, 2000)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(size), str(Path(__file__).parent)],
        check=True,
        capture_output=True,
        text=True,
    )
    taken, peak, n_objects = (float(word) for word in child.stdout.split())
    print(f"{size} x {size}, {n_objects:.0f} objects: made, numbered and measured in {taken:.1f} s")
    print(f"peak resident size {peak / 2**20:.2f} GiB (target 2 GiB)")
    image = frame(size)[:part, :part].compute().chunk(TILE)
    check(image)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(3):
        for way in (ours, theirs):
            times[way.__name__].append(seconds(way, image))
    our, their = (float(np.median(times[name])) for name in ("ours", "theirs"))
    print(f"{part} x {part}: {our:.3f} s, scikit-image {their:.3f} s = {their / our:.1f} x ours")


if __name__ == "__main__":
    main()
