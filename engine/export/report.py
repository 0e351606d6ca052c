"""A result as a figure for a paper and as a report that stands alone, by what it is of."""

from pathlib import Path

import xarray as xr

from engine.export import particle_report, picture_report
from engine.export.collections import offered_for
from engine.schema import PICTURES


@offered_for("particles", "micrographs")
def write_figure(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a summary figure of a population of particles or of classified pictures, PNG and PDF.

    Raises
    ------
    InputError
        If the result is of neither.
    """
    if PICTURES in result.children:
        return picture_report.write_figure(result, folder, images=images)
    return particle_report.write_figure(result, folder, images=images)


@offered_for("particles", "micrographs")
def write_html(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a report of a population of particles or of classified pictures: figures, tables, methods.

    Raises
    ------
    InputError
        If the result is of neither.
    """
    if PICTURES in result.children:
        return picture_report.write_html(result, folder, images=images)
    return particle_report.write_html(result, folder, images=images)
