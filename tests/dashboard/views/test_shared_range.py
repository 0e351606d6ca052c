"""The visible part that linked maps share."""

import pytest

from dashboard.views.shared_range import DEFAULT_SIZE, SharedRange


def test_before_the_browser_reports_a_size_a_default_one_is_drawn():
    shared = SharedRange((0.0, 10.0, 70.0, 40.0))
    assert shared.window == ((0.0, 70.0), (10.0, 40.0), *DEFAULT_SIZE)
    assert shared.pixel_width == pytest.approx(70 / DEFAULT_SIZE[0])


def test_the_window_has_the_size_of_the_frames_and_row_0_stays_at_the_top():
    shared = SharedRange((0.0, 0.0, 100.0, 100.0))
    shared.size.data = {"w": [250.2], "h": [99.6], "fit": [1]}
    shared.show(10, 35, 20, 30)
    assert shared.window == ((10, 35), (20, 30), 250, 100)
    assert shared.y.start > shared.y.end
    assert shared.pixel_width == pytest.approx(25 / 250.2)


def test_reset_shows_the_whole_image_again():
    shared = SharedRange((1.0, 2.0, 3.0, 4.0))
    shared.show(1.5, 2, 2.5, 3)
    shared.reset()
    assert shared.ranges == (1.0, 3.0, 2.0, 4.0)
