"""A Zarr stack clustered in a fresh process that may not hold it: peak memory, and time beside plain reading.

The stack is written first (22 channels of float32 noise and patches, uncompressed). One exact pass over all
pixels takes turns with plain reading by as many threads, the files forgotten by the page cache each time.
Then a child process clusters the stack, stores the result and reports its peak resident size (VmHWM).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr
from kmeans import pass_seconds

N_CHANNELS, K, TILE = 22, 8, 512

CHILD = """
import sys, time
import xarray as xr
from engine.cluster import KMeans
from engine.export.store import write_result
images = xr.open_zarr(sys.argv[1])
start = time.perf_counter()
result = KMeans(n_clusters=8, n_restarts=6).fit(images).predict(images)
write_result(result, sys.argv[2])
seconds = time.perf_counter() - start
lines = open("/proc/self/status").read().splitlines()
print(seconds, next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


def write_stack(path: Path, gigabytes: float) -> int:
    """Write the stack; returns its bytes."""
    side = int(np.sqrt(gigabytes * 1e9 / (4 * N_CHANNELS)) // TILE + 1) * TILE

    def tile(block_info: dict[None, dict[str, list[tuple[int, int]]]]) -> np.ndarray:
        (_, *shape) = [stop - start for start, stop in block_info[None]["array-location"]]
        rng = np.random.default_rng([start for start, _ in block_info[None]["array-location"]])
        spectrum = np.random.default_rng(rng.integers(K)).normal(0, 2, (N_CHANNELS, 1, 1))
        return rng.standard_normal((N_CHANNELS, *shape), dtype=np.float32) + spectrum.astype(np.float32)

    chunks = ((N_CHANNELS,), (TILE,) * (side // TILE), (TILE,) * (side // TILE))
    values = da.map_blocks(tile, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))
    images = xr.Dataset({"counts": (("channel", "y", "x"), values, {"units": "1"})})
    images.to_zarr(path, zarr_format=3, consolidated=False, encoding={"counts": {"compressors": None}})
    return int(values.nbytes)


def files_of(path: Path) -> list[Path]:
    """The store's files."""
    return [file for file in path.rglob("*") if file.is_file()]


def forget(path: Path) -> None:
    """Have the page cache forget the store, so that the disk is read."""
    os.sync()
    for file in files_of(path):
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def read_seconds(path: Path) -> float:
    """Time to read every file of the store once, with two threads."""
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda file: len(file.read_bytes()), files_of(path)))
    return time.perf_counter() - start


def print_pass(path: Path, rounds: int) -> float:
    """Print how a pass over all pixels compares with plain reading; returns the seconds of reading."""
    images = xr.open_zarr(path, consolidated=False)
    pass_seconds(images)
    reading, passing = [], []
    for _ in range(rounds):
        forget(path)
        reading.append(read_seconds(path))
        forget(path)
        passing.append(pass_seconds(images))
    seconds = float(np.median(reading))
    print(
        f"one exact pass over all pixels: {100 * seconds / np.median(passing):.0f} % of the rate of plain"
        f" reading from the disk, {images['counts'].nbytes / 1e9 / seconds:.2f} GB/s (target 90 %)"
    )
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=6.0)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the size")
    arguments = parser.parse_args()
    gigabytes = arguments.gigabytes / 100 if arguments.quick else arguments.gigabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.zarr"
        n_bytes = write_stack(path, gigabytes)
        reading = print_pass(path, rounds=1 if arguments.quick else 3)
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(path), str(Path(folder) / "result.zarr")],
            check=True,
            capture_output=True,
            text=True,
        )
    seconds, peak = (float(word) for word in child.stdout.split())
    print(
        f"{n_bytes / 1e9:.2f} GB: clustered and stored in {seconds:.1f} s"
        f" = {seconds / reading:.1f} x reading it once"
    )
    print(f"peak resident size {peak / 2**20:.2f} GiB (target 2 GiB at 6 GB)")


if __name__ == "__main__":
    main()
