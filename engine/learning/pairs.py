"""Images and the labels to learn from, one pair a frame."""

import xarray as xr

from engine.errors import InputError
from engine.preprocess.intensity import intensity
from engine.schema import IMAGE, image_variables


def frame_pairs(
    images: xr.Dataset, labels: xr.DataArray | None, *, learner: str
) -> list[tuple[xr.DataArray, xr.DataArray]]:
    """Frames and their labels, each with dims (y, x); lazy.

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
    frames = _frames(images[image_variables(images)[0]]) if IMAGE in images.dims else [intensity(images)]
    truths = _frames(labels)
    if [frame.shape for frame in frames] != [truth.shape for truth in truths]:
        raise InputError(
            f"{len(frames)} frames of shape {frames[0].shape} came with {len(truths)} label maps of shape"
            f" {truths[0].shape}; give one label of the same shape a frame"
        )
    return list(zip(frames, truths, strict=True))


def _frames(planes: xr.DataArray) -> list[xr.DataArray]:
    if IMAGE not in planes.dims:
        return [planes]
    return [planes.isel({IMAGE: n}) for n in range(planes.sizes[IMAGE])]
