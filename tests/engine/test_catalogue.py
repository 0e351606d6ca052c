"""The catalogue's own rules."""

import pytest

from engine import catalogue
from engine.errors import UnknownNameError


def test_names_are_found_and_unknown_ones_told() -> None:
    assert catalogue.find("analyses", "kmeans").analysis == "kmeans"
    with pytest.raises(UnknownNameError, match="no steps entry 'crops'; there are: crop"):
        catalogue.find("steps", "crops")


def test_every_entry_has_a_line_for_people() -> None:
    for kind, entries in catalogue.ENTRIES.items():
        for name in entries:
            assert catalogue.summarise(kind, name), (kind, name)
