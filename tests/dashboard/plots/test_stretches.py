"""Stretches of values, and classes that are hidden."""

import numpy as np

from dashboard import theme
from dashboard.plots.images import stretch_values
from dashboard.plots.labels import lookup

LIMITS, QUARTILES = (0.0, 90.0, 200.0, 1000.0), (0.0, 99.3255, 100.6745, 1000.0)
"""Background 100 with noise 1."""
theme.install()


def test_stretches_keep_the_order_and_asinh_is_linear_in_the_noise():
    values = np.array([99.0, 100.0, 101.0, 200.0, 1000.0])
    for stretch in ("percentile", "linear", "log", "asinh"):
        drawn, (_, low, high, _) = stretch_values(values, limits=LIMITS, quartiles=QUARTILES, stretch=stretch)
        assert (np.diff(drawn) >= 0).all()
        assert low < high
    drawn, _ = stretch_values(values, limits=LIMITS, quartiles=QUARTILES, stretch="asinh")
    np.testing.assert_allclose(drawn[:3], np.arcsinh([-1, 0, 1]), atol=2e-3)
    assert stretch_values(values, limits=LIMITS, quartiles=QUARTILES, stretch="linear")[1][1:3] == (
        0.0,
        1000.0,
    )


def test_a_hidden_class_is_transparent_and_the_opacity_is_that_over_the_frame():
    codes = lookup([1, 2], selected=[], mode="over", hidden=[1])
    palette = theme.label_palette(["#112233", "#445566"], opacity=0.25)
    assert palette[codes[1]] == "#11223300"
    assert palette[codes[2]] == "#44556640"
