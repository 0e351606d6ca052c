"""What the user does on a map with the mouse."""

from types import SimpleNamespace

import pytest

from dashboard.views.gestures import Gestures, polygon_of


def test_every_gesture_goes_through_the_guard():
    guarded, calls = [], []

    def guard(action):
        guarded.append(action)
        action()

    gestures = Gestures(
        on_tap=lambda x, y: calls.append((x, y)),
        on_move=lambda x, y: calls.append((x, y)),
        on_region=calls.append,
        guard=guard,
    )
    gestures.tap(SimpleNamespace(x=1, y=2))
    gestures.cursor.data = {"x": [3], "y": [4]}
    box = {"type": "rect", "x0": 0, "y0": 0, "x1": 1, "y1": 1}
    gestures.select_region(SimpleNamespace(geometry=box, final=True))
    assert calls == [(1.0, 2.0), (3.0, 4.0), polygon_of(box)]
    assert len(guarded) == 3


def test_without_a_guard_an_error_reaches_the_caller():
    def fail(_x, _y):
        raise ValueError("no such class")

    with pytest.raises(ValueError, match="no such class"):
        Gestures(on_tap=fail).tap(SimpleNamespace(x=0, y=0))


def test_a_region_that_is_still_being_drawn_is_not_passed_on():
    regions = []
    box = {"type": "rect", "x0": 0, "y0": 0, "x1": 1, "y1": 1}
    Gestures(on_region=regions.append).select_region(SimpleNamespace(geometry=box, final=False))
    assert regions == []
