"""Tables of a result as DataFrames, as text ready for model fitting, and as Parquet."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import pandas as pd
import xarray as xr

from engine.errors import InputError
from engine.export.atomic import appearing
from engine.export.provenance import LINE, RECIPE, one_line, recipe_text, stem
from engine.export.streaming import in_memory
from engine.export.value_maps import values_frame
from engine.schema import (
    AUDIT,
    CHANGE,
    CHANNEL,
    CLASSES,
    FRACTIONS,
    IMAGE,
    IMAGE_TABLE,
    LABEL,
    LABELS,
    OBJECT,
    OBJECT_TABLE,
    SPECTRA,
    SPECTRAL,
    STATISTICS,
    VALUES,
    ZONE_TABLE,
    pixel_map,
    table,
)
from engine.schema import columns as c
from engine.schema.accessors import names_of
from engine.schema.kinds import POPULATION, SORTED_IMAGES, has, is_kind

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Starts of a text that a spreadsheet would run as a formula (OWASP, CSV injection)."""


def classes_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row a class: `label name color count fraction area ...`."""
    return _frame(table(result, CLASSES), LABEL)


def spectra_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row a class, channel and variable: `label name <spectral dim> variable mean ... count`."""
    spectra = table(result, SPECTRA)
    names = names_of(result)
    parts = [_long(spectra, variable) for variable in image_variables_of(spectra)]
    tidy = pd.concat(parts, ignore_index=True)
    tidy.insert(1, c.NAME, [names.get(label, "") for label in tidy[LABEL]])
    return tidy


def objects_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row an object, of a population with its file; an empty table if there are no objects."""
    if not has(result, OBJECT_TABLE):
        return pd.DataFrame()
    frame = _frame(table(result, OBJECT_TABLE), OBJECT)
    if is_kind(result, POPULATION):
        files = table(result, IMAGE_TABLE)[c.FILE].values
        frame.insert(1, c.FILE, files[frame[IMAGE].to_numpy()] if len(files) > 1 else files[0])
        frame[c.NAME] = frame[c.CLASS].map(names_of(result)).fillna(frame[c.NAME])  # it may be renamed
    return frame


def images_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row a micrograph or image; of sorted images with the name and probability of each class."""
    images = table(result, IMAGE_TABLE)
    frame = _frame(images, IMAGE)
    if is_kind(result, SORTED_IMAGES):
        names = names_of(result)
        frame.insert(2, c.NAME, frame[c.CLASS].map(names))
        for label, column in zip(images[LABEL].values.tolist(), images[c.PROBABILITY].values.T, strict=True):
            frame[f"probability {names[label]}"] = column
    return frame


def fractions_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row a class: `label name count fraction low high ...`, of the particles."""
    frame = _frame(table(result, FRACTIONS), LABEL)
    frame.insert(1, c.NAME, frame[LABEL].map(names_of(result)))
    return frame


def audit_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row an object that a rule gave another class; an empty table if no rules were applied."""
    if not has(result, AUDIT):
        return pd.DataFrame()
    return _frame(table(result, AUDIT), CHANGE)


def image_variables_of(spectra: xr.Dataset) -> list[str]:
    """Return the names of the image variables that a table of spectra describes, Delta before Psi."""
    return [
        str(name).removesuffix("_mean") for name in sorted(map(str, spectra)) if str(name).endswith("_mean")
    ]


def spectral_coordinate(spectra: xr.Dataset) -> tuple[str, np.ndarray, str]:
    """Return name, values and units of the channels; one channel 0 for plain images."""
    dim = next((d for d in SPECTRAL if d in spectra.dims), None)
    if dim is None:
        return CHANNEL, np.zeros(1, int), "1"
    coordinate = spectra[dim]
    return dim, coordinate.values, str(coordinate.attrs.get("units", "1"))


