"""The one shape of an analysis: settings (`Analysis`), what was learned (`Model`), a result tree.

    model = KMeans(n_clusters=5).fit(images)      # eager
    result = model.predict(images)                # lazy DataTree

Settings are `param` parameters: each is declared once, with its default, bounds and doc, and becomes the
Python argument, the command-line option, the dashboard's control and the recipe's entry.
"""

import base64
import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import param
import xarray as xr

from engine import catalogue
from engine.errors import FileError, InputError
from engine.schema.kinds import CLASS_MAP, ResultKind, has
from engine.schema.names import MODEL

MODEL_VERSION: Final = 1
EMBEDDED_BYTES: Final = 2**16
"""Models of no more bytes are held by the recipe itself; of larger ones it holds the digest."""
CARD: Final = "card"
"""Attr of the group of a result that holds its model: all of the model but its arrays, as JSON."""
NETWORK_FILE: Final = "network_file"
"""Attr of that group: where the network lies."""
STACK: Final = "stack"
FRAME: Final = "frame"
COLLECTION: Final = "collection"
LABELLED: Final = "labelled"
NETWORK: Final = "network.keras"
DIGEST: Final = "network_digest"


class Settings(param.Parameterized):
    """Named, bounded, documented values; a wrong one is refused with one sentence."""

    def __init__(self, **values: Any) -> None:
        super().__init__()
        known = self.setting_names()
        for name, value in values.items():
            if name not in known:
                raise InputError(
                    f"{type(self).__name__} has no setting {name!r}; its settings are: {', '.join(known)}"
                )
            try:
                setattr(self, name, value.item() if isinstance(value, np.generic) else value)
            except (ValueError, TypeError):
                raise InputError(f"{name} is {value!r}; give {_describe_values(self.param[name])}") from None

    @classmethod
    def setting_names(cls) -> list[str]:
        """Return the names of all settings, in the order of declaration."""
        return [name for name in cls.param if name != "name"]

    def settings(self) -> dict[str, Any]:
        """Return all settings with their values, ready for JSON."""
        return {name: getattr(self, name) for name in self.setting_names()}


def _describe_values(setting: param.Parameter) -> str:
    """Say in words which values a setting takes."""
    if isinstance(setting, param.Selector):
        return "one of " + ", ".join(map(str, setting.objects))
    kind = {"Integer": "a whole number", "Number": "a number", "Boolean": "true or false", "String": "a text"}
    words = kind.get(type(setting).__name__, f"a {type(setting).__name__}")
    low, high = getattr(setting, "bounds", None) or (None, None)
    limits = [f"{word} {limit}" for word, limit in (("from", low), ("to", high)) if limit is not None]
    return " ".join([words, *limits])


