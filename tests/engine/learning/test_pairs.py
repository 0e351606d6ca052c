"""Frames with their labels."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.learning.pairs import frame_pairs


def frames(n: int) -> xr.Dataset:
    return xr.Dataset(
        {"values": (("image", "y", "x"), np.arange(n * 6.0).reshape(n, 2, 3), {"units": "adu"})}
    )


def test_each_frame_comes_with_its_labels() -> None:
    labels = xr.DataArray(np.arange(12).reshape(2, 2, 3), dims=("image", "y", "x"))
    pairs = frame_pairs(frames(2), labels, learner="a network")
    assert len(pairs) == 2
    np.testing.assert_array_equal(pairs[1][0], np.arange(6, 12).reshape(2, 3))
    np.testing.assert_array_equal(pairs[1][1], np.arange(6, 12).reshape(2, 3))


def test_missing_labels_and_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="a network learns from labels, and there are none"):
        frame_pairs(frames(1), None, learner="a network")
    with pytest.raises(InputError, match=r"2 frames of shape .* came with 1 label maps"):
        frame_pairs(frames(2), xr.DataArray(np.zeros((2, 3)), dims=("y", "x")), learner="a network")
