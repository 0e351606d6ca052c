"""The one shape of an analysis: settings (`Analysis`), what was learned (`Model`), a result tree.

    model = KMeans(n_clusters=5).fit(images)      # eager
    result = model.predict(images)                # lazy DataTree

Settings are `param` parameters: each is declared once, with its default, bounds and doc, and becomes the
Python argument, the command-line option, the dashboard's control and the recipe's entry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import param
import xarray as xr

from engine import catalogue
from engine.errors import FileError, InputError

MODEL_VERSION: Final = 1


class Settings(param.Parameterized):
    """Named, bounded, documented values; a wrong one is refused with one sentence."""

    def __init__(self, **values: Any) -> None:
        known = self.setting_names()
        for name in values:
            if name not in known:
                raise InputError(
                    f"{type(self).__name__} has no setting {name!r}; its settings are: {', '.join(known)}"
                )
        try:
            super().__init__(**values)
        except (ValueError, TypeError) as error:
            raise InputError(f"{type(self).__name__}: {error}") from None

    @classmethod
    def setting_names(cls) -> list[str]:
        """Names of all settings, in the order of declaration."""
        return [name for name in cls.param if name != "name"]

    def settings(self) -> dict[str, Any]:
        """All settings with their values, ready for JSON."""
        return {name: getattr(self, name) for name in self.setting_names()}


class Analysis(Settings):
    """Settings of an analysis that learns a model from images.

    A subclass sets `analysis` to its name in the catalogue, `model_class` to its Model, and defines `fit`.
    """

    analysis: ClassVar[str]
    model_class: ClassVar[type["Model"]]
    fit_only: ClassVar[frozenset[str]] = frozenset()
    """Settings that only concern `fit`: with a given model they are recorded as unused."""

    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> "Model":
        """Learn from images; eager."""
        raise NotImplementedError


@dataclass(frozen=True)
class Model:
    """What an analysis learned; save it to a folder, apply it to other images.

    A subclass defines `predict`. `arrays` holds everything numeric that was learned.
    """

    analysis: str
    settings: Mapping[str, Any]
    class_names: tuple[str, ...]
    arrays: Mapping[str, np.ndarray] = field(repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Anything else JSON can hold: feature names, units, the input range seen in training, metrics."""
    recipe: Mapping[str, Any] | None = None

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Apply to images; lazy."""
        raise NotImplementedError

    def save(self, folder: str | Path) -> Path:
        """Write `model.json` and `arrays.npz` into a folder, never a pickle."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "mapstack_model": MODEL_VERSION,
            "analysis": self.analysis,
            "settings": dict(self.settings),
            "class_names": list(self.class_names),
            "metadata": dict(self.metadata),
            "recipe": self.recipe,
        }
        arrays: dict[str, Any] = {name: np.asarray(array) for name, array in self.arrays.items()}
        np.savez(folder / "arrays.npz", **arrays)
        (folder / "model.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model folder; see `load_model`."""
        model = load_model(folder)
        if not isinstance(model, cls):
            raise InputError(
                f"{folder} holds a model of {model.analysis!r}, not a {cls.__name__}; give another folder"
            )
        return model


def is_model(folder: str | Path) -> bool:
    """Whether a folder holds a saved model."""
    return (Path(folder) / "model.json").is_file()


def load_model(folder: str | Path) -> Model:
    """Read a model folder written by `Model.save`.

    Raises
    ------
    FileError
        If there is no readable model.
    InputError
        If the model was written by a version this one does not know.
    """
    folder = Path(folder)
    try:
        document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise FileError(
            f"no readable model in {folder} ({error}); give a folder written by 'mapstack fit'"
        ) from None
    if document.get("mapstack_model") != MODEL_VERSION or document.get("analysis") not in catalogue.ANALYSES:
        raise InputError(
            f"the model in {folder} has version {document.get('mapstack_model')} of {document.get('analysis')!r},"
            f" this Mapstack reads version {MODEL_VERSION}; fit the model again"
        )
    model_class = catalogue.find("analyses", document["analysis"]).model_class
    return model_class(  # type: ignore[no-any-return]
        analysis=document["analysis"],
        settings=document["settings"],
        class_names=tuple(document["class_names"]),
        arrays=arrays,
        metadata=document["metadata"],
        recipe=document["recipe"],
    )
