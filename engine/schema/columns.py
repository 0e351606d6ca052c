"""Tables of results: the name of every column, once, and its meaning; built, checked, documented from here.

    from engine.schema import columns as c
    table = c.CLASS_TABLE.build({c.NAME: names, c.COLOR: colors, ...}, rows=labels)

A column whose `units` are `OF_COORDINATES` is in the unit of the pixel coordinates: whoever builds the table
gives it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema.names import (
    AUDIT,
    CHANGE,
    CLASSES,
    CONFIDENCE,
    EXAMPLE,
    FEATURES,
    FRACTIONS,
    IMAGE,
    IMAGE_TABLE,
    KNOWN,
    LABEL,
    OBJECT,
    OBJECT_TABLE,
    PICTURES,
    RANK,
    ZONE_TABLE,
    X,
    Y,
)

NAME: Final = "name"
COLOR: Final = "color"
COUNT: Final = "count"
FRACTION: Final = "fraction"
AREA: Final = "area"
CLASS: Final = "class"
KIND: Final = "kind"
FILE: Final = "file"
PARENT: Final = "parent"
ORIGIN: Final = "origin"
PIXEL_SIZE: Final = "pixel_size"
REVIEWED: Final = "reviewed"
ABSTAINED: Final = "abstained"
PROBABILITY: Final = "probability"
SECOND: Final = "second"
NOVELTY: Final = "novelty"
UNLIKE: Final = "unlike"
TRUTH: Final = "truth"
SIMILAR: Final = "similar"
THUMBNAIL: Final = "thumbnail"
LOGITS: Final = "logits"
EMBEDDING: Final = "embedding"
EVIDENCE: Final = "evidence"
TOP: Final = "bbox_top"
LEFT: Final = "bbox_left"
BOTTOM: Final = "bbox_bottom"
RIGHT: Final = "bbox_right"
ORIENTATION: Final = "orientation"
ECCENTRICITY: Final = "eccentricity"
LENGTH: Final = "length"
WIDTH: Final = "width"
CHARGE: Final = "charge"
PEAK: Final = "peak"
VOTES: Final = "votes"
ENERGY_EV: Final = "energy"
TOUCHES_EDGE: Final = "touches_edge"
RADIUS: Final = "radius"
RESOLVED: Final = "resolved"
SPACING: Final = "spacing"
SPACING_ERROR: Final = "spacing_error"
DIRECTION: Final = "angle"
DIRECTION_ERROR: Final = "angle_error"
SPACING_2: Final = "spacing_2"
DIRECTION_2: Final = "angle_2"
FOUND_BY: Final = "found_by"
ROWS: Final = "rows"
COLUMNS: Final = "columns"
PROBLEM: Final = "problem"
N_PARTICLES: Final = "n_particles"
LOW: Final = "low"
HIGH: Final = "high"
CORRECTED: Final = "corrected"
OLD: Final = "old"
NEW: Final = "new"
RULE: Final = "rule"

OF_COORDINATES: Final = None
"""Units of a column that are those of the pixel coordinates, or of what was measured."""
_KINDS: Final = {"number": "iuf", "whole": "iu", "text": "UTO", "flag": "b"}
"""Kinds of NumPy dtypes that a column's values may have."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    values: str
    """`number`, `whole` (whole numbers), `text` or `flag` (true or false)."""
    units: str | None
    doc: str
    dims: tuple[str, ...] = ()
    """Dims after that of the rows, of columns that hold an array a row."""
    optional: bool = False

    def variable(self, row: str, values: Any, units: str | None = None) -> xr.Variable:
        """Return the column as a variable with its units and its meaning.

        Parameters
        ----------
        row
            Dim of the table's rows.
        values : array_like, shape (rows, ...)
            One entry a row.
        units
            Units of these values, where the column has none of its own.

        Raises
        ------
        InputError
            If the values are of another kind than the column.
        """
        array = values if hasattr(values, "dtype") else np.asarray(values)
        if self.values == "whole" and array.dtype.kind == "f" and (array == np.rint(array)).all():
            array = array.astype(np.int64)
        if array.dtype.kind not in _KINDS[self.values]:
            raise InputError(f"column {self.name!r} holds {array.dtype} values; expected a {self.values}")
        attrs = {"units": units or self.units or "1", "long_name": self.doc}
        return xr.Variable((row, *self.dims), array, attrs)


