"""Write the example data: `python data_example/make.py [FOLDER]`; what exists is left alone."""

import sys
from pathlib import Path

from engine.simulate.ellipsometry_maps import Maps
from engine.simulate.hrtem import Hrtem
from engine.simulate.mosaic import Mosaic
from engine.simulate.sem import Sem
from engine.simulate.spectra import Spectra

EXAMPLES = {
    "maps": Maps(n_regions=6, size=320, n_wavelengths=11, noise=0.4, holes=0.05, seed=7),
    "mosaic": Mosaic(size=1024, n_frames=3, seed=7),
    "hrtem": Hrtem(size=512, n_frames=6, pixel_size=0.05, empty=0.0, seed=7),
    "sem": Sem(n_images=60, images_per_parent=2, seed=7),
    "spectra": Spectra(n_regions=4, size=256, n_channels=64, seed=7),
}
"""Simulators, in the true file formats, by the name of the folder they write."""


def make(folder: Path) -> None:
    """Write each example folder that is not there."""
    for name, simulator in EXAMPLES.items():
        target = folder / name
        if target.exists():
            print(f"{target} exists")
            continue
        partial = folder / f"{name}.partial"
        simulator.write(partial)
        partial.rename(target)
        print(f"{target} written")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
