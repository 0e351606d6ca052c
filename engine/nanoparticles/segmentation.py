"""Segmentation of the particles of a micrograph: by their lattice, or by brightness.

A micrograph whose brightness parts clearly in two shows mass contrast, and is parted there. In the others
particles are where a lattice is, and what is dark in the same way as these.
"""

from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from scipy import ndimage

from engine import blocks
from engine.errors import InputError
from engine.nanoparticles.lattice_map import at_pixels, lattice_map, null
from engine.nanoparticles.mass_contrast import Parted, part, surface
from engine.schema import PIXEL

MASS: Final = "mass"
LATTICE: Final = "lattice"
CONTRASTS: Final = (MASS, LATTICE)

APART: Final = 3.2
"""Standard deviations between two sides from which a parting means something: noise gives 2.5 to 2.9."""
FINE: Final = 0.7
COARSE: Final = 4.0
"""Smoothings in pixels: one that leaves the dots of a lattice, one that does not."""
ALIKE: Final = 0.65
"""Overlap of the dark sides of the finely and the coarsely smoothed image from which on these are no dots."""
EVERYWHERE: Final = 0.45
"""Share of the image from which on what looks like a lattice is none: particles in rows, edges, texture."""
WINDOWS: Final = (32, 64)
"""Edges in pixels: small particles stand out in the small one, faint lattices in the large one."""
STEPS: Final = 8
"""Steps in a window."""
SMALL: Final = 160
"""Edge in pixels of micrographs that are looked at in half the step."""
TOUCHED_ABOVE: Final = 2.5
"""Standard deviations of noise above which a window may touch a lattice."""
LATTICE_ABOVE: Final = 3.0
"""Standard deviations of noise above which there is a lattice."""
KNOWN: Final = 0.5
"""Share of a part in large windows from which on small ones know better whether it is several particles."""
HALF: Final = 0.25
"""Power of a window that is half on a particle, of that of a window within it: the amplitude is half."""
DARKER: Final = 1.4
"""Standard deviations of the support by which lattices must be darker for other dark places to count."""
LEAST_LATTICE: Final = 0.01
"""Share of the image that must show a lattice for its brightness to tell more: noise shows 0.005."""
LEAST_SUPPORT: Final = 0.1
"""Share of the image that must be support for its brightness to be known."""
DUST: Final = 0.08
"""Share of a typical particle's area below which a part is dust."""
SPLIT: Final = (0.75, 0.12)
"""How deep the waist between two particles must be: in pixels, and of the largest radius."""


class Found(NamedTuple):
    """Particles of a micrograph.

    Attributes
    ----------
    objects : ndarray (y, x), int32
        Number of each pixel's particle, 0 = none.
    contrast : str
        By what they were found, one of `CONTRASTS`.
    """

    objects: np.ndarray
    contrast: str


def find_particles(image: np.ndarray, *, contrast: str = "", min_radius: float = 1.5) -> Found:
    """Find the particles of a micrograph.

    Parameters
    ----------
    image : ndarray (y, x)
        Missing values are no particles.
    contrast
        One of `CONTRASTS`; empty: as the micrograph shows.
    min_radius
        Particles smaller than a disk of this radius (pixels) are left out, and dust beside larger ones.

    Raises
    ------
    InputError
        If there is no such contrast, or the image is smaller than a window.
    """
    if contrast not in ("", *CONTRASTS):
        raise InputError(f"contrast is {contrast!r}; give one of {', '.join(CONTRASTS)}, or nothing")
    if min(image.shape) < WINDOWS[0]:
        raise InputError(
            f"the image has {' × '.join(map(str, image.shape))} pixels; give {WINDOWS[0]} or more"
        )
    known = np.isfinite(image)
    values = np.where(known, image, np.median(image[known]) if known.any() else 0).astype(np.float32)
    lattice: _Lattice | None = None
    if contrast != LATTICE:
        fine = part(values, sigma=FINE)
        if contrast == MASS or _is_plain(fine, values):
            return Found(split(fine.inside & known, min_radius=min_radius), MASS)
        lattice = _lattice(values)
        if fine.separation > APART and lattice.touched > EVERYWHERE:
            return Found(split(fine.inside & known, min_radius=min_radius), MASS)
    lattice = _lattice(values) if lattice is None else lattice
    inside = lattice.inside | _as_dark(values, lattice.inside)
    return Found(split(inside & known, min_radius=min_radius), LATTICE)


def _is_plain(fine: Parted, values: np.ndarray) -> bool:
    """Return whether brightness parts clearly, and not into the dots of a lattice."""
    if fine.separation <= APART:
        return False
    coarse = part(values, sigma=COARSE).inside
    return bool((coarse & fine.inside).sum() >= ALIKE * (coarse | fine.inside).sum())


class _Lattice(NamedTuple):
    """Mask of the lattice `(y, x)`, and the share of the image in it."""

    inside: np.ndarray
    touched: float