class Analysis(Settings):
    """Settings of an analysis that learns a model from images.

    A subclass sets `analysis` to its name in the catalogue, `model_class` to its Model, and defines `fit`.
    """

    analysis: ClassVar[str]
    model_class: ClassVar[type["Model"]]
    title: ClassVar[str] = ""
    """Name for people, the heading of its page."""
    kind: ClassVar[ResultKind] = CLASS_MAP
    """Kind of its results."""
    page: ClassVar[str] = "maps"
    """Slug of the dashboard's page that shows its results."""
    example: ClassVar[str] = ""
    """Path below `data_example` of the data to try it on."""
    training: ClassVar[type[Settings] | None] = None
    """Base class that declares the settings that only concern `fit`; None: every setting concerns both."""
    takes: ClassVar[str] = STACK
    """What it is applied to: a stack of channels, a frame (each of a folder is then an image of its own), a
    frame or a collection of frames, or labelled pictures in a folder and those below it. The last two are
    also the names of the readers of such folders."""
    needs_labels: ClassVar[bool] = False
    """Whether `fit` learns from labels."""

    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    @classmethod
    def training_settings(cls) -> frozenset[str]:
        """Return the names of the settings that only concern `fit`: with a given model they are unused."""
        if cls.training is None:
            return frozenset()
        return frozenset(cls.training.setting_names()) | {"seed"}

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> "Model":
        """Learn a model from images; computed at once.

        Parameters
        ----------
        images : Dataset, dims ([spectral,] y, x)
        labels : DataArray, dims (y, x), optional
            Classes to learn from, 0 = none, for an analysis that needs labels.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Model:
    """Everything that an analysis learned; save it to a folder, apply it to other images.

    A subclass defines `predict`. `arrays` holds everything numeric that was learned.
    """

    analysis: str
    settings: Mapping[str, Any]
    class_names: tuple[str, ...]
    arrays: Mapping[str, np.ndarray] = field(repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Anything else JSON can hold: feature names, units, the input range seen in training, metrics."""
    recipe: Mapping[str, Any] | None = None
    network: Path | None = None
    """A `.keras` file, where weights of a network were learned; `metadata` holds its digest."""
    folder: Path | None = None
    """Folder that the model was read from."""

    @property
    def names(self) -> dict[int, str]:
        """Class names by label, from 1."""
        return dict(enumerate(self.class_names, start=1))

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Apply the model to images.

        Parameters
        ----------
        images : Dataset, dims ([spectral,] y, x)

        Returns
        -------
        DataTree
            Maps at the root, a group a table; lazy where that is possible.
        """
        raise NotImplementedError

    def digest(self) -> str:
        """Return the SHA-256 of all that was learned: arrays, class names, metadata and network."""
        digest = hashlib.sha256()
        learned = {
            "analysis": self.analysis,
            "classes": list(self.class_names),
            "metadata": dict(self.metadata),
        }
        digest.update(json.dumps(learned, sort_keys=True, ensure_ascii=False).encode())
        for name in sorted(self.arrays):
            array = np.asarray(self.arrays[name], order="C")
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, the arrays in base64; `model_from_dict` reads it.

        A network is named by where it lies; its digest tells whether it is the same.
        """
        arrays = {name: _encode(array) for name, array in self.arrays.items()}
        return {**self._header(), "arrays": arrays, **self._network_entry()}

    def reference(self) -> dict[str, Any]:
        """Return a small model whole, of a larger one its digest and place, for a recipe."""
        if sum(np.asarray(array).nbytes for array in self.arrays.values()) <= EMBEDDED_BYTES:
            whole = self.to_dict()
            if len(json.dumps(whole["metadata"])) <= EMBEDDED_BYTES:
                return {**whole, "recipe": None}
        folder = self.folder if self.folder is not None or self.network is None else self.network.parent
        where = {} if folder is None else {"folder": str(folder.absolute())}
        named = {
            name: self._header()[name] for name in ("mapstack_model", "analysis", "settings", "class_names")
        }
        return {**named, "digest": self.digest(), **where}

    def to_group(self) -> xr.Dataset:
        """Return everything as a group of a result: arrays as variables, the rest as JSON in an attr."""
        arrays = {
            name: xr.Variable([f"{name}_{axis}" for axis in range(np.ndim(array))], np.asarray(array))
            for name, array in self.arrays.items()
        }
        card = json.dumps({**self._header(), "recipe": None}, ensure_ascii=False)
        network = {} if self.network is None else {NETWORK_FILE: str(self.network.absolute())}
        return xr.Dataset(arrays, attrs={CARD: card, **network})

    def _network_entry(self) -> dict[str, str]:
        return {} if self.network is None else {"network": str(self.network.absolute())}

    def save(self, folder: str | Path) -> Path:
        """Write `model.json`, `arrays.npz` and `network.keras` into a folder, never a pickle."""
        folder = Path(folder)
        arrays: dict[str, Any] = {name: np.asarray(array) for name, array in self.arrays.items()}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            np.savez(folder / "arrays.npz", **arrays)
            if self.network is not None and self.network.absolute() != (folder / NETWORK).absolute():
                shutil.copyfile(self.network, folder / NETWORK)
            (folder / "model.json").write_text(json.dumps(self._header(), indent=1), encoding="utf-8")
        except OSError as error:
            raise FileError(f"cannot write the model to {folder} ({error}); give another folder") from None
        return folder

    def _header(self) -> dict[str, Any]:
        return {
            "mapstack_model": MODEL_VERSION,
            "analysis": self.analysis,
            "settings": dict(self.settings),
            "class_names": list(self.class_names),
            "metadata": dict(self.metadata),
            "recipe": self.recipe,
        }


def is_model(folder: str | Path) -> bool:
    """Return whether a folder holds a saved model."""
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
        header = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        network = folder / NETWORK if (folder / NETWORK).is_file() else None
        return _check_network(_make_model(header, arrays, f"the model in {folder}", network, folder))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise FileError(
            f"no readable model in {folder} ({error}); give a folder written by 'mapstack fit'"
        ) from None


def model_from_dict(document: Mapping[str, Any], result: xr.DataTree | None = None) -> Model:
    """Return the model that a recipe holds or names.

    Parameters
    ----------
    document
        From `Model.to_dict` or `Model.reference`.
    result
        A result whose group of the model is looked at first, where the recipe only names the model.

    Raises
    ------
    InputError
        If it is no model, one of a version this one does not know, or one that is not found any more.
    """
    try:
        if "arrays" not in document:
            return replace(_find_model(document, result), settings=document["settings"])
        arrays = {name: _decode(entry) for name, entry in document["arrays"].items()}
        network = _find_network(document) if "network" in document else None
        return _make_model(document, arrays, "the recipe's model", network)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the recipe's model is damaged ({error}); run the recipe without it") from None


def model_from_group(group: xr.Dataset) -> Model:
    """Return the model that a group of a result holds.

    Parameters
    ----------
    group : Dataset
        From `Model.to_group`.

    Raises
    ------
    InputError
        If it is of a version this one does not know.
    """
    header = json.loads(str(group.attrs[CARD]))
    arrays = {str(name): variable.values for name, variable in group.data_vars.items()}
    network = Path(str(group.attrs[NETWORK_FILE])) if NETWORK_FILE in group.attrs else None
    return _make_model(header, arrays, "the result's model", network)


