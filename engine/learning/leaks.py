"""Leaks: copies of an example on both sides of a split, and features that tell the row instead of the object.

Copies are found whichever of the eight symmetries of the square they were turned or mirrored by, and also if
their brightness, contrast or noise was changed a little: they share the noise of the picture they were made
of, which two pictures of equal objects do not. Descriptors that do not change with the symmetries give the
nearest neighbours, which are then compared pixel by pixel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]

SIDE: Final = 48
"""Rows and columns of the thumbnails that are compared."""
FAINT: Final = 0.02
"""Noise, in standard deviations of a thumbnail, that is nothing to tell copies by."""
ALIKE: Final = 0.75
"""Correlation of two whitened thumbnails from which on they are copies."""
N_TEMPLATES: Final = 128
"""Crops that all others are described by."""
N_NEAREST: Final = 10
"""Neighbours of each crop that are compared with it."""
N_TOGETHER: Final = 1024
"""Crops that are described or compared at once."""
IN_ORDER: Final = 0.99
"""Correlation of ranks with the row number from which on a feature is like an index."""
IN_ORDER_WITHIN: Final = 0.9
"""The same within the classes."""
FEWEST_ROWS: Final = 10
"""Rows from which on an order is not chance: of 10, only rows in order correlate by more than 0.99."""


class Copies(NamedTuple):
    """Pairs of rows on different sides of a split that hold the same picture, the most alike first."""

    first: Numbers
    second: Numbers
    correlation: Vectors


@dataclass(frozen=True, eq=False)
class Leaks:
    """Copies and telling features that were found; no leak if there are none."""

    copies: Copies
    features: tuple[str, ...]
    n_crops: int

    @property
    def n_copied(self) -> int:
        """Number of crops that have a copy on another side of the split."""
        return int(np.union1d(self.copies.first, self.copies.second).size)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each leak as a sentence for the user, what to do included."""
        found = []
        if self.copies.first.size:
            first, second = int(self.copies.first[0]), int(self.copies.second[0])
            found.append(
                f"{self.n_copied} of {self.n_crops} crops are copies, maybe turned or mirrored, of one on"
                f" another side of the split (such as numbers {first} and {second}); keep the copies of an"
                " object in one part, or leave all but one out"
            )
        if self.features:
            found.append(
                f"the features {', '.join(self.features)} follow the order of the rows like an index; leave"
                " them out, or shuffle the rows if they are only sorted by them"
            )
        return tuple(found)


def check(
    crops: Sequence[ArrayLike] | NDArray[Any],
    parts: ArrayLike,
    *,
    features: ArrayLike | None = None,
    names: Sequence[str] = (),
    classes: ArrayLike | None = None,
) -> Leaks:
    """Look for copies across a split and for features that are like an index.

    Parameters
    ----------
    crops : dims (object, y, x), or a sequence of images (y, x)
        In the order in which the objects were read.
    parts : array, dims (object)
        Side of the split of each.
    features : float, dims (object, feature), optional
    names
        Of the features.
    classes : array, dims (object), optional

    Raises
    ------
    InputError
        If the numbers of crops, parts, features, names and classes do not fit.

    Examples
    --------
    >>> crops = np.random.default_rng(0).random((30, 64, 64))
    >>> crops[20] = np.rot90(crops[3])
    >>> check(crops, [0] * 15 + [1] * 15).sentences[0][:38]
    '2 of 30 crops are copies, maybe turned'
    """
    copies = duplicates(crops, parts)
    suspects = () if features is None else index_like(features, names, classes=classes)
    return Leaks(copies, suspects, len(crops))


def refuse(leaks: Leaks) -> None:
    """Raise if there are leaks.

    Raises
    ------
    InputError
        With one sentence on all that leaks and what to do.
    """
    if leaks.sentences:
        raise InputError("held-out figures would be too good: " + "; and ".join(leaks.sentences))


