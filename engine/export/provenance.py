"""The recipe in every file that Mapstack writes, and how it is found again."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import xarray as xr

from engine.errors import FileError, InputError, MapstackError
from engine.recipe import Recipe

RECIPE: Final = "recipe"
"""Name of the attr, keyword, tag, table or member that holds the recipe."""
LINE: Final = "# recipe: "
"""Start of the line that holds the recipe in text files."""

_LONGEST_LINE: Final = 2**26


def recipe_text(result: xr.DataTree) -> str:
    """Return the recipe of a result as one line of JSON; empty if it has none."""
    return str(result.attrs.get(RECIPE, ""))


def ascii_recipe(result: xr.DataTree) -> str:
    """Return the recipe with all but ASCII escaped, for formats that hold nothing else."""
    text = recipe_text(result)
    return json.dumps(json.loads(text)) if text else ""


def stem(result: xr.DataTree, images: xr.Dataset | None = None) -> str:
    """Return the start of the name of every file exported from a result: its title or source, made safe.

    Parameters
    ----------
    result
        A result of any kind.
    images : Dataset, optional
        Their title comes first.

    Examples
    --------
    >>> stem(xr.DataTree(xr.Dataset(attrs={"source": "measured/hBN: a/b.ds.dat"})))
    'b'
    """
    source = Path(str(result.attrs.get("source", "")).partition("::")[0]).name.partition(".")[0]
    title = (images.attrs.get("title") if images is not None else None) or result.attrs.get("title")
    return file_name(str(title or source)) or "mapstack"


def file_name(text: str) -> str:
    """Turn any text into a name that every file system takes, keeping letters of all languages."""
    kept = re.sub(r"[^\w.+-]+", "_", unicodedata.normalize("NFC", text))
    return kept.encode()[:100].decode(errors="ignore").strip("._-")


def one_line(text: str) -> str:
    r"""Turn any text into one line without control characters.

    Examples
    --------
    >>> one_line("two\nlines\x00")
    'two lines'
    """
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def read_recipe(path: str | Path) -> Recipe:
    """Return the recipe of a recipe file, a stored result or any file that Mapstack exported.

    Raises
    ------
    FileError
        If the file is not there or cannot be read.
    InputError
        If it carries no recipe.
    """
    path = Path(path)
    if not path.exists():
        raise FileError(f"{path} is not there; give a recipe, a result or an export")
    try:
        text = _from_store(path) if path.is_dir() else _from_file(path)
    except PermissionError:
        raise FileError(f"{path} cannot be read: no permission; ask its owner") from None
    except MapstackError:
        raise
    except Exception as error:  # libraries raise nearly anything on files that are not what they seem
        raise InputError(
            f"no recipe in {path} ({type(error).__name__}); give a recipe, a result or an export"
        ) from error
    if not text:
        raise InputError(f"{path} carries no recipe; give a recipe, a result or an export of Mapstack")
    try:
        return Recipe.from_json(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _from_store(path: Path) -> str:
    document = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    return str(document["attributes"].get(RECIPE, ""))


def _from_file(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    for magic, read in _READERS.items():
        if head.startswith(magic):
            return read(path)
    return _from_text(path)


def _from_text(path: Path) -> str:
    """Find the recipe's line among the comments at the start of a text, or a document that is a recipe."""
    with path.open(encoding="utf-8-sig") as file:
        for line in iter(lambda: file.readline(_LONGEST_LINE), ""):
            if line.startswith(LINE):
                return line[len(LINE) :]
            if line.lstrip().startswith(("{", "[")):
                return _from_json(path)
            if not line.startswith(("#", "<!doctype html><!--")):
                break
    return ""


def _from_json(path: Path) -> str:
    document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(document, Mapping):
        return ""
    is_recipe = "analysis" in document and "schema" in document
    return (
        json.dumps(document if is_recipe else document.get(RECIPE)) if is_recipe or RECIPE in document else ""
    )


def _from_parquet(path: Path) -> str:
    from pyarrow import parquet

    metadata = parquet.read_schema(path).metadata or {}
    return bytes(metadata.get(RECIPE.encode(), b"")).decode()


def _from_netcdf(path: Path) -> str:
    import h5py

    with h5py.File(path, "r") as file:
        return str(file.attrs.get(RECIPE, ""))


def _from_tiff(path: Path) -> str:
    import tifffile

    with tifffile.TiffFile(path) as file:
        document = json.loads(file.pages.first.description)
    return json.dumps(document[RECIPE])


def _from_fits(path: Path) -> str:
    from astropy.io import fits

    with fits.open(path, memmap=False) as units:
        return "".join(units["RECIPE"].data["recipe"])


def _from_png(path: Path) -> str:
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as image:
        return str(image.info.get(RECIPE, ""))


def _from_svg(path: Path) -> str:
    from defusedxml import ElementTree

    found = ElementTree.parse(path).iter("{http://purl.org/dc/elements/1.1/}description")
    return next((node.text or "" for node in found), "")


_READERS: Final[Mapping[bytes, Callable[[Path], str]]] = {
    b"PAR1": _from_parquet,
    b"\x89HDF": _from_netcdf,
    b"II*\0": _from_tiff,
    b"II+\0": _from_tiff,
    b"MM\0*": _from_tiff,
    b"MM\0+": _from_tiff,
    b"SIMPLE": _from_fits,
    b"\x89PNG": _from_png,
    b"<?xml": _from_svg,
    b"<svg": _from_svg,
}
"""How to find the recipe in a file that starts with these bytes; anything else is text."""
