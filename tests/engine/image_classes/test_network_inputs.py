"""Squares that a network is given."""

import numpy as np

from engine.image_classes import network_inputs as given


def test_tiles_cover_everything_and_end_at_the_ends() -> None:
    assert given.tile_starts(700, 300).tolist() == [0, 200, 400]
    assert given.tile_starts(200, 300).tolist() == [0]


def test_the_fill_of_a_collection_is_no_part_of_the_specimen() -> None:
    image = np.full((8, 10), np.nan, np.float32)
    image[:6, :7] = np.arange(42).reshape(6, 7)
    assert given.specimen(image, databar=True).shape == (6, 7)


def test_a_part_is_scaled_to_all_grey_levels() -> None:
    ramp = np.tile(np.linspace(-5, 5, 64, dtype=np.float32), (64, 1))
    square = given.reduce_image(ramp, 32)
    assert square.shape == (32, 32)
    assert square.dtype == np.uint8
    assert square.min() < 5
    assert square.max() > 250
    assert (np.diff(square[0].astype(int)) >= 0).all()


def test_squares_are_standardised_each_by_itself() -> None:
    grey = np.stack([np.arange(64).reshape(8, 8), 3 * np.arange(64).reshape(8, 8)]).astype(np.uint8)
    standard = given.standardise(grey)
    np.testing.assert_allclose(standard.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(standard.std(axis=(1, 2)), 1, atol=1e-3)
