"""Data and results as a page shows them: lazy images with pyramids, tables in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from dashboard.workspace.object_overview import ObjectOverview
from engine.pyramid import Pyramid
from engine.recipe import Recipe, Step, list_steps
from engine.schema import LABEL, WARNINGS, image_variables, is_ellipsometry, spectral_dim
from engine.schema import columns as c

BACKGROUND: Final = "background"
"""Name of the class of what is nothing in particular."""


@dataclass(frozen=True, eq=False)
class Stack:
    """A data set, opened: the lazy images, its description, and a pyramid a variable."""

    address: str
    """As in the URL: relative to its root."""
    digest: str
    images: xr.Dataset = field(repr=False)
    description: dict[str, Any] = field(repr=False)
    pyramids: dict[str, Pyramid] = field(repr=False)
    first_plane: int = 0
    """Where along the spectral dim there is most to see at first."""

    @property
    def title(self) -> str:
        """Name for people."""
        return str(self.images.attrs.get("title") or Path(self.address).name or self.address)

    @property
    def source(self) -> str:
        """Absolute path."""
        return str(self.images.attrs["source"])

    @property
    def spectral(self) -> str | None:
        """Name of the spectral dim."""
        return spectral_dim(self.images)

    @property
    def variables(self) -> list[str]:
        """Names of the image variables."""
        return image_variables(self.images)

    @property
    def warnings(self) -> list[str]:
        """Warnings of the reader."""
        return list(json.loads(self.images.attrs.get("warnings", "[]")))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Preparation steps of the images."""
        return list_steps(self.images)

    @property
    def identity(self) -> tuple[str, str]:
        """Content and preparation: two stacks with the same identity have the same pixels."""
        return self.digest, json.dumps(self.steps)

    @property
    def is_ellipsometry(self) -> bool:
        """True if these are Delta and Psi."""
        return is_ellipsometry(self.images)


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """A result as a page shows it, its tables in memory; of a population of particles, this is all."""

    id: str
    """Of the stored result, empty where it is not stored (yet)."""
    tree: xr.DataTree = field(repr=False)
    recipe: Recipe = field(repr=False)
    classes: xr.Dataset = field(repr=False)
    objects: xr.Dataset | None = field(repr=False, default=None)
    """Table of the objects, where the result has them."""

    @property
    def background(self) -> int:
        """Label of what is nothing in particular, 0 if no class is called so."""
        return find_label(self.classes, BACKGROUND)

    @property
    def warnings(self) -> list[str]:
        """Warnings of the analysis."""
        return list(json.loads(str(self.tree.attrs.get(WARNINGS, "[]"))))


@dataclass(frozen=True, eq=False, kw_only=True)
class MapResult(Result):
    """A result of one map or frame: its maps as pyramids."""

    spectra: xr.Dataset = field(repr=False)
    labels: Pyramid = field(repr=False)
    confidence: Pyramid = field(repr=False)
    entropy: Pyramid | None = field(repr=False, default=None)
    object_overview: ObjectOverview | None = field(repr=False, default=None)
    """Overviews in which no object is lost, where the result has objects."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueLayer:
    """One value of a value map: its pyramid, and a sample of its pixels."""

    title: str
    units: str
    pixel_units: str
    """Units of the coordinates y and x."""
    pyramid: Pyramid = field(repr=False)
    pixels: np.ndarray = field(repr=False)
    """Values of at most a million pixels spread over the map, those without a value left out."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueResult(Result):
    """A result with numbers for each pixel instead of classes; its table of classes is empty."""

    layers: Mapping[str, ValueLayer] = field(repr=False)
    """Values by name, without their errors."""


def find_label(classes: xr.Dataset, name: str) -> int:
    """Return the label of the class of a name, 0 if there is none.

    Parameters
    ----------
    classes : Dataset, dims (label,)
        Table of the classes.
    name
        Name of the class as the table spells it.

    Returns
    -------
    int
        Label of the class.
    """
    names = classes[c.NAME].values.tolist()
    return int(classes[LABEL].values[names.index(name)]) if name in names else 0
