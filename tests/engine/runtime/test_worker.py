"""Tests of `engine.runtime.worker`."""

from engine.runtime.worker import TimeLeft


def test_time_left_is_the_pace_so_far_smoothed() -> None:
    time_left = TimeLeft(start=0.0)
    assert time_left(0.0, 1.0) is None
    assert time_left(0.25, 10.0) == 30.0
    # expected 25 after 5 s more; at the pace so far 15 / 0.3 * 0.7 = 35; a quarter of the way: 27.5
    assert time_left(0.3, 15.0) == 27.5
