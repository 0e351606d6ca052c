"""From a path to the inputs of an analysis: one image a frame, a collection, labelled images, or a stack.

The command line, jobs and pages all decide here what a folder means to an analysis.
"""

from pathlib import Path

import xarray as xr

from engine import catalogue
from engine.analysis import COLLECTION, FRAME, LABELLED, Analysis
from engine.readers import open_images, split_key
from engine.readers.collection import images_in
from engine.readers.fits.frame_folder import has_amplifiers, is_frame
from engine.readers.labels.label_files import is_result, labels_of
from engine.readers.labels.labelled_folder import picture_labels


def open_inputs(path: str | Path, analysis: str) -> xr.Dataset:
    """Open a file or folder as an analysis takes it: a folder is a collection to one that takes collections.

    Parameters
    ----------
    path
        A file or folder; `::KEY` behind it picks a part.
    analysis
        Name in the catalogue.

    Returns
    -------
    Dataset, dims ([spectral or image,] y, x)
        Lazy.

    Raises
    ------
    FileError, InputError
        If it cannot be opened.
    """
    where, key = split_key(path)
    is_folder = where.is_dir() and key is None and not is_result(where)
    takes = catalogue.find("analyses", analysis).takes
    return open_images(path, reader=takes if is_folder and takes in (COLLECTION, LABELLED) else None)


def list_inputs(path: str, analysis: str) -> list[str]:
    """Return the paths of which an analysis makes a result each: the frames of a folder, or the path itself.

    Parameters
    ----------
    path
        A file or folder.
    analysis
        Name in the catalogue.
    """
    if catalogue.find("analyses", analysis).takes != FRAME:
        return [path]
    if not Path(path).is_dir() or (Path(path) / "zarr.json").exists():
        return [path]
    files = images_in(Path(path))
    mosaics = {file for file in files if is_frame(file) and has_amplifiers(file)}
    return [f"{file}::mosaic" if file in mosaics else str(file) for file in files] or [path]


def open_labels(analysis: Analysis, source: str, labels: str | None) -> xr.DataArray | None:
    """Open the labels that an analysis learns from; None for one that needs none.

    Parameters
    ----------
    analysis
        Its settings.
    source
        Path of the images.
    labels
        Where the labels lie; they are looked for beside the images if not given.

    Raises
    ------
    InputError
        If there are none.
    """
    if not analysis.needs_labels:
        return None
    if analysis.takes == LABELLED:
        return picture_labels(source, labels=labels)
    return labels_of(source) if labels is None else labels_of(source, labels=labels)
