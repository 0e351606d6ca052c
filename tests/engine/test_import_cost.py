"""`import engine` is cheap: nothing heavy is loaded until it is used."""

import subprocess
import sys


def test_importing_the_engine_loads_nothing_heavy() -> None:
    code = (
        "import sys, engine; heavy = {'xarray', 'dask', 'sklearn', 'numba', 'panel', 'keras', 'pandas'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