@dataclass(frozen=True)
class Table:
    """One table of a result: a group of the store with one row a `row`."""

    group: str
    row: str
    doc: str
    columns: tuple[Column, ...]
    _by_name: dict[str, Column] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_name.update({column.name: column for column in self.columns})

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def build(
        self,
        values: Mapping[str, Any],
        *,
        rows: Any = None,
        units: Mapping[str, str] | None = None,
    ) -> xr.Dataset:
        """Return the table as a Dataset, each column with its units and meaning.

        Parameters
        ----------
        values : mapping of str to array_like, shape (rows, ...)
            Columns by name, in the order in which they are to stand; all must be of this table.
        rows : array_like of int, shape (rows,), optional
            Numbers of the rows; without them the rows have no coordinate.
        units
            Units by column, of those that have none of their own.

        Raises
        ------
        InputError
            If a column is not of this table or holds values of another kind.
        """
        unknown = [name for name in values if name not in self._by_name]
        if unknown:
            raise InputError(
                f"the table {self.group!r} has no column {unknown[0]!r}; declare it in schema.columns"
            )
        given = units or {}
        columns = {
            name: self._by_name[name].variable(self.row, column, given.get(name))
            for name, column in values.items()
        }
        return xr.Dataset(columns, {} if rows is None else {self.row: number_rows(self.row, rows)})

    def check(self, table: xr.Dataset) -> xr.Dataset:
        """Return the table unchanged if every column that must be there is, with the right kind and dims.

        Raises
        ------
        InputError
            If a column is missing, or holds other values than declared.
        """
        for column in self.columns:
            if column.name not in table.variables:
                if column.optional:
                    continue
                raise InputError(
                    f"the table {self.group!r} has no column {column.name!r}; make the result anew"
                )
            found = table[column.name]
            if found.dims != (self.row, *column.dims) or found.dtype.kind not in _KINDS[column.values]:
                raise InputError(
                    f"column {column.name!r} of the table {self.group!r} holds {found.dtype} values along"
                    f" {found.dims}; expected a {column.values} along {(self.row, *column.dims)}"
                )
        return table


_ROW_DOCS: Final = {LABEL: "class", OBJECT: "object", IMAGE: "image", CHANGE: "change", EXAMPLE: "example"}


def number_rows(row: str, numbers: Any) -> xr.Variable:
    """Return the coordinate that numbers the rows of a table.

    Parameters
    ----------
    row
        Dim of the rows.
    numbers : array_like of int, shape (rows,)
    """
    return xr.Variable((row,), np.asarray(numbers), {"units": "1", "long_name": _ROW_DOCS.get(row, row)})


CLASS_TABLE: Final = Table(
    CLASSES,
    LABEL,
    "one row a class",
    (
        Column(NAME, "text", "1", "class name"),
        Column(COLOR, "text", "1", "colour"),
        Column(COUNT, "whole", "1", "pixels, or images"),
        Column(FRACTION, "number", "1", "share of what has a class"),
        Column(AREA, "number", OF_COORDINATES, "area", optional=True),
        Column(CONFIDENCE, "number", "1", "mean confidence", optional=True),
    ),
)

