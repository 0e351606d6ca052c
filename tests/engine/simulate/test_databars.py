"""Tests of `engine.simulate.databars`."""

import numpy as np
import pytest

from engine.simulate import databars


@pytest.mark.parametrize("style", databars.STYLES)
def test_a_bar_is_a_strip_of_one_level_with_letters_and_a_scale_of_the_length_it_says(style):
    facts = databars.Facts(10.0, databars.magnification(10.0, 256), 5.0, "SE2", 4.2)
    bar = databars.bar(facts, style, n_columns=256)
    assert bar.shape == (26, 256)
    level = np.bincount(bar.ravel()).argmax()
    assert 0.02 < (bar != level).mean() < 0.4
    if style == "zeiss":  # 48 units are 480 nm: the scale is 200 nm, 20 pixels
        row = np.flatnonzero(bar[19, :60] != level)
        assert row[-1] - row[0] == pytest.approx(20, abs=1)
