"""One plane of brightness from frames, colour pictures and collections."""

import json

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.preprocess.intensity import frames, intensity


def images(*dims: str, shape: tuple[int, ...], **attrs: object) -> xr.Dataset:
    data = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    return xr.Dataset({"values": (dims, data, {"units": "1"})}, attrs=attrs)


def test_a_single_frame_is_its_own_intensity() -> None:
    plain = images("y", "x", shape=(2, 3))
    assert intensity(plain).identical(plain["values"])


def test_colours_are_weighted_as_the_eye_does() -> None:
    picture = images("channel", "y", "x", shape=(3, 1, 1))
    assert float(intensity(picture)[0, 0]) == pytest.approx(0.587 * 1 + 0.114 * 2)


def test_a_palette_is_looked_up() -> None:
    picture = xr.Dataset({"values": (("y", "x"), np.array([[0, 1]], "u1"), {"units": "1"})})
    picture.attrs["palette"] = json.dumps([[0, 0, 0], [255, 255, 255]])
    np.testing.assert_allclose(np.asarray(intensity(picture)), [[0, 255]], rtol=1e-5)


def test_stacks_are_refused_with_what_to_do_and_collections_are_taken_one_by_one() -> None:
    stack = images("wavelength", "y", "x", shape=(4, 2, 2))
    with pytest.raises(InputError, match="there are 4 wavelengths; give a single frame"):
        intensity(stack)
    collection = images("image", "y", "x", shape=(2, 2, 2))
    with pytest.raises(InputError, match="these are 2 frames"):
        intensity(collection)
    assert [float(frame[0, 0]) for frame in frames(collection)] == [0, 4]