def _find_model(document: Mapping[str, Any], result: xr.DataTree | None) -> Model:
    """Look for the model that a recipe names: in the result, shipped, or in the folder it was read from."""
    wanted = document["digest"]
    if result is not None and has(result, MODEL):
        model = model_from_group(result.children[MODEL].to_dataset(inherit=False))
        if model.digest() == wanted:
            return model
    given = document.get("folder")
    for folder in (find_shipped_model(document["analysis"]), None if given is None else Path(given)):
        if folder is not None and is_model(folder):
            model = load_model(folder)
            if model.digest() == wanted:
                return model
    if "store" in document:
        return _read_stored_model(Path(document["store"]), wanted)
    raise InputError(
        f"the recipe's model ({given or document['analysis']}, digest {wanted[:12]}) is not there any more;"
        " give the folder of the model (--model), or the result that holds it"
    )


def _read_stored_model(store: Path, wanted: str) -> Model:
    """Return the model that a stored result holds."""
    try:
        with xr.open_dataset(store, engine="zarr", group=MODEL, consolidated=False) as group:
            model = model_from_group(group.load())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"the result {store} holds no readable model ({error}); give --model") from None
    if model.digest() != wanted:
        raise InputError(f"the result {store} holds another model than the recipe names; give --model")
    return model


def model_of(result: xr.DataTree) -> Model:
    """Return the model that made a result.

    Raises
    ------
    InputError
        If its recipe has none, or it is not found any more.
    """
    document = json.loads(str(result.attrs["recipe"])).get("model")
    if document is None:
        raise InputError("the result was made without a model; run its recipe again")
    return model_from_dict(document, result)


def copy_model(folder: str | Path, out: str | Path) -> Path:
    """Copy a model folder, whole; its files are not made again.

    Parameters
    ----------
    folder
        The model.
    out
        The new folder; files of a model that lies there are replaced.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    folder, out = Path(folder), Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            shutil.copyfile(file, out / file.name)
    except OSError as error:
        raise FileError(f"cannot write the model to {out} ({error}); give another folder") from None
    return out


def find_shipped_model(analysis: str) -> Path | None:
    """Return the folder of the model that Mapstack brings for an analysis, None without one."""
    dotted = catalogue.ANALYSES[analysis].partition(":")[0]
    folder = Path(__file__).parents[1].joinpath(*dotted.split(".")[:-1]) / "shipped"
    return folder if is_model(folder) else None


def network_digest(path: Path) -> str:
    """Return the SHA-256 of a network's file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_network(model: Model) -> Model:
    """Refuse a network that is not the one that the model was saved with."""
    wanted = model.metadata.get(DIGEST)
    found = None if model.network is None else network_digest(model.network)
    if wanted != found:
        raise ValueError("its network is damaged or missing")
    return model


def _find_network(document: Mapping[str, Any]) -> Path:
    """Return the network that a recipe names: the one that Mapstack brings, or where the recipe says."""
    shipped = find_shipped_model(document["analysis"])
    for path in (shipped / NETWORK if shipped else None, Path(document["network"])):
        if path is not None and path.is_file() and network_digest(path) == document["metadata"][DIGEST]:
            return path
    raise InputError(
        f"the network {document['network']} of the recipe's model is not there any more;"
        " give the folder of the model (--model)"
    )


def _make_model(
    header: Mapping[str, Any],
    arrays: dict[str, np.ndarray],
    what: str,
    network: Path | None,
    folder: Path | None = None,
) -> Model:
    if header["mapstack_model"] != MODEL_VERSION or header["analysis"] not in catalogue.ANALYSES:
        raise InputError(
            f"{what} has version {header['mapstack_model']} of {header['analysis']!r},"
            f" this Mapstack reads version {MODEL_VERSION}; fit the model again"
        )
    analysis: type[Analysis] = catalogue.find("analyses", header["analysis"])
    return analysis.model_class(
        analysis=header["analysis"],
        settings={**analysis().settings(), **header["settings"]},  # some may be younger than the model
        class_names=tuple(header["class_names"]),
        arrays=arrays,
        metadata=header["metadata"],
        recipe=header["recipe"],
        network=network,
        folder=folder,
    )


def _encode(array: np.ndarray) -> dict[str, Any]:
    array = np.asarray(array, order="C")  # ascontiguousarray would give a number a dim
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "base64": data}


def _decode(entry: Mapping[str, Any]) -> np.ndarray:
    dtype = np.dtype(entry["dtype"])
    if dtype.kind not in "fiub":
        raise InputError(f"the recipe's model holds {dtype} values; expected numbers")
    return np.frombuffer(base64.b64decode(entry["base64"]), dtype).reshape(entry["shape"]).copy()
