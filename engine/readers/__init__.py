"""Files into images: lazily, whatever the format, with what the user should know in `warnings`."""

from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from engine import catalogue, schema
from engine.readers.description import describe
from engine.readers.dispatch import reader_of, split_key
from engine.readers.guard import clear_errors
from engine.readers.source_digest import digest
from engine.readers.stack import dumps

__all__ = ["describe", "digest", "open_images", "split_key"]


def open_images(
    path: str | Path, *, reader: str | None = None, chunks: Mapping[str, int] | None = None
) -> xr.Dataset:
    """Open a file or folder as images; no pixel is read before something is computed.

    Parameters
    ----------
    path
        A file or folder; `::KEY` behind it picks a part.
    reader
        Name of the reader to use; the first that accepts the file otherwise.
    chunks
        Pixels along `y` and `x` of a tile; the format's own or about 32 MB otherwise.

    Returns
    -------
    Dataset, dims (spectral, y, x)
        As laid out in `engine.schema`; attrs `source reader title warnings`.

    Raises
    ------
    FileError
        If there is no such file or it is damaged.
    InputError
        If no reader knows the format, or the file holds no images.
    """
    where, key = split_key(path)
    name = reader_of(where) if reader is None else reader
    module = catalogue.find("readers", name)
    with clear_errors(where):
        images = module.read(where, key=key, chunks=chunks)
        if chunks:
            images = images.chunk({dim: size for dim, size in chunks.items() if dim in schema.PIXEL})
        source = str(where.absolute()) + (f"::{key}" if key else "")
    attrs = {"title": where.stem, "warnings": dumps([]), **images.attrs, "source": source, "reader": name}
    return schema.check(images.assign_attrs(attrs))
