"""Photoluminescence maps: a peak of its own in each zone of a sample, with the truth of every pixel."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import param
import xarray as xr

from engine import progress
from engine.analysis import Settings
from engine.schema import LABELS, PIXEL, WAVELENGTH, X, Y
from engine.simulate import zone_layout
from engine.simulate.folders import filling

WAVELENGTHS: Final = (600.0, 700.0)
"""First and last wavelength in nm."""
POSITIONS: Final = (625.0, 675.0)
"""Positions of the peaks in nm: those of the zones are spread over this range."""
STRAIN: Final = 2.0
"""Shift of the peaks from the left to the right edge of the frame in nm, as strain gives."""
WIDTHS: Final = (8.0, 16.0)
"""Full widths at half maximum in nm, drawn for each zone."""
HEIGHTS: Final = (100.0, 300.0)
"""Heights in counts, drawn for each zone."""
BACKGROUND: Final = 20.0
COUNTS: Final = "counts"
FILE: Final = "map.nc"
TRUTH: Final = "truth.npz"
FOUR_LN_2: Final = 4.0 * np.log(2.0)


class Spectra(Settings):
    """Simulated photoluminescence maps, a Gaussian peak in each pixel, with their truth."""

    n_regions = param.Integer(4, bounds=(1, 32), doc="Number of distinct zones, the substrate included.")
    size = param.Integer(128, bounds=(8, 4096), doc="Rows and columns of the map in pixels.")
    n_channels = param.Integer(64, bounds=(16, 2048), doc="Number of wavelengths.")
    exposure = param.Number(
        1.0, bounds=(0.01, 1000), doc="Exposure; counts, and with them the signal to noise, grow with it."
    )
    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    def images(self) -> tuple[xr.Dataset, xr.Dataset]:
        """Make the map in memory.

        Returns
        -------
        images : Dataset
            `counts` (wavelength, y, x), float32, with the noise of counting (Poisson).
        truth : Dataset
            `labels` (y, x), 0 = substrate; `position` and `width` in nm and `height` in counts, all (y, x).
        """
        rng = np.random.default_rng(self.seed)
        truth = self._draw_truth(rng)
        wavelength = np.linspace(*WAVELENGTHS, self.n_channels)
        counts = np.empty((self.n_channels, self.size, self.size), np.float32)
        position, width, height = (truth[name].values for name in ("position", "width", "height"))
        for i, place in enumerate(wavelength):
            peak = height * np.exp(-FOUR_LN_2 * ((place - position) / width) ** 2)
            counts[i] = rng.poisson(peak + BACKGROUND * self.exposure)
            progress.report((i + 1) / self.n_channels, "simulating spectra")
        coords = {
            WAVELENGTH: xr.Variable(WAVELENGTH, wavelength, {"units": "nm", "long_name": "wavelength"}),
            **{
                name: xr.Variable(name, np.arange(self.size, dtype=float), {"units": "px"}) for name in (Y, X)
            },
        }
        title = f"simulated photoluminescence, {self.n_regions} zones, seed {self.seed}"
        variables = {COUNTS: ((WAVELENGTH, *PIXEL), counts, {"units": "1", "long_name": "counts"})}
        return xr.Dataset(variables, coords, {"title": title}), truth

    def write(self, folder: str | Path) -> Path:
        """Write the map as `map.nc` (netCDF) with `truth.npz` beside it.

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        images, truth = self.images()
        with filling(folder, what="spectra") as target:
            images.to_netcdf(target / FILE, engine="h5netcdf")
            maps: dict[str, Any] = {str(name): truth[name].values for name in truth}
            np.savez_compressed(target / TRUTH, **maps)
        return target

    def _draw_truth(self, rng: np.random.Generator) -> xr.Dataset:
        """Draw the zones, and the peak of each."""
        zones = zone_layout.render(zone_layout.draw(self.n_regions, rng), self.size)
        position = rng.permutation(np.linspace(*POSITIONS, self.n_regions))
        width, height = rng.uniform(*WIDTHS, self.n_regions), rng.uniform(*HEIGHTS, self.n_regions)
        shift = STRAIN * np.linspace(-0.5, 0.5, self.size)
        return xr.Dataset(
            {
                LABELS: (PIXEL, zones),
                "position": (PIXEL, position[zones] + shift, {"units": "nm"}),
                "width": (PIXEL, width[zones], {"units": "nm"}),
                "height": (PIXEL, self.exposure * height[zones], {"units": "1"}),
            }
        )