_SHAPE: Final = (
    Column(LABEL, "whole", "1", "number of the object in its image", optional=True),
    Column(CLASS, "whole", "1", "class of most of its pixels, 0 = none"),
    Column(Y, "number", OF_COORDINATES, "centroid along y"),
    Column(X, "number", OF_COORDINATES, "centroid along x"),
    Column(AREA, "number", "px²", "area"),
    Column(TOP, "whole", "px", "first row"),
    Column(LEFT, "whole", "px", "first column"),
    Column(BOTTOM, "whole", "px", "row past the last"),
    Column(RIGHT, "whole", "px", "column past the last"),
    Column(ORIENTATION, "number", "rad", "angle of the long axis from the y axis towards the x axis"),
    Column(ECCENTRICITY, "number", "1", "eccentricity of the ellipse of the same second moments"),
    Column(LENGTH, "number", "px", "long axis of the ellipse of the same second moments"),
    Column(WIDTH, "number", "px", "short axis of the ellipse of the same second moments"),
    Column(CHARGE, "number", OF_COORDINATES, "sum of the image"),
    Column(PEAK, "number", OF_COORDINATES, "largest value of the image"),
    Column(CONFIDENCE, "number", "1", "mean confidence"),
    Column(
        VOTES,
        "number",
        "1",
        "share of the pixels whose class was the object's before the rules",
        optional=True,
    ),
    Column(TOUCHES_EDGE, "flag", "1", "whether it touches the edge of the frame"),
)

OBJECTS_OF_FRAME: Final = Table(
    OBJECT_TABLE,
    OBJECT,
    "one row an object of a class map",
    (
        *_SHAPE,
        Column(NAME, "text", "1", "class name"),
        Column(ENERGY_EV, "number", "eV", "energy"),
        Column(KIND, "text", "1", "kind of track"),
    ),
)

PARTICLES: Final = Table(
    OBJECT_TABLE,
    OBJECT,
    "one row a particle of a population",
    (
        *(column for column in _SHAPE if column.name not in (LABEL, VOTES)),
        Column(LABEL, "whole", "1", "number in its micrograph"),
        Column(IMAGE, "whole", "1", "micrograph, counted from 0"),
        Column(RADIUS, "number", OF_COORDINATES, "radius of the disk of its area"),
        Column(RESOLVED, "flag", "1", "whether a lattice is seen"),
        Column(SPACING, "number", OF_COORDINATES, "spacing of the strongest fringes"),
        Column(SPACING_ERROR, "number", OF_COORDINATES, "standard deviation of the spacing"),
        Column(DIRECTION, "number", "deg", "direction across the strongest fringes, from x towards y"),
        Column(DIRECTION_ERROR, "number", "deg", "standard deviation of the direction"),
        Column(SPACING_2, "number", OF_COORDINATES, "spacing of the second fringes"),
        Column(DIRECTION_2, "number", "deg", "direction across the second fringes"),
        Column(NAME, "text", "1", "class name"),
        Column(ABSTAINED, "flag", "1", "whether no class is probable enough"),
        Column(REVIEWED, "flag", "1", "whether a person has given the class"),
        *(
            Column(f"{PROBABILITY}_{name}", "number", "1", f"probability of {name}")
            for name in ("yes", "no", "null", "empty")
        ),
    ),
)

MICROGRAPHS: Final = Table(
    IMAGE_TABLE,
    IMAGE,
    "one row a micrograph of a population",
    (
        Column(FILE, "text", "1", "file"),
        Column(PIXEL_SIZE, "number", OF_COORDINATES, "edge of a pixel"),
        Column(FOUND_BY, "text", "1", "contrast by which its particles were found"),
        Column(ROWS, "whole", "px", "rows of pixels"),
        Column(COLUMNS, "whole", "px", "columns of pixels"),
        Column(PROBLEM, "text", "1", "why it could not be read"),
        Column(N_PARTICLES, "whole", "1", "particles"),
        *(
            Column(f"n_{name}", "whole", "1", f"decided particles of class {name}")
            for name in ("yes", "no", "null")
        ),
    ),
)

