"""Write the example data: `python data_example/make.py [FOLDER]`; what exists is left alone."""

import sys
from pathlib import Path

from engine.simulate.maps import Maps


def make(folder: Path) -> None:
    """Write each example folder that is not there, from seeded simulations in the true file formats."""
    target = folder / "maps"
    if target.exists():
        print(f"{target} exists")
        return
    partial = folder / "maps.partial"
    Maps(n_regions=6, size=320, n_wavelengths=11, noise=0.4, holes=0.05, seed=7).write(partial)
    partial.rename(target)
    print(f"{target} written")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