def _lattice(values: np.ndarray) -> _Lattice:
    """Find lattices: small windows tell where particles end, large ones add what is too faint for those."""
    small, *larger = (edge for edge in WINDOWS if edge <= min(values.shape))
    contrast = _contrast(values, small)
    inside, touched = _within(contrast, small), _open_mask(contrast > TOUCHED_ABOVE, small)
    for window in larger:
        inside = inside | _without_bridges(_within(_contrast(values, window), window), inside)
    return _Lattice(inside, float(touched.mean()))


def _without_bridges(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Return the parts of a coarse mask that join no parts of a fine one, or where the fine one is unsure."""
    parts, n_parts = ndimage.label(coarse)
    pieces, _ = ndimage.label(fine)
    joined, _ = np.unique(np.stack([parts[fine], pieces[fine]]), axis=1)
    n_pieces = np.bincount(joined, minlength=n_parts + 1)
    known = np.bincount(parts[fine], minlength=n_parts + 1)
    kept = (n_pieces < 2) | (known < KNOWN * np.bincount(parts.ravel(), minlength=n_parts + 1))
    kept[0] = False
    return np.asarray(kept[parts])


def _contrast(values: np.ndarray, window: int) -> np.ndarray:
    """Lattice contrast `(y, x)` in windows of one size, in standard deviations of noise."""
    step = window // STEPS if min(values.shape) >= SMALL else window // STEPS // 2
    around = window // 2
    padded = np.pad(values, around, mode="reflect")
    peaks = lattice_map(xr.DataArray(padded, dims=PIXEL), window=window, step=step)
    (windows,) = blocks.compute(peaks.data, doing="finding lattices")
    contrast = at_pixels(windows, padded.shape, window=window, step=step)[around:-around, around:-around]
    return np.asarray(ndimage.gaussian_filter(contrast, window / 10))


def _within(contrast: np.ndarray, window: int) -> np.ndarray:
    """Return where a lattice is, up to where only half of a window is on it."""
    ends = ndimage.maximum_filter(contrast, size=window) + np.log(HALF) / null(window)[1]
    return _open_mask((contrast > LATTICE_ABOVE) & (contrast > ends), window)


def _open_mask(mask: np.ndarray, window: int) -> np.ndarray:
    """Return a mask without what is narrower than a quarter of a window."""
    return np.asarray(ndimage.binary_opening(mask, iterations=window // 8))


def _as_dark(values: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Return the areas that differ from the support in brightness as the particles with a lattice do.

    The threshold is half way between them, the smoothing a fifth of their radius.
    """
    nothing = np.zeros_like(lattice)
    if lattice.mean() < LEAST_LATTICE:
        return nothing
    radius = float(np.quantile(ndimage.distance_transform_edt(lattice)[lattice], 0.9))
    smooth = ndimage.gaussian_filter(values, float(np.clip(radius / 5, 2, 8)))
    smooth -= surface(smooth, 1)
    support = ~ndimage.binary_dilation(lattice, iterations=max(3, int(radius / 3)))
    if support.mean() < LEAST_SUPPORT:
        return nothing
    level, inside = float(np.median(smooth[support])), float(np.median(smooth[lattice]))
    spread = 1.4826 * float(np.median(np.abs(smooth[support] - level)))
    if abs(inside - level) < DARKER * spread:
        return nothing
    beyond = (smooth - level) * np.sign(inside - level) > abs(inside - level) / 2
    return np.asarray(ndimage.binary_opening(beyond, iterations=max(2, int(radius / 4))))


def _typical(objects: np.ndarray) -> float:
    """Return the area of the particle that the middle one of all their pixels is in."""
    areas = np.sort(np.bincount(objects.ravel())[1:])
    total = np.cumsum(areas)
    return float(areas[np.searchsorted(total, total[-1] / 2)]) if areas.size else 0.0


def split(inside: np.ndarray, *, min_radius: float) -> np.ndarray:
    """Return number the particles of a mask, parting those that touch at a waist by a watershed [1]_.

    Parameters
    ----------
    inside : ndarray (y, x), bool
        Mask of the particles.
    min_radius : float
        Least radius of a particle in pixels.

    References
    ----------
    .. [1] F. Meyer, Topographic distance and watershed lines, Signal Processing 38 (1994) 113-125.
    """
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    whole = ndimage.binary_fill_holes(inside)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(whole).astype(np.float32), 1.0)
    if not whole.any():
        return np.zeros(inside.shape, np.int32)
    waist = max(SPLIT[0], SPLIT[1] * float(np.quantile(depth[whole], 0.98)))
    seeds, _ = ndimage.label(h_maxima(depth, waist), np.ones((3, 3)))  # type: ignore[no-untyped-call]
    objects = watershed(-depth, seeds, mask=whole)  # type: ignore[no-untyped-call]
    areas = np.bincount(objects.ravel())
    kept = areas >= max(np.pi * min_radius**2, DUST * _typical(objects))
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.asarray(numbers[objects])
