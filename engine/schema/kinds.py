"""Kinds of results: which maps and tables a result has, said by the analysis and stored with the result.

An export, an edit, a command or a page asks `kind_of(result)`, and `has(result, part)` for the parts that
only some results of a kind have; nobody looks which children a result happens to have.
"""

from dataclasses import dataclass
from typing import Final

import xarray as xr

from engine.errors import InputError
from engine.schema.columns import (
    AUDIT_TABLE,
    CLASS_TABLE,
    FEATURE_TABLE,
    FRACTION_TABLE,
    MICROGRAPHS,
    OBJECTS_OF_FRAME,
    PARTICLES,
    REFERENCE_IMAGES,
    SORTED,
    THUMBNAILS,
    ZONES,
    Table,
)
from engine.schema.names import (
    AUDIT,
    CONFIDENCE,
    ENTROPY,
    KIND,
    LABELS,
    MODEL,
    OBJECT_TABLE,
    OBJECTS,
    RESIDUAL,
    SPECTRA,
    TILES,
    VALID,
    VALUES,
    ZONE_TABLE,
)


@dataclass(frozen=True)
class ResultKind:
    """Properties that all results of one kind have in common."""

    name: str
    title: str
    """For people, in the plural."""
    maps: tuple[str, ...] = ()
    """Pixel maps at the root, in the order in which they are shown."""
    tables: tuple[Table, ...] = ()
    """Tables, each a group of the store."""
    groups: tuple[str, ...] = ()
    """Other groups."""
    optional: frozenset[str] = frozenset()
    """Maps, tables and groups that only some results of the kind have."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of all maps, tables and groups."""
        return (*self.maps, *(table.group for table in self.tables), *self.groups)


CLASS_MAP: Final = ResultKind(
    "class_map",
    "maps of classes",
    maps=(LABELS, CONFIDENCE, ENTROPY, OBJECTS),
    tables=(CLASS_TABLE, OBJECTS_OF_FRAME, AUDIT_TABLE),
    groups=(SPECTRA, MODEL),
    optional=frozenset({ENTROPY, OBJECTS, OBJECT_TABLE, AUDIT, MODEL}),
)
VALUE_MAP: Final = ResultKind(
    "value_map",
    "maps of values",
    maps=(RESIDUAL, VALID),
    tables=(ZONES,),
    groups=(VALUES, MODEL),
    optional=frozenset({RESIDUAL, ZONE_TABLE, MODEL}),
)
POPULATION: Final = ResultKind(
    "population",
    "populations of particles",
    maps=(LABELS, CONFIDENCE, OBJECTS),
    tables=(CLASS_TABLE, PARTICLES, MICROGRAPHS, FRACTION_TABLE, FEATURE_TABLE),
    groups=(SPECTRA, MODEL),
    optional=frozenset({SPECTRA, MODEL}),
)
SORTED_IMAGES: Final = ResultKind(
    "sorted_images",
    "sorted images",
    tables=(CLASS_TABLE, SORTED, THUMBNAILS, REFERENCE_IMAGES),
    groups=(TILES, MODEL),
    optional=frozenset({TILES, MODEL}),
)
KINDS: Final = {kind.name: kind for kind in (CLASS_MAP, VALUE_MAP, POPULATION, SORTED_IMAGES)}
"""All kinds, by the name that is stored."""


def kind_of(result: xr.DataTree) -> ResultKind:
    """Return the kind of a result, as its analysis declared it.

    Raises
    ------
    InputError
        If the result does not say, or says a kind that this version does not know.
    """
    name = str(result.attrs.get(KIND, ""))
    if name not in KINDS:
        said = f"is of the unknown kind {name!r}" if name else "does not say of which kind it is"
        raise InputError(f"the result {said}; make it anew: mapstack run --recipe RESULT --out NEW.zarr")
    return KINDS[name]


def is_kind(result: xr.DataTree, *kinds: ResultKind) -> bool:
    """Return whether a result is of one of some kinds.

    Parameters
    ----------
    result
        A result of any kind.
    kinds
        The kinds to compare with.
    """
    return kind_of(result) in kinds


def has(result: xr.DataTree, part: str) -> bool:
    """Return whether a result has a map, table or group that its kind leaves open.

    Parameters
    ----------
    result
        A result of any kind.
    part
        Name of a map at the root, a table or a group.
    """
    kind = kind_of(result)
    if part not in kind.parts:
        return False
    return part not in kind.optional or part in result.data_vars or part in result.children


def maps_of(result: xr.DataTree) -> list[str]:
    """Return the names of the pixel maps at the root of a result, in the order in which they are shown."""
    return [name for name in kind_of(result).maps if has(result, name)]


def tables_of(result: xr.DataTree) -> list[Table]:
    """Return the tables of a result."""
    return [table for table in kind_of(result).tables if has(result, table.group)]


def check_kind(result: xr.DataTree, *kinds: ResultKind, what: str) -> None:
    """Refuse a result of another kind.

    Parameters
    ----------
    result
        A result of any kind.
    kinds
        The kinds that will do.
    what
        Name of the edit or export that was asked for, for the message.

    Raises
    ------
    InputError
        If the result is of none of the kinds.
    """
    if not is_kind(result, *kinds):
        titles = " or ".join(kind.title for kind in kinds)
        raise InputError(
            f"{what} is for {titles}, and the result is one of {kind_of(result).title}; give another"
        )
