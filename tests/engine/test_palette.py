"""Class colours."""

import re

from engine.palette import OKABE_ITO, class_colors


def test_up_to_eight_classes_have_the_colours_of_okabe_and_ito() -> None:
    assert class_colors(8) == list(OKABE_ITO)


def test_more_classes_have_different_valid_colours() -> None:
    colors = class_colors(64)
    assert len(set(colors)) == 64
    assert all(re.fullmatch("#[0-9A-F]{6}", color) for color in colors)
