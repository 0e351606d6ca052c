"""Image formation of a scanning electron microscope.

References
----------
L. Reimer, Scanning Electron Microscopy, 2nd edition (1998): secondary yield by the tilt of a surface (chapter
4), contrast by edges and by the side of the detector (chapter 6), charging (chapter 3).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy import ndimage, signal

from engine.simulate.relief import Plane, Random, Relief

MARGIN: Final = 8
"""Pixels that are imaged beyond each edge, which the drift of the scan brings in."""
_DARKEST: Final = 0.04
"""Grey level, of 1, of no electrons."""
_MOST_SECANT: Final = 4.5
"""Beyond it the electrons of a slope find no way out."""


@dataclass(frozen=True)
class Detector:
    """Settings that all images of a sample share."""

    side: float
    """Direction from which it looks, in radians from x to y."""
    asymmetry: float
    slope: float
    """How much brighter a slope is, of 1/cos."""
    edge: float
    shadow: float
    charging: float
    name: str
    voltage: float
    """In kV."""


@dataclass(frozen=True)
class Exposure:
    """Settings of one image; lengths in pixels."""

    focus: float
    """Standard deviation of the beam."""
    astigmatism: float
    """Part of the blur that goes one way only."""
    azimuth: float
    dose: float
    """Electrons a pixel of middle grey."""
    readout: float
    """Standard deviation of the amplifier's noise, in grey levels of 1."""
    black: float
    """Share of the electrons of the darkest places that is set to black."""
    contrast: float
    drift: float
    jitter: float
    lines: float = field(default=0.0)
    """Standard deviation of the brightness from line to line."""


def draw_detector(rng: Random) -> Detector:
    """Return a microscope and its settings by chance."""
    return Detector(
        side=float(rng.choice([-np.pi / 2, 0.0, np.pi]) + rng.normal(0, 0.3)),
        asymmetry=float(rng.uniform(0.05, 0.5)),
        slope=float(rng.uniform(0.25, 0.6)),
        edge=float(rng.uniform(0.1, 0.6)),
        shadow=float(rng.uniform(0.4, 1.1)),
        charging=float(rng.uniform(0, 1) ** 3),
        name=str(rng.choice(["SE2", "InLens", "ETD", "TLD", "SE(U)"])),
        voltage=float(rng.choice([1, 2, 3, 5, 10, 15, 20])),
    )


def draw_exposure(rng: Random, *, size: int) -> Exposure:
    """Focus, dose and scan of one image by chance.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the random numbers.
    size : int
        Rows and columns of the image in pixels.
    """
    scale = max(size / 256, 0.5)
    return Exposure(
        focus=float(scale * np.exp(rng.normal(np.log(0.7), 0.25))),
        astigmatism=float(scale * rng.exponential(0.35)),
        azimuth=float(rng.uniform(0, np.pi)),
        dose=float(np.exp(rng.uniform(np.log(40), np.log(600)))),
        readout=float(rng.uniform(0.005, 0.03)),
        black=float(rng.uniform(0.1, 0.9)),
        contrast=float(rng.uniform(0.7, 1.15)),
        drift=float(rng.normal(0, 1.2)),
        jitter=float(rng.exponential(0.12)),
        lines=float(rng.exponential(0.006)),
    )


def form_image(
    relief: Relief, detector: Detector, exposure: Exposure, rng: Random, *, size: int
) -> NDArray[np.uint8]:
    """Image of a relief, (y, x), square, `MARGIN` pixels within the relief's edges.

    Parameters
    ----------
    relief : Relief
        Heights and materials.
    detector
        Settings of the detector.
    exposure
        Settings of the exposure.
    rng : numpy.random.Generator
        Source of the random numbers.
    size : int
        Rows and columns of the image in pixels.
    """
    electrons = _secondary(relief, detector)
    if relief.tilt:
        electrons = tilt_relief(electrons, relief.height, relief.tilt, n_rows=size + 2 * MARGIN)
    electrons = _blur_beam(electrons, exposure)
    if detector.charging > 0.02:
        electrons = _add_charging(electrons, detector.charging)
    electrons = _scan_lines(electrons, exposure, rng, size=size)
    low, high = np.percentile(electrons[::3, ::3], [2, 98])
    black = exposure.black * low
    grey = (electrons - np.float32(black)) * np.float32(0.82 * exposure.contrast / max(high - black, 0.5))
    return _count_electrons(grey + np.float32(_DARKEST), exposure, rng)