def duplicates(
    crops: Sequence[ArrayLike] | NDArray[Any], parts: ArrayLike, *, threshold: float = ALIKE, seed: int = 0
) -> Copies:
    """Pairs of crops on different sides of a split that are copies of each other.

    A copy may have additional noise up to about three quarters of the picture's own. One that was shifted or
    scaled is not found, of a crop with more copies than neighbours are looked at not all, and a crop of one
    grey value is no copy of anything. In pictures almost without noise, below a fiftieth of the contrast,
    objects of equal outlines may pass for copies.

    Parameters
    ----------
    crops : dims (object, y, x), or a sequence of images (y, x)
        NaN counts as the mean of its crop.
    parts : array, dims (object)
        Side of the split of each.
    threshold
        Correlation of two thumbnails from which on they are copies.
    seed
        Of the choice of crops that the others are described by.

    Raises
    ------
    InputError
        If there is not one part for each crop, or a crop is no image.

    References
    ----------
    Descriptors, the correlations with templates under each symmetry in order of size: J. Cahill,
    J. W. Iverson, D. G. Mixon, D. Packer, Group-invariant max filtering, arXiv:2205.14039 (2022).

    Examples
    --------
    >>> crops = np.random.default_rng(0).random((6, 32, 32))
    >>> crops[5] = 0.5 * np.rot90(crops[1])[::-1] + 7
    >>> duplicates(crops, [0, 0, 0, 1, 1, 1])[:2]
    (array([1]), array([5]))
    """
    sides = np.asarray(parts)
    if sides.shape != (len(crops),):
        raise InputError(
            f"there are {len(crops)} crops, the parts have the shape {sides.shape}; give one for each crop"
        )
    thumbnails = _thumbnails(crops)
    descriptors = _descriptors(thumbnails, np.random.default_rng(seed))
    pairs = [_verify_pairs(thumbnails, found, threshold) for found in _candidates(descriptors, sides)]
    rows = np.concatenate([np.empty((0, 2), np.int64), *(found for found, _ in pairs)])
    correlation = np.concatenate([np.empty(0, np.float32), *(value for _, value in pairs)])
    rows, kept = np.unique(rows, axis=0, return_index=True)
    correlation = correlation[kept]
    order = np.lexsort([rows[:, 1], rows[:, 0], -correlation])
    return Copies(rows[order, 0], rows[order, 1], correlation[order])


def index_like(
    features: ArrayLike, names: Sequence[str], *, classes: ArrayLike | None = None
) -> tuple[str, ...]:
    """Return the names of the features that look like the number of the row.

    They are those whose values all differ and rise or fall with the row, and, if the classes are given, those
    that do so within the classes: where the rows are in the order of their classes, a feature that tells the
    class follows the row within a class only if it tells the row as well.

    Parameters
    ----------
    features : float, dims (object, feature)
        In the order in which the objects were read.
    names
        Of the features.
    classes : array, dims (object), optional

    Raises
    ------
    InputError
        If there is not one name for each feature, or one class for each object.

    References
    ----------
    C. Spearman, Am. J. Psychol. 15 (1904) 72 (correlation of ranks).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> index_like(np.column_stack([rng.random(50), np.arange(50) * 3.0]), ["area", "id"])
    ('id',)
    """
    table = np.asarray(features, np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise InputError(
            f"the features have the shape {table.shape} and {len(names)} names; give dims (object, feature)"
            " and a name for each feature"
        )
    kinds = np.zeros(len(table), int) if classes is None else np.asarray(classes)
    if kinds.shape != (len(table),):
        raise InputError(
            f"there are {len(table)} objects, the classes have the shape {kinds.shape}; give one for each"
            " object"
        )
    return tuple(
        name
        for name, values in zip(names, table.T, strict=True)
        if _follows(values) or (classes is not None and _follows_within(values, kinds))
    )


def _follows(values: NDArray[np.float64]) -> bool:
    finite = np.isfinite(values)
    distinct = np.unique(values[finite]).size == finite.sum()
    return bool(distinct and _order(values) >= IN_ORDER)


def _follows_within(values: NDArray[np.float64], kinds: NDArray[Any]) -> bool:
    """Return whether the values follow the rows in the mean over the classes, weighted by their sizes."""
    groups = [values[kinds == kind] for kind in np.unique(kinds)]
    groups = [group for group in groups if np.isfinite(group).sum() >= FEWEST_ROWS]
    if not groups:
        return False
    return bool(np.average([_order(g) for g in groups], weights=[g.size for g in groups]) >= IN_ORDER_WITHIN)


def _order(values: NDArray[np.float64]) -> float:
    """Absolute correlation of the ranks of the finite values with the row; 0 for too few or equal ones."""
    from scipy.stats import rankdata

    finite = values[np.isfinite(values)]
    if finite.size < FEWEST_ROWS or (finite == finite[0]).all():
        return 0.0
    return float(abs(np.corrcoef(rankdata(finite), np.arange(finite.size))[0, 1]))


def _thumbnails(crops: Sequence[ArrayLike] | NDArray[Any]) -> Vectors:
    """Whitened thumbnails of mean 0 and length 1, flat ones 0; dims (object, y, x)."""
    small = np.empty((len(crops), SIDE, SIDE), np.float32)
    for n, crop in enumerate(crops):
        image = np.asarray(crop, np.float64)
        if image.ndim != 2 or not image.size:
            raise InputError(f"crop {n} has the shape {image.shape}; give images with dims (y, x)")
        finite = np.isfinite(image)
        middle = image[finite].mean() if finite.any() else 0.0
        rows, columns = map(_reduction, image.shape)
        small[n] = rows @ np.where(finite, image - middle, 0) @ columns.T
    return _of_length_1(_whiten_spectra(_of_length_1(small)))


def _whiten_spectra(images: Vectors) -> Vectors:
    """Return the images with spatial frequencies weighted to be equally strong in the mean of all images.

    Outlines and shading, which are alike in different objects, are strong at few frequencies; noise and
    details, which only a copy shares, are at all of them. Those below the usual strength are not raised.
    """
    blocks = range(0, len(images), N_TOGETHER)
    power = np.zeros((SIDE, SIDE))
    for start in blocks:
        power += np.square(np.abs(np.fft.fft2(images[start : start + N_TOGETHER]))).sum(axis=0)
    power /= max(1, len(images))
    back = -np.arange(SIDE) % SIDE
    power = (power + power[back] + power[:, back] + power[back][:, back]) / 4
    power = (power + power.T) / 2
    weights = 1 / np.sqrt(power + max(float(np.median(power)), FAINT**2))
    found = np.empty_like(images)
    for start in blocks:
        spectrum = np.fft.fft2(images[start : start + N_TOGETHER])
        found[start : start + N_TOGETHER] = np.fft.ifft2(spectrum * weights.astype(np.float32)).real
    return found


def _of_length_1(images: NDArray[Any]) -> Vectors:
    centred = images - images.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=(1, 2), keepdims=True))
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-6), np.float32)


