"""Passes over all tiles of an image stack: exact sums for the next centroids, or labels and confidence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.cluster.assignment import assign
from engine.cluster.centroids import Grids, Totals
from engine.cluster.features import NMF, PCA, FeatureSpace
from engine.cluster.sample import check_weights
from engine.cluster.vectors import identity
from engine.schema import MASK, WEIGHTS

BAND_VALUES: Final = 2**18
"""Feature values taken at a time: they stay in a core's cache between the steps (1 MB)."""
BAND_PIXELS: Final = 2**18
"""Pixels taken at a time where nothing is copied for their features."""

CONFIDENCE_BYTES: Final = 4
"""Bytes of a pixel's confidence, a float32; its label takes one more."""

_NO_WEIGHTS: Final = np.empty(0, np.float32)


class Band(NamedTuple):
    """Some rows of a tile.

    Attributes
    ----------
    rows : slice
    values : ndarray, dims (feature, pixel), float32
        May be a view of the tile.
    linear : ndarray, dims (2, feature), float32
        Offsets and scales: the features are `(values - offset) * scale`.
    weights : ndarray, dims (pixel,), may be empty
    """

    rows: slice
    values: np.ndarray
    linear: np.ndarray
    weights: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """The features, dims (feature, pixel), float32."""
        return np.asarray((self.values - self.linear[0, :, None]) * self.linear[1, :, None])


@dataclass(frozen=True)
class PixelFeatures:
    """Plan by which the tiles of a stack become features, band by band.

    Attributes
    ----------
    space : FeatureSpace
    drop : bool
        Whether a pixel with a missing value counts as without any.
    masked, weighted : bool
        Whether the tiles of the image variables are followed by one of the mask, one of the weights.
    """

    space: FeatureSpace
    drop: bool
    masked: bool
    weighted: bool

    @classmethod
    def of(cls, images: xr.Dataset, space: FeatureSpace, *, drop: bool) -> "PixelFeatures":
        """Return how these images' tiles become features.

        Parameters
        ----------
        images : Dataset, dims ([spectral,] y, x)
            The images.
        space : FeatureSpace
            Transform from raw values to features.
        drop : bool
            Whether pixels that miss a value are left out.
        """
        return cls(space, drop, MASK in images, WEIGHTS in images)

    @property
    def min_valid(self) -> int:
        """Number of features that a pixel must have."""
        return self.space.n_features if self.drop else 1

    def arrays(self, images: xr.Dataset) -> list[da.Array]:
        """Return the Dask arrays of which tiles are given to `bands`."""
        extra = [name for name, there in ((MASK, self.masked), (WEIGHTS, self.weighted)) if there]
        return [blocks.as_tiles(images[name]) for name in (*self.space.variables, *extra)]

    def bands(self, tiles: tuple[np.ndarray, ...]) -> Iterator[Band]:
        """Yield the tile's rows, some at a time, as features and weights."""
        n_variables = len(self.space.variables)
        n_rows, n_columns = tiles[0].shape[-2:]
        as_they_are = not self.masked and self.space.is_linear(tiles[:n_variables])
        at_a_time = BAND_PIXELS if as_they_are else BAND_VALUES // self.space.n_features
        step = max(1, at_a_time // max(1, n_columns))
        for start in range(0, n_rows, step):
            rows = slice(start, start + step)
            planes = [tile[..., rows, :].reshape(-1, min(step, n_rows - start) * n_columns) for tile in tiles]
            weights = check_weights(planes[-1][0]) if self.weighted else _NO_WEIGHTS
            if as_they_are:
                yield Band(rows, planes[0], self.space.linear, weights)
            else:
                yield Band(rows, self._features(planes), identity(self.space.n_features), weights)

    def _features(self, planes: list[np.ndarray]) -> np.ndarray:
        n_variables = len(self.space.variables)
        features = self.space.apply(planes[:n_variables])
        if self.drop and self.space.kind in (PCA, NMF):
            features[:, incomplete(planes[:n_variables])] = np.nan
        if self.masked:
            features[:, planes[n_variables][0].astype(bool)] = np.nan
        return features


def incomplete(planes: list[np.ndarray] | tuple[np.ndarray, ...]) -> np.ndarray:
    """Return which pixels miss a value in any channel of any variable."""
    return np.asarray(np.logical_or.reduce([~np.isfinite(plane).all(axis=0) for plane in planes]))


def sum_clusters(
    images: xr.Dataset, pixels: PixelFeatures, centroids: np.ndarray, *, grids: Grids, doing: str
) -> Totals:
    """Return sums over the pixels nearest to each centre, in one pass; eager.

    Parameters
    ----------
    centroids : ndarray, dims (cluster, feature), float32
        In the feature space of `pixels`.
    doing : str
        What the progress report says.
    """
    reduced = blocks.reduce_tiles(
        _sum_tile,
        Totals.combined,
        *pixels.arrays(images),
        pixels=pixels,
        centroids=centroids,
        grids=grids,
    )
    (totals,) = blocks.compute(reduced, doing=doing)
    return totals  # type: ignore[no-any-return]


def _sum_tile(*tiles: np.ndarray, pixels: PixelFeatures, centroids: np.ndarray, grids: Grids) -> Totals:
    totals = Totals.zeros(*centroids.shape)
    for band in pixels.bands(tiles):
        totals.add(
            band.values,
            band.weights,
            centroids,
            grids=grids,
            min_valid=pixels.min_valid,
            linear=band.linear,
        )
    return totals


def label_pixels(
    images: xr.Dataset, pixels: PixelFeatures, centroids: np.ndarray
) -> tuple[da.Array, da.Array]:
    """Return labels and confidence of all pixels; lazy, and one task a tile for both.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    pixels
        The pixels, with their weights.
    centroids : ndarray (cluster, feature)
        Centres of the clusters.

    Returns
    -------
    labels : dask array, dims (y, x), uint8
        1 + the nearest cluster; 0 where a pixel is masked or has too few values.
    confidence : dask array, dims (y, x), float32
    """
    both = blocks.map_tiles(
        _label_tile,
        *pixels.arrays(images),
        dtype=np.uint8,
        leading=(CONFIDENCE_BYTES + 1,),
        pixels=pixels,
        centroids=centroids,
    )
    labels, confidence = (
        both.map_blocks(part, drop_axis=0, dtype=dtype, meta=np.empty((0, 0), dtype))
        for part, dtype in ((_labels, np.dtype(np.uint8)), (_confidence, np.dtype(np.float32)))
    )
    return labels, confidence


def _label_tile(*tiles: np.ndarray, pixels: PixelFeatures, centroids: np.ndarray) -> np.ndarray:
    """Return a tile's confidence and labels as bytes `(byte, y, x)`.

    One task makes both, and neither is copied.
    """
    both = np.empty((CONFIDENCE_BYTES + 1, *tiles[0].shape[-2:]), np.uint8)
    for rows, values, linear, _ in pixels.bands(tiles):
        labels, confidence = _labels(both)[rows].reshape(-1), _confidence(both)[rows].reshape(-1)
        assign(values, centroids, pixels.min_valid, labels, confidence, linear)
    return both


def _labels(both: np.ndarray) -> np.ndarray:
    return np.asarray(both[CONFIDENCE_BYTES])


def _confidence(both: np.ndarray) -> np.ndarray:
    whole = np.ascontiguousarray(both[:CONFIDENCE_BYTES])
    return whole.reshape(-1).view(np.float32).reshape(both.shape[-2:])