def tilt_relief(electrons: Plane, height: Plane, tilt: float, *, n_rows: int) -> Plane:
    """Image of a relief from the front, where it is tilted by an angle in degrees: near things hide far ones.

    A point shows in row y cos(tilt) - height sin(tilt). Of the points of a column that would show in a row,
    the nearest does; between neighbours that are far apart there is a wall, and it shows a blend of the two.

    Parameters
    ----------
    electrons : ndarray (y, x)
        Electrons in each pixel.
    height : ndarray (y, x)
        Heights in pixels.
    tilt : float
        Angle of the tilt in degrees.
    n_rows : int
        Number of rows.
    """
    n, n_columns = height.shape
    angle = np.deg2rad(tilt)
    y = np.arange(n, dtype=np.float32)[:, np.newaxis]
    seen = np.cos(angle) * y - np.sin(angle) * height
    nearest = np.minimum.accumulate(seen[::-1], axis=0)  # from the front to the back, row by row upwards
    start = np.float32((n * np.cos(angle) - n_rows) / 2 - np.sin(angle) * np.median(height))
    wanted = start + np.arange(n_rows, dtype=np.float32)
    keys = -np.clip(nearest, start - 1, start + n_rows + 1) + np.float32(4 * n_rows) * np.arange(
        n_columns, dtype=np.float64
    )
    asked = -wanted[:, np.newaxis] + np.float32(4 * n_rows) * np.arange(n_columns, dtype=np.float64)
    behind = np.searchsorted(keys.T.ravel(), asked.T.ravel()).reshape(n_columns, n_rows).T
    column = np.arange(n_columns)
    behind = np.clip(behind - column * n, 1, n - 1)  # first point from the front that is as high as the row
    before, after = nearest[behind - 1, column], nearest[behind, column]
    share = np.clip((before - wanted[:, np.newaxis]) / np.maximum(before - after, 1e-6), 0, 1)
    flipped = electrons[::-1]
    return np.asarray(flipped[behind - 1, column] * (1 - share) + flipped[behind, column] * share, np.float32)


def _secondary(relief: Relief, detector: Detector) -> Plane:
    """Secondary electrons that reach the detector, a point."""
    height = relief.height
    gy, gx = np.gradient(height)
    secant = np.sqrt(1 + gx**2 + gy**2)
    electrons = 1 + np.float32(detector.slope) * (np.minimum(secant, np.float32(_MOST_SECANT)) - 1)
    facing = gx * np.float32(np.cos(detector.side)) + gy * np.float32(np.sin(detector.side))
    electrons -= np.float32(detector.asymmetry) * facing / secant
    near = ndimage.uniform_filter(height, 5)
    electrons += np.float32(detector.edge) * np.clip((height - near) / 3, -0.3, 1)
    wide = max(9, height.shape[1] // 16 * 2 + 1)
    around = ndimage.uniform_filter(ndimage.uniform_filter(height, wide), wide)
    depth = np.clip(around - height, 0, None) / np.float32(wide)
    electrons *= relief.material / (1 + np.float32(4 * detector.shadow) * depth)
    return np.asarray(np.maximum(electrons, 0.02), np.float32)


def _blur_beam(electrons: Plane, exposure: Exposure) -> Plane:
    """As a beam sees it that is as wide as the focus, and wider along the azimuth."""
    ky = scipy.fft.fftfreq(electrons.shape[0])[:, np.newaxis].astype(np.float32)
    kx = scipy.fft.rfftfreq(electrons.shape[1]).astype(np.float32)
    along = ky * np.float32(np.sin(exposure.azimuth)) + kx * np.float32(np.cos(exposure.azimuth))
    width = np.float32(exposure.focus**2) * (ky**2 + kx**2) + np.float32(exposure.astigmatism**2) * along**2
    spectrum = scipy.fft.rfft2(electrons) * np.exp(np.float32(-2 * np.pi**2) * width)
    return np.asarray(scipy.fft.irfft2(spectrum, s=electrons.shape), np.float32)


def _add_charging(electrons: Plane, charging: float) -> Plane:
    """With a bright halo round what is bright, and a dark tail behind it along the lines of the scan."""
    bright = np.clip(electrons - 1.3 * np.median(electrons[::4, ::4]), 0, 2)
    wide = max(5, electrons.shape[1] // 24)
    halo = ndimage.uniform_filter(ndimage.uniform_filter(bright, wide), wide)
    kept = np.float32(np.exp(-1 / (0.12 * electrons.shape[1])))
    tail = signal.lfilter(np.array([1 - kept]), np.array([1, -kept]), bright, axis=1)
    return np.asarray(electrons + np.float32(charging) * (0.9 * halo - 0.8 * tail), np.float32)


def _scan_lines(electrons: Plane, exposure: Exposure, rng: Random, *, size: int) -> Plane:
    """Return the line by line, each shifted by a drift and a jitter, without the margin.

    Brightness wanders.
    """
    drift = exposure.drift * np.linspace(-1, 1, size) ** 3 + exposure.jitter * rng.standard_normal(size)
    shift = np.clip(drift, 1 - MARGIN, MARGIN - 2)
    whole = np.floor(shift).astype(np.int64)
    part = (shift - whole).astype(np.float32)[:, np.newaxis]
    column = np.arange(MARGIN, MARGIN + size) + whole[:, np.newaxis]
    rows = np.arange(MARGIN, MARGIN + size)[:, np.newaxis]
    moved = electrons[rows, column] * (1 - part) + electrons[rows, column + 1] * part
    lines = 1 + exposure.lines * rng.standard_normal((size, 1), np.float32)
    return np.asarray(moved * lines, np.float32)


def _count_electrons(grey: Plane, exposure: Exposure, rng: Random) -> NDArray[np.uint8]:
    """With the noise of electrons that are counted and of the amplifier, in 8 bits."""
    expected = np.clip(grey, 0.01, 1.6) * np.float32(2 * exposure.dose)
    counted = rng.poisson(expected).astype(np.float32) / np.float32(2 * exposure.dose)
    counted += np.float32(exposure.readout) * rng.standard_normal(grey.shape, np.float32)
    grey8: NDArray[np.uint8] = np.clip(np.rint(255 * counted), 0, 255).astype(np.uint8)
    return grey8
