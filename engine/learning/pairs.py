"""Images and the labels to learn from, one pair a frame."""

import xarray as xr

from engine.errors import InputError
from engine.preprocess.intensity import frames
from engine.schema import IMAGE


def frame_pairs(
    images: xr.Dataset, labels: xr.DataArray | None, *, learner: str
) -> list[tuple[xr.DataArray, xr.DataArray]]:
    """Return frames and their labels, each with dims (y, x); lazy.

    Parameters
    ----------
    images : Dataset, dims ([image,] y, x)
    labels : DataArray, dims ([image,] y, x)
    learner
        What learns, as the subject of a sentence.

    Raises
    ------
    InputError
        If there are no labels, or not one of each frame's shape.
    """
    if labels is None:
        raise InputError(f"{learner} learns from labels, and there are none; give the labels of the frames")
    pictures = frames(images)
    truths = (
        [labels.isel({IMAGE: n}) for n in range(labels.sizes[IMAGE])] if IMAGE in labels.dims else [labels]
    )
    if [frame.shape for frame in pictures] != [truth.shape for truth in truths]:
        raise InputError(
            f"{len(pictures)} frames of shape {pictures[0].shape} came with {len(truths)} label maps of shape"
            f" {truths[0].shape}; give one label of the same shape a frame"
        )
    return list(zip(pictures, truths, strict=True))
