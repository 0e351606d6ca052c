"""A frame of 16384 x 16384 segmented and stored, its objects catalogued, in a fresh process: memory, rate.

    python benchmarks/unet_large.py [--size 16384]

The frame repeats a simulated one; it is written as FITS and opened lazily. The child process reports its peak
resident size (VmHWM) and the seconds of the run and of saving.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.io import fits

TILE = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=16384)
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child is not None:
        segment(options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.fits"
        write(frame, options.size)
        subprocess.run([sys.executable, __file__, "--child", str(frame)], check=True)


def write(path: Path, size: int) -> None:
    """Write a frame row of tiles by row of tiles."""
    from engine.simulate.mosaic import Mosaic

    tile = Mosaic(size=TILE, seed=3).frame(0).image
    header = fits.PrimaryHDU(tile).header
    header["NAXIS1"], header["NAXIS2"] = size, size
    band = np.tile(tile, (1, -(-size // TILE)))[:, :size]
    stream = fits.StreamingHDU(path, header)
    for row in range(0, size, TILE):
        stream.write((band[: min(TILE, size - row)].astype(np.int32) - 2**15).astype(">i2"))
    stream.close()


def segment(frame: Path) -> None:
    """Run and store, and say what it took."""
    import engine

    began = time.monotonic()
    result = engine.run("unet", engine.open(frame))
    ran = time.monotonic() - began
    engine.save(result, frame.with_name("out.zarr"))
    stored = time.monotonic() - began - ran
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) / 2**20 for line in status.splitlines() if line.startswith("VmHWM"))
    n, objects = result["labels"].size / 1e6, result["object_table"].sizes["object"]
    print(f"{n:.0f} Mpx, {objects} objects: {ran:.0f} s, {n / ran:.1f} Mpx/s; stored in {stored:.0f} s")
    print(f"peak resident size {peak:.2f} GiB")


if __name__ == "__main__":
    main()
