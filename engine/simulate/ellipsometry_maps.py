"""Imaging-ellipsometry maps of hBN flakes and oxide steps on a silicon wafer, with the true zones.

Every zone has its films; their Delta and Psi spectra come from `thinfilm`. Noise, an uneven illumination and
holes are added per channel, so that a stack of any size is made one map at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import param
import xarray as xr
from numpy.typing import NDArray

from engine import progress
from engine.analysis import Settings
from engine.schema import ANGLE, DELTA, LABEL, LABELS, PIXEL, PSI, WAVELENGTH, X, Y, label_map
from engine.simulate import ep4, films, holes, zone_layout
from engine.simulate.folders import filling

WAVELENGTHS: Final = (550.0, 800.0)
INCIDENCE: Final = 50.0
INCIDENCES: Final = (40.0, 70.0)
ANGLE_SCAN_WAVELENGTH: Final = 632.8
TRUTH: Final = "truth.npz"
NAME: Final = "simulated_maps"


@dataclass(frozen=True)
class Scene:
    """A sample before it is measured: zones by falling area (labels 1...n) and their spectra in deg."""

    labels: NDArray[np.uint8]
    names: list[str]
    axis: NDArray[np.float64]
    delta: NDArray[np.float64]
    psi: NDArray[np.float64]
    missing: holes.Runs
    ramp: NDArray[np.float32]


class Maps(Settings):
    """Simulated Delta and Psi maps over wavelength or angle of incidence, with their truth."""

    n_regions = param.Integer(5, bounds=(1, 32), doc="Number of distinct zones, the substrate included.")
    size = param.Integer(256, bounds=(8, 32768), doc="Rows and columns of a map in pixels.")
    n_wavelengths = param.Integer(11, bounds=(1, 500), doc="Number of wavelengths (or angles of incidence).")
    noise = param.Number(0.5, bounds=(0, 45), doc="Standard deviation of each Delta and Psi value in deg.")
    holes = param.Number(0.05, bounds=(0, 0.5), doc="Share of the pixels that lack values, at most channels.")
    gradient = param.Number(
        0.0,
        bounds=(0, 1),
        doc="Uneven illumination: share by which tan Psi grows across the frame; Delta grows by as many rad.",
    )
    scan = param.Selector(
        default=WAVELENGTH, objects=[WAVELENGTH, ANGLE], doc="What varies between the maps."
    )
    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    def images(self) -> tuple[xr.Dataset, xr.Dataset]:
        """Make the maps in memory.

        Returns
        -------
        images : Dataset
            `delta`, `psi` (wavelength or angle, y, x) in deg, float32.
        truth : Dataset
            `labels` (y, x), 1...n by falling area; `name`, `delta`, `psi` of each label.
        """
        scene = self._scene()
        stack = np.empty((2, self.n_wavelengths, self.size, self.size), np.float32)
        for i in range(self.n_wavelengths):
            stack[:, i] = self._measure(scene, i)
            progress.report((i + 1) / self.n_wavelengths, "simulating maps")
        coords = {str(self.scan): self._axis_coordinate(scene), **_pixel_coordinates(self.size)}
        dims = (str(self.scan), *PIXEL)
        variables = {
            name: (dims, values, _attrs(name)) for name, values in zip((DELTA, PSI), stack, strict=True)
        }
        return xr.Dataset(variables, coords, {"title": self._comment()}), self._truth(scene)

    def write(self, folder: str | Path) -> Path:
        """Write the maps as an EP4 measurement folder with `truth.npz` beside them.

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        with filling(folder, what="maps") as target:
            self._write(target)
        return target

    def _write(self, folder: Path) -> None:
        scene = self._scene()
        rows = []
        for i in range(self.n_wavelengths):
            files = [f"{NAME}_{2 * i + part:03d}.png" for part in (1, 2)]
            for file, values in zip(files, self._measure(scene, i), strict=True):
                ep4.write_map(folder / file, values)
            rows.append((*self._condition(scene.axis[i]), files[0], files[1]))
            progress.report((i + 1) / self.n_wavelengths, "writing simulated maps")
        truth: dict[str, Any] = {LABELS: scene.labels, "names": np.array(scene.names)}
        truth |= {DELTA: scene.delta, PSI: scene.psi, str(self.scan): scene.axis}
        np.savez_compressed(folder / TRUTH, **truth)
        kind = "Lambda_Spectrum" if self.scan == WAVELENGTH else "AOI_Spectrum"
        ep4.write_description(
            folder / f"{NAME}.dsinfo.xml",
            kind=f"Delta|Psi::Map::{kind}",
            comment=self._comment(),
            properties={"sample_family_name": NAME, "objective": "simulated", "delta_wrapping": "0-360°"},
        )
        ep4.write_table(folder / f"{NAME}.ds.dat", rows)

    def _condition(self, value: float) -> tuple[float, float]:
        """Wavelength in nm and angle of incidence in deg at a point of the axis."""
        return (value, INCIDENCE) if self.scan == WAVELENGTH else (ANGLE_SCAN_WAVELENGTH, value)

    def _comment(self) -> str:
        """Return what the sample is, in one sentence."""
        return (
            f"simulated hBN on SiO2 on Si, {self.n_regions} zones, noise {self.noise:g} deg, seed {self.seed}"
        )

    def _axis_coordinate(self, scene: Scene) -> xr.Variable:
        return xr.Variable(self.scan, scene.axis, _attrs(str(self.scan)))

    def _truth(self, scene: Scene) -> xr.Dataset:
        values = np.arange(1, self.n_regions + 1, dtype=np.uint8)
        labels = xr.DataArray(scene.labels, _pixel_coordinates(self.size), PIXEL)
        names = dict(zip(values.tolist(), scene.names, strict=True))
        spectra = {
            name: ((LABEL, str(self.scan)), spectrum, _attrs(name))
            for name, spectrum in ((DELTA, scene.delta), (PSI, scene.psi))
        }
        coords = {LABEL: (LABEL, values, {"units": "1"}), str(self.scan): self._axis_coordinate(scene)}
        truth = xr.Dataset({"name": (LABEL, np.array(scene.names)), **spectra}, coords)
        return truth.assign({LABELS: label_map(labels, names)})

    def _scene(self) -> Scene:
        """Draw the sample: layout, films, numbering by falling area, holes, illumination."""
        rng = np.random.default_rng(self.seed)
        shapes = zone_layout.draw(self.n_regions, rng)
        ends = WAVELENGTHS if self.scan == WAVELENGTH else INCIDENCES
        # EP4 tables give wavelengths to 0.1 nm and angles to 0.001 deg
        axis = np.round(np.linspace(*ends, self.n_wavelengths), 1 if self.scan == WAVELENGTH else 3)
        wavelength, incidence = np.array([self._condition(value) for value in axis]).T
        sample = films.draw(
            zone_layout.kinds(self.n_regions), wavelength=wavelength, incidence=incidence, rng=rng
        )
        zones = zone_layout.render(shapes, self.size)
        order = np.argsort(-np.bincount(zones.ravel(), minlength=self.n_regions), kind="stable")
        rank = np.empty(self.n_regions, np.uint8)
        rank[order] = np.arange(1, self.n_regions + 1)
        missing = holes.draw(self.size, n_channels=self.n_wavelengths, share=self.holes, rng=rng)
        names = [sample.names[i] for i in order]
        ramp = _ramp(self.size, rng)
        return Scene(rank[zones], names, axis, sample.delta[order], sample.psi[order], missing, ramp)

    def _measure(self, scene: Scene, i: int) -> NDArray[np.float32]:
        """Delta and Psi maps of one channel, (2, y, x): illumination, noise, holes."""
        rng = np.random.default_rng((self.seed, i))
        noise = self.noise * rng.standard_normal((2, self.size, self.size), dtype=np.float32)
        zone = scene.labels - 1
        delta, psi = scene.delta[:, i].astype(np.float32)[zone], scene.psi[:, i].astype(np.float32)[zone]
        if self.gradient:
            gain = np.float32(self.gradient) * scene.ramp
            psi = np.rad2deg(np.arctan(np.tan(np.deg2rad(psi)) * np.exp(gain)))
            delta = delta + np.rad2deg(gain)
        delta = (delta + noise[0]) % np.float32(360)
        delta[delta >= 360] = 0  # the remainder of a tiny negative number rounds up to 360
        psi = 90 - np.abs(90 - np.abs(psi + noise[1]) % 180)  # beyond an end of Psi's range: folded back
        start, stop = scene.missing
        maps = np.stack([delta, psi]).astype(np.float32)
        maps[:, (start <= i) & (i < stop)] = np.nan
        return maps


def _ramp(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return plane over the frame from -1/2 to 1/2 along a random direction."""
    bearing = rng.uniform(0, 2 * np.pi)
    along = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    plane = np.cos(bearing) * along[:, None] + np.sin(bearing) * along[None, :]
    return np.asarray(plane / (2 * np.abs(plane).max()), np.float32)


def _attrs(name: str) -> dict[str, str]:
    units = {WAVELENGTH: "nm"}.get(name, "deg")
    long_names = {DELTA: "Delta", PSI: "Psi", WAVELENGTH: "wavelength", ANGLE: "angle of incidence"}
    return {"units": units, "long_name": long_names[name]}


def _pixel_coordinates(size: int) -> dict[str, xr.Variable]:
    return {name: xr.Variable(name, np.arange(size, dtype=float), {"units": "px"}) for name in (Y, X)}
