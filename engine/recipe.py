"""Recipes: everything that a result depends on, as data.

A recipe travels as JSON in every result and export. Preparation steps record themselves in the images'
attrs (`record_step`), so that a recipe made from images knows how they came about.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import wraps
from importlib.metadata import version
from typing import Any, Final

import xarray as xr

from engine import catalogue
from engine.errors import InputError

SCHEMA: Final = 1
PREPARE: Final = "prepare"
SOURCE: Final = "source"
RESULT: Final = "result"
MODEL: Final = "model"
MODEL_PLACES: Final = ("folder", "store")
"""Entries of a recipe's model that say where it was seen; its digest says which it is."""

Step = dict[str, Any]
"""One preparation step or edit: `{"name": ..., "arguments": {...}}`, an edit also with its `author`."""


@dataclass(frozen=True)
class Recipe:
    """Source, preparation, analysis with its settings, and edits: everything a result depends on."""

    analysis: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    digest: str | None = None
    prepare: tuple[Step, ...] = ()
    model: Mapping[str, Any] | None = None
    """The model (`Model.reference`): a small one whole, of a larger one its digest and place."""
    edits: tuple[Step, ...] = ()
    seed: int = 0
    unused: tuple[str, ...] = ()
    """Settings that were given but only concern fitting, which a given model made needless."""
    runtime: str = "cpu"
    output: str = RESULT
    """`result`, or `model`: what the analysis learns from the source, which holds labelled examples."""
    labels: str | None = None
    """Where the labels to learn from lie, if not beside the images."""
    versions: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Return the recipe as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, default=_plain)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            If the text is not a recipe of this schema.
        """
        try:
            document = json.loads(text)
            if document["schema"] != SCHEMA:
                raise InputError(
                    f"recipe of schema {document['schema']}, expected {SCHEMA}; run it with its own Mapstack"
                )
            known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
            for name, kind in _KINDS.items():
                if name in known and not isinstance(known[name], kind):
                    raise TypeError(f"{name} is {known[name]!r}")
            recipe = cls(**known)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(
                f"not a Mapstack recipe ({type(error).__name__}: {error});"
                " give a recipe, a result or an export"
            ) from None
        return replace(
            recipe, prepare=tuple(recipe.prepare), edits=tuple(recipe.edits), unused=tuple(recipe.unused)
        )

    def identity(self) -> dict[str, Any]:
        """Return all that makes two recipes the same computation: not places, nor versions of libraries."""
        document = asdict(self)
        if self.model is not None:
            document["model"] = {k: v for k, v in self.model.items() if k not in MODEL_PLACES}
        return {name: document[name] for name in sorted(document) if name not in ("source", "versions")}

    def with_edit(self, name: str, /, *, author: str = "", **arguments: Any) -> "Recipe":
        """Return the recipe with one more edit at its end.

        Parameters
        ----------
        name
            Of the edit.
        author
            Who did it.
        arguments
            The edit's own.
        """
        catalogue.find("edits", name)
        return replace(self, edits=(*self.edits, {"name": name, "arguments": arguments, "author": author}))

    def without_last_edit(self) -> "Recipe":
        """Return the recipe without its last edit."""
        return replace(self, edits=self.edits[:-1])


_KINDS: Final[Mapping[str, Any]] = {
    "analysis": str,
    "settings": dict,
    "source": str | None,
    "digest": str | None,
    "prepare": list,
    "model": dict | None,
    "edits": list,
    "seed": int,
    "unused": list,
    "versions": dict,
    "output": str,
    "labels": str | None,
    "runtime": str,
    "schema": int,
}
"""What the fields of a recipe are in JSON, checked when one is read."""


def mapstack_version() -> str:
    """Return the version of the installed package."""
    return version("mapstack")


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries whose numbers end up in a result."""
    return {name: version(name) for name in ("mapstack", "numpy", "xarray", "dask", "numba", "scikit-learn")}


def record_step(function: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
    """Let a preparation step note its name and keyword arguments in the attrs of the images it returns."""

    @wraps(function)
    def recorded(images: xr.Dataset, **arguments: Any) -> xr.Dataset:
        step = {"name": function.__name__, "arguments": arguments}
        done = [*list_steps(images), step]
        return function(images, **arguments).assign_attrs({PREPARE: json.dumps(done, default=_plain)})

    return recorded


def _plain(value: Any) -> Any:
    """Return arrays and numbers of NumPy and xarray as JSON holds them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "values"):
        return value.values.tolist()
    raise InputError(f"an argument of type {type(value).__name__} cannot be recorded; give numbers or lists")


def list_steps(images: xr.Dataset) -> tuple[Step, ...]:
    """Return the preparation steps that led to these images."""
    return tuple(json.loads(images.attrs.get(PREPARE, "[]")))


def prepare(images: xr.Dataset, steps: tuple[Step, ...]) -> xr.Dataset:
    """Return images with recorded preparation steps applied.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        As they were opened.
    steps
        From a recipe.
    """
    for step in steps:
        images = catalogue.find("steps", step["name"])(images, **step["arguments"])
    return images