def write_dat(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the spectra of all clusters and the pixels of each as tab-separated text.

    `*_clustershot.dat`: one row a channel; the channel, then per cluster mean and standard deviation of each
    variable. `*_coordinates.dat`: one row a pixel; cluster, row and column, counted from 0. Lines that start
    with `#` hold names, units and the recipe; NumPy, Origin and fitting programs skip them.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    if not has(result, SPECTRA):
        raise InputError("a collection of micrographs has no spectra for .dat; export it to csv or parquet")
    result = in_memory(result)
    start = Path(folder) / stem(result, images)
    shot, pixels = (start.with_name(f"{start.name}_{kind}.dat") for kind in ("clustershot", "coordinates"))
    with appearing(shot) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        _write_clustershot(result, file)
    with appearing(pixels) as draft:
        _write_coordinates(result, draft)
    return [shot, pixels]


def write_csv(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the tables as comma-separated text, below a `# recipe:` line (`pandas.read_csv(comment="#")`).

    A text that a spreadsheet would run as a formula starts with an apostrophe.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    paths = []
    for path, frame, units in _tables(result, folder, images, "csv"):
        with appearing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
            file.write(f"{LINE}{recipe_text(result)}\n# units: {json.dumps(units, ensure_ascii=False)}\n")
            plain_text(frame).to_csv(file, index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        paths.append(path)
    return paths


def write_parquet(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the tables as Parquet, recipe and units in the metadata of the schema.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    import pyarrow as pa
    from pyarrow import parquet

    paths = []
    for path, frame, units in _tables(result, folder, images, "parquet"):
        data = pa.Table.from_pandas(frame, preserve_index=False)
        extra = {RECIPE: recipe_text(result), "units": json.dumps(units, ensure_ascii=False)}
        with appearing(path) as draft:
            parquet.write_table(
                data.replace_schema_metadata({**(data.schema.metadata or {}), **extra}), draft
            )
        paths.append(path)
    return paths


def _tables(
    result: xr.DataTree, folder: str | Path, images: xr.Dataset | None, ending: str
) -> list[tuple[Path, pd.DataFrame, dict[str, str]]]:
    """Return path, content and units of every table that the result has."""
    result = in_memory(result)
    frames = {
        kind: (frame(result), _units(table(result, group)))
        for kind, (group, frame) in _FRAMES.items()
        if has(result, group)
    }
    start = stem(result, images)
    return [(Path(folder) / f"{start}_{kind}.{ending}", *content) for kind, content in frames.items()]


def zones_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row a class of another class map: the values of its pixels."""
    return _frame(table(result, ZONE_TABLE), LABEL)


_FRAMES: Final = {
    "values": (VALUES, values_frame),
    "zones": (ZONE_TABLE, zones_frame),
    "classes": (CLASSES, classes_frame),
    "spectra": (SPECTRA, spectra_frame),
    "objects": (OBJECT_TABLE, objects_frame),
    "images": (IMAGE_TABLE, images_frame),
    "fractions": (FRACTIONS, fractions_frame),
    "audit": (AUDIT, audit_frame),
}
"""Tables by the end of their file's name: the group they are of, and how they are made."""


def _units(data: xr.Dataset) -> dict[str, str]:
    return {str(n): str(v.attrs["units"]) for n, v in data.variables.items() if v.attrs.get("units")}


def _frame(data: xr.Dataset, row: str) -> pd.DataFrame:
    columns = {str(n): v.values for n, v in data.data_vars.items() if v.dims == (row,)}
    return pd.DataFrame({row: data[row].values, **columns})


def _long(spectra: xr.Dataset, variable: str) -> pd.DataFrame:
    """Return the rows of one variable, class after class."""
    dim, channels, _ = spectral_coordinate(spectra)
    labels = spectra[LABEL].values
    columns = {
        statistic: spectra[f"{variable}_{statistic}"].transpose(LABEL, ...).values.reshape(-1)
        for statistic in STATISTICS
        if f"{variable}_{statistic}" in spectra
    }
    keys = {LABEL: np.repeat(labels, channels.size), dim: np.tile(channels, labels.size)}
    return pd.DataFrame({**keys, "variable": variable, **columns})


def plain_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before every text that a spreadsheet would run as a formula."""
    text = {str(c): frame[c].map(_harmless) for c in frame.select_dtypes(exclude="number")}
    return frame.assign(**text)


def _harmless(text: Any) -> Any:
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _header(result: xr.DataTree, notes: Sequence[str], columns: Sequence[str]) -> str:
    """Return comment lines above a table of numbers; the last one names the columns."""
    names = [f"cluster {label}: {one_line(name)}" for label, name in names_of(result).items()]
    comments = [f"source: {one_line(str(result.attrs.get('source', '')))}", *names, *notes]
    lines = [f"{LINE}{recipe_text(result)}", *(f"# {line}" for line in comments)]
    return "\n".join([*lines, "# " + "\t".join(columns)]) + "\n"


def _write_clustershot(result: xr.DataTree, file: TextIO) -> None:
    spectra = table(result, SPECTRA)
    dim, channels, unit = spectral_coordinate(spectra)
    names, columns = [dim], []
    for label in spectra[LABEL].values.tolist():
        for variable in image_variables_of(spectra):
            of_class = spectra.sel({LABEL: label})
            columns += [np.atleast_1d(of_class[f"{variable}_{s}"].values) for s in ("mean", "std")]
            names += [f"{variable}_cluster_{label}", f"{variable}_std_cluster_{label}"]
    units = [f"{v}: {spectra[f'{v}_mean'].attrs.get('units', '1')}" for v in image_variables_of(spectra)]
    note = f"units: {dim}: {unit}, {', '.join(units)}; per cluster mean and standard deviation"
    file.write(_header(result, [note], names))
    for channel, *values in zip(channels.tolist(), *columns, strict=True):
        start = one_line(channel).replace(" ", "_") if isinstance(channel, str) else f"{channel:.10g}"
        file.write("\t".join([start, *(f"{value:.7g}" for value in values)]) + "\n")


def _write_coordinates(result: xr.DataTree, path: Path) -> None:
    """Write rows and columns of all pixels, cluster after cluster, each in raster order."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    labels = pixel_map(result, LABELS).values
    options = arrow_csv.WriteOptions(include_header=False, delimiter="\t")
    with path.open("wb") as file:
        note = "one line a pixel: cluster, row and column, counted from 0"
        file.write(_header(result, [note], ["cluster", "row", "column"]).encode())
        for label in table(result, CLASSES)[LABEL].values.tolist():
            rows, columns = (axis.astype(np.int32) for axis in np.nonzero(labels == label))
            cluster = np.full(rows.size, label, np.int32)
            arrow_csv.write_csv(pa.table([cluster, rows, columns], names=["c", "r", "x"]), file, options)
