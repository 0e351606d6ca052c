"""Seams: pixels where two tilings of a frame give different labels."""

from typing import NamedTuple

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.preprocess.intensity import intensity
from engine.unet.model import UNetModel
from engine.unet.predict_tiles import background, segment


class SeamReport(NamedTuple):
    """Differences between the labels of two tilings of one frame.

    Attributes
    ----------
    n_pixels : int
        Of the frame.
    n_different : int
        Pixels whose label depends on the tiling.
    largest_margin : float
        Largest confidence (best minus second probability) of these pixels; 0 without any.
    positions : ndarray, dims (pixel, 2)
        Rows and columns of the first of them.
    """

    n_pixels: int
    n_different: int
    largest_margin: float
    positions: np.ndarray

    @property
    def share(self) -> float:
        """Share of the pixels that differ."""
        return self.n_different / max(1, self.n_pixels)


def seam_report(
    model: UNetModel,
    images: xr.Dataset,
    *,
    tiles: tuple[int, int] = (1024, 512),
    runtime: str = "keras",
    n_positions: int = 1000,
) -> SeamReport:
    """Segment a frame with two sizes of tiles and compare the labels of the network; eager.

    Parameters
    ----------
    model
        A trained U-Net.
    images : Dataset, dims (y, x)
    tiles
        Longest edges of the tiles, in pixels.
    runtime
        One of `runtimes.RUNTIMES`.
    n_positions
        How many positions are told at most.
    """
    frame = blocks.as_tiles(intensity(images))
    found, network = background(frame), model.to_network()
    first, second = (segment(frame, network, found, tile=tile, runtime=runtime) for tile in tiles)
    aligned = second.labels.rechunk(first.labels.chunks)
    different = first.labels != aligned
    margin = da.where(different, first.confidence, 0).max()
    places, largest = blocks.compute(different, margin, doing="comparing tilings")
    positions = np.argwhere(places)
    return SeamReport(places.size, len(positions), float(largest), positions[:n_positions])
