"""The maps that a page can show of a result."""

from dashboard.map_modes import FRAME_BUTTONS, MAP_BUTTONS, MAP_MODES, MODES
from dashboard.plots.labels import lookup
from dashboard.workspace.session import Session


def test_every_button_sets_a_mode_that_the_session_has():
    assert set(MAP_BUTTONS.values()) | set(FRAME_BUTTONS.values()) == set(MODES)
    assert tuple(Session.param["mode"].objects) == MODES


def test_every_mode_has_a_title_on_both_pages_and_codes_for_its_classes():
    for name, mode in MAP_MODES.items():
        assert mode.title
        assert mode.frame_title
        assert len(lookup([1, 2], selected=[], mode=name)) == 3
