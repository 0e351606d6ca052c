"""Holes of a simulated measurement: pixels and channels without a value."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SPECK_SIGMA: Final = 2.0
_SINGLE_SHARE: Final = 0.2
_BLOCK: Final = 32

Runs = tuple[NDArray[np.uint16], NDArray[np.uint16]]
"""First channel without a value, and the first with one again, of each pixel; equal = no hole."""


def draw(size: int, *, n_channels: int, share: float, rng: np.random.Generator) -> Runs:
    """Holes in a share of all pixels.

    As on an instrument, the fit fails over a range of neighbouring channels: some four fifths of them, so
    that a pixel keeps some value (with a single channel it cannot). One fifth of the pixels with holes lie
    alone, the others in specks.

    Parameters
    ----------
    size : int
        Rows and columns of the frame in pixels.
    n_channels : int
        Number of channels.
    share : float
        Share of the pixels that have holes.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    start, stop = np.zeros((2, size, size), np.uint16)
    wanted = share * size**2
    specks = _specks(size, min(1.0, 3 * share), rng)
    for ids, amount in ((specks, (1 - _SINGLE_SHARE) * wanted), (_single_pixels(size, share, rng), wanted)):
        ids[stop > start] = 0
        taken = np.count_nonzero(stop)
        _place(start, stop, ids, n_channels=n_channels, amount=amount - taken, rng=rng)
    return start, stop


def _place(
    start: NDArray[np.uint16],
    stop: NDArray[np.uint16],
    ids: NDArray[np.int64],
    *,
    n_channels: int,
    amount: float,
    rng: np.random.Generator,
) -> None:
    """Give random groups of pixels (`ids`, 0 = none) a run each until `amount` pixels have one."""
    groups, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    longest = max(1, n_channels - max(1, n_channels // 5))
    shortest = min(longest, (3 * n_channels + 3) // 4)
    lengths = rng.integers(shortest, longest + 1, len(groups))
    firsts = rng.integers(0, n_channels - lengths + 1)
    lengths[groups == 0] = 0
    order = rng.permutation(len(groups))
    beyond = np.cumsum(np.where(groups == 0, 0, counts)[order]) > amount
    lengths[order[beyond]] = 0
    inverse = inverse.reshape(ids.shape)
    new = lengths[inverse] > 0
    start[new] = firsts[inverse[new]]
    stop[new] = (firsts + lengths)[inverse[new]]


def _specks(size: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return connected specks that cover a share of the frame, cut at a coarse grid so that none is huge."""
    field = ndimage.gaussian_filter(rng.standard_normal((size, size), dtype=np.float32), _SPECK_SIGMA)
    dark = field <= np.quantile(field, share) if share > 0 else np.zeros(field.shape, bool)
    speck = ndimage.label(dark)[0].astype(np.int64)
    blocks = np.arange(size) // _BLOCK
    n_blocks = blocks[-1] + 1
    return np.where(dark, speck * n_blocks**2 + blocks[:, None] * n_blocks + blocks + 1, 0)


def _single_pixels(size: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    ids = np.arange(1, size**2 + 1).reshape(size, size)
    return np.where(rng.random((size, size), dtype=np.float32) < min(1.0, 2 * share), ids, 0)