SORTED: Final = Table(
    IMAGE_TABLE,
    IMAGE,
    "one row a sorted image",
    (
        Column(FILE, "text", "1", "file"),
        Column(CLASS, "whole", "1", "most probable class"),
        Column(SECOND, "whole", "1", "second most probable class"),
        Column(CONFIDENCE, "number", "1", "best minus second probability"),
        Column(NOVELTY, "number", "1", "distance from the reference images, 1: the limit"),
        Column(UNLIKE, "flag", "1", "unlike the reference images"),
        Column(ABSTAINED, "flag", "1", "no answer: too unsure, or unlike the reference images"),
        Column(REVIEWED, "flag", "1", "a person gave the class"),
        Column(TRUTH, "whole", "1", "class that the image came with, 0: none"),
        Column(PIXEL_SIZE, "number", "nm", "edge of a pixel"),
        Column(PROBABILITY, "number", "1", "probability", dims=(LABEL,)),
        Column(SIMILAR, "whole", "1", "reference images that are most similar", dims=(RANK,)),
    ),
)

THUMBNAILS: Final = Table(
    PICTURES,
    IMAGE,
    "one row a sorted image: a small copy, and what the network computed",
    (
        Column(THUMBNAIL, "whole", "1", "small copy of the image", dims=("row", "column")),
        Column(LOGITS, "number", "1", "logits of the network", dims=(LABEL,)),
        Column(EMBEDDING, "number", "1", "mean of each feature map", dims=("feature",)),
        Column(EVIDENCE, "number", "1", "evidence for the class", dims=("part_row", "part_column")),
    ),
)

REFERENCE_IMAGES: Final = Table(
    KNOWN,
    EXAMPLE,
    "one row an image that the model was trained on",
    (
        Column(FILE, "text", "1", "file"),
        Column(CLASS, "whole", "1", "class"),
        Column(THUMBNAIL, "whole", "1", "small copy of the image", dims=("row", "column")),
    ),
)

_INTERVALS: Final = tuple(
    Column(f"{start}{end}", "number", "1", doc)
    for start, doc in (
        ("bootstrap_", "end of the 95 % interval from drawing micrographs again"),
        (f"{CORRECTED}_", "end of the 95 % interval of the corrected share"),
    )
    for end in (LOW, HIGH)
)

FRACTION_TABLE: Final = Table(
    FRACTIONS,
    LABEL,
    "one row a class: its share of the population, with intervals",
    (
        Column(COUNT, "whole", "1", "decided particles"),
        Column(FRACTION, "number", "1", "share of the particles"),
        Column(LOW, "number", "1", "2.5 % of the share, Wilson's interval at the effective size"),
        Column(HIGH, "number", "1", "97.5 % of the share, Wilson's interval at the effective size"),
        Column(CORRECTED, "number", "1", "share, corrected for errors, misses and false finds"),
        *_INTERVALS,
    ),
)

AUDIT_TABLE: Final = Table(
    AUDIT,
    CHANGE,
    "one row an object that a rule gave another class",
    (
        Column(Y, "number", "px", "centroid along y"),
        Column(X, "number", "px", "centroid along x"),
        Column(AREA, "whole", "px²", "area"),
        Column(OLD, "whole", "1", "class of its pixels before the rule"),
        Column(NEW, "whole", "1", "class by the rule"),
        Column(RULE, "text", "1", "rule"),
    ),
)

FEATURE_TABLE: Final = Table(
    FEATURES,
    OBJECT,
    "one row a particle: the features its class is computed from",
    (Column(FEATURES, "number", "1", "features", dims=("feature",)),),
)

ZONES: Final = Table(
    ZONE_TABLE,
    LABEL,
    "one row a class of a class map of the same pixels: the values of its pixels",
    (Column(NAME, "text", "1", "class name"), Column(COUNT, "whole", "1", "pixels with a value")),
)
"""Of a value map; each value adds its median and its quantiles."""

TABLES: Final = (
    CLASS_TABLE,
    OBJECTS_OF_FRAME,
    PARTICLES,
    MICROGRAPHS,
    SORTED,
    THUMBNAILS,
    REFERENCE_IMAGES,
    FRACTION_TABLE,
    AUDIT_TABLE,
    FEATURE_TABLE,
    ZONES,
)
