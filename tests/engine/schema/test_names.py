"""Names of the data model."""

from engine import schema
from engine.schema import names


def test_every_name_is_offered_by_the_schema_itself() -> None:
    own = {name for name in vars(names) if name.isupper()}
    assert own == {name for name in schema.__all__ if name.isupper()}


def test_no_two_names_of_groups_or_maps_are_spelled_alike() -> None:
    groups = [
        names.CLASSES,
        names.SPECTRA,
        names.OBJECT_TABLE,
        names.IMAGE_TABLE,
        names.FRACTIONS,
        names.VALUES,
    ]
    groups += [
        names.FEATURES,
        names.AUDIT,
        names.PICTURES,
        names.KNOWN,
        names.TILES,
        names.MODEL,
        names.ZONE_TABLE,
    ]
    maps = [names.LABELS, names.CONFIDENCE, names.OBJECTS, names.ENTROPY, names.RESIDUAL, names.VALID]
    assert len({*groups, *maps}) == len(groups) + len(maps)