@lru_cache(maxsize=64)
def _reduction(n_pixels: int) -> NDArray[np.float64]:
    """Matrix `(SIDE, n_pixels)` that averages over equal stretches, parts of a pixel counted as such."""
    edges = np.linspace(0, n_pixels, SIDE + 1)
    pixels = np.arange(n_pixels)
    inside = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(np.clip(inside, 0, None) * SIDE / n_pixels)


def _symmetries(images: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the images turned by each multiple of 90 degrees, and their mirror images."""
    for turned in (images, images[:, :, ::-1]):
        for n_quarters in range(4):
            yield np.rot90(turned, n_quarters, axes=(1, 2))


def _descriptors(thumbnails: Vectors, rng: np.random.Generator) -> Vectors:
    """Correlations with some crops under the eight symmetries, each eight in order: `(object, number)`."""
    n_crops = len(thumbnails)
    chosen = rng.choice(n_crops, min(n_crops, N_TEMPLATES), replace=False)
    orbits = np.stack([t.reshape(len(chosen), SIDE**2) for t in _symmetries(thumbnails[chosen])], axis=1)
    flat = thumbnails.reshape(n_crops, SIDE**2)
    columns = orbits.reshape(8 * len(chosen), SIDE**2).T
    found = np.empty((n_crops, columns.shape[1]), np.float32)
    for start in range(0, n_crops, N_TOGETHER):
        responses = (flat[start : start + N_TOGETHER] @ columns).reshape(-1, len(chosen), 8)
        found[start : start + N_TOGETHER] = np.sort(responses, axis=2).reshape(
            len(responses), columns.shape[1]
        )
    return found


def _candidates(descriptors: Vectors, sides: NDArray[Any]) -> Iterator[Numbers]:
    """Yield the rows of crops and of each's nearest on other sides, `(pair, 2)`, for some crops at once.

    The numbers of any two sides differ in a binary digit: one search a digit meets every pair of sides.
    """
    from sklearn.neighbors import NearestNeighbors

    numbers = np.unique(sides, return_inverse=True)[1]
    for digit in range(int(numbers.max(initial=0)).bit_length()):
        here, there = (np.flatnonzero(numbers >> digit & 1 == side) for side in (0, 1))
        # The few look among the many: each crop has only so many neighbours.
        few, many = sorted((here, there), key=len)
        search = NearestNeighbors(n_neighbors=min(N_NEAREST, len(many)), algorithm="brute").fit(
            descriptors[many]
        )
        for start in range(0, len(few), N_TOGETHER):
            asking = few[start : start + N_TOGETHER]
            near = many[search.kneighbors(descriptors[asking], return_distance=False)]
            yield np.sort(np.column_stack([np.repeat(asking, near.shape[1]), near.ravel()]), axis=1)


def _verify_pairs(thumbnails: Vectors, pairs: Numbers, threshold: float) -> tuple[Numbers, Vectors]:
    """Those of the pairs that are copies, and their correlation under the best symmetry."""
    best = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), N_TOGETHER):
        first, second = (thumbnails[rows] for rows in pairs[start : start + N_TOGETHER].T)
        found = [np.einsum("nyx,nyx->n", first, turned) for turned in _symmetries(second)]
        best[start : start + N_TOGETHER] = np.max(found, axis=0)
    alike = best >= threshold
    return pairs[alike], best[alike]
