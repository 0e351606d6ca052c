""""""

import subprocess
import sys
from pathlib import Path

import pytest

STREAM = """
import sys, dask, dask.array as da, xarray as xr
from engine.export.store import write_result

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

def tree(side):
    noise = da.random.default_rng(0).random((side, side), chunks=1024, dtype="f4")
    kinds = {"labels": "u1", "confidence": "f4"}
    maps = {name: (("y", "x"), (noise * 9).astype(kind)) for name, kind in kinds.items()}
    return xr.DataTree(xr.Dataset(maps))

dask.config.set(num_workers=2)
write_result(tree(1024), sys.argv[1] + "/warm.zarr")
before = peak()
write_result(tree(8192), sys.argv[1] + "/large.zarr")
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of the memory is read from /proc")
def test_maps_are_streamed_and_never_whole_in_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) < 128  # MiB, for maps of 64 + 256 MiB
