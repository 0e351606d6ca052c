"""Value maps as TIFF, FITS, PNG and SVG: one image a value, with its unit, pixel size and the recipe."""

import json
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from engine.export.atomic import appearing
from engine.export.fits_tables import ascii_text
from engine.export.provenance import RECIPE, ascii_recipe, one_line, recipe_text, stem
from engine.export.rasters import image_axes, pixel_resolution, recipe_unit
from engine.export.streaming import in_memory
from engine.schema import ORDER, VALID, VALUES, pixel_map, table

QUANTILES: Final = {"q05": 0.05, "median": 0.5, "q95": 0.95}
COLOUR_LIMITS: Final = (0.01, 0.99)
"""Quantiles of a value between which its colours change."""
COLOURS: Final = "viridis"
_DPI: Final = 150


def value_names(result: xr.DataTree) -> list[str]:
    """Return the names of the values of a value map, without their errors, in the analysis' order.

    A store gives variables by the alphabet; the attr `order` of the group keeps the order.
    """
    values = table(result, VALUES)
    names = [str(name) for name in values.data_vars if not str(name).endswith("_error")]
    first = str(values.attrs.get(ORDER, "")).split()
    return sorted(names, key=lambda name: first.index(name) if name in first else len(first))


def values_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return one row a value: `name units count mean std q05 median q95` of all pixels that have one."""
    values = table(result, VALUES)
    rows = []
    for name in value_names(result):
        known = np.asarray(values[name].values, np.float64)
        known = known[np.isfinite(known)]
        spread = [known.mean(), known.std()] if known.size else [np.nan, np.nan]
        quantiles = np.quantile(known, list(QUANTILES.values())) if known.size else [np.nan] * len(QUANTILES)
        units = str(values[name].attrs.get("units", "1"))
        rows.append((name, units, known.size, *spread, *quantiles))
    return pd.DataFrame(rows, columns=["name", "units", "count", "mean", "std", *QUANTILES])


def write_tiff(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write each value and its error as a float32 TIFF, NaN where there is none.

    The description tag holds recipe, name and units as JSON, the resolution tags the size of a pixel.

    Parameters
    ----------
    result
        A value map.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    import tifffile

    result = in_memory(result)
    start = Path(folder) / stem(result, images)
    paths = []
    for name, values in table(result, VALUES).data_vars.items():
        path = start.with_name(f"{start.name}_{name}.tif")
        description = {
            "map": str(name),
            "units": str(values.attrs.get("units", "1")),
            RECIPE: json.loads(recipe_text(result) or "null"),
        }
        with appearing(path) as draft:
            tifffile.imwrite(
                draft,
                values.values.astype(np.float32),
                photometric="minisblack",
                compression="zlib",
                description=json.dumps(description),
                metadata=None,
                software="Mapstack",
                **pixel_resolution(pixel_map(result, VALID)),
            )
        paths.append(path)
    return paths


def write_fits(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write each value and its error as a FITS image of float32, NaN where there is none, and the recipe.

    Parameters
    ----------
    result
        A value map.
    folder
        For the file.
    images : Dataset, optional
        The images that the result was made from; their title names the file.
    """
    from astropy.io import fits

    result = in_memory(result)
    path = Path(folder) / f"{stem(result, images)}.fits"
    units = fits.HDUList()
    for name, values in table(result, VALUES).data_vars.items():
        kind = fits.ImageHDU if units else fits.PrimaryHDU
        units.append(kind(values.values.astype(np.float32)))
        units[-1].name = str(name)
        units[-1].header["BUNIT"] = ascii_text(str(values.attrs.get("units", "1")))
        units[-1].header.update(image_axes(pixel_map(result, VALID)))
    units.append(recipe_unit(result))
    with appearing(path) as draft:
        units.writeto(draft, checksum=True, output_verify="exception")
    return [path]


def write_png(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a picture of each value with its colour bar as PNG; the recipe is in its `tEXt` chunk.

    Parameters
    ----------
    result
        A value map.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    return _write_pictures(
        result, folder, images, "png", {RECIPE: ascii_recipe(result), "Software": "Mapstack"}
    )


def write_svg(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a picture of each value with its colour bar as SVG; the recipe is the metadata's description.

    Parameters
    ----------
    result
        A value map.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    return _write_pictures(result, folder, images, "svg", {"Description": ascii_recipe(result), "Date": None})


def _write_pictures(
    result: xr.DataTree,
    folder: str | Path,
    images: xr.Dataset | None,
    ending: str,
    metadata: dict[str, str | None],
) -> list[Path]:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    result = in_memory(result)
    start = Path(folder) / stem(result, images)
    paths = []
    # a figure of its own, not pyplot's: no global state, any thread
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mapstack", "text.parse_math": False}):
        for name in value_names(result):
            path = start.with_name(f"{start.name}_{name}.{ending}")
            figure = _draw(table(result, VALUES)[name])
            FigureCanvasAgg(figure)
            with appearing(path) as draft, warnings.catch_warnings():
                # a letter that the font lacks is drawn as a box; the name is whole in every other format
                warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
                figure.savefig(draft, format=ending, dpi=_DPI, metadata=metadata)
            paths.append(path)
    return paths


def _draw(values: xr.DataArray) -> Any:
    """Return a figure of one value: the map to scale, white where there is no value, and a colour bar."""
    from matplotlib.figure import Figure

    data = values.values
    known = data[np.isfinite(data)]
    low, high = np.quantile(known, COLOUR_LIMITS) if known.size else (0.0, 1.0)
    figure = Figure(figsize=(6.4, 4.8), layout="constrained", facecolor="white")
    axis = figure.subplots()
    y, x = (_edges(values, dim) for dim in values.dims)
    drawn = axis.imshow(
        data, cmap=COLOURS, vmin=low, vmax=high, extent=(x[0], x[1], y[1], y[0]), interpolation="nearest"
    )
    units = str(values.attrs.get("units", "1"))
    label = one_line(str(values.attrs.get("long_name", values.name)))
    figure.colorbar(drawn, ax=axis, label=label if units == "1" else f"{label} ({units})")
    for name, set_label in ((values.dims[1], axis.set_xlabel), (values.dims[0], axis.set_ylabel)):
        of_dim = values.coords[name].attrs.get("units", "px") if name in values.coords else "px"
        set_label(f"{name} ({of_dim})")
    return figure


def _edges(values: xr.DataArray, dim: Any) -> tuple[float, float]:
    """Return the outer borders of the first and the last pixel along a dim."""
    count = values.sizes[dim]
    centres = (
        values.coords[dim].values.astype(float) if dim in values.coords else np.arange(count, dtype=float)
    )
    half = (centres[-1] - centres[0]) / max(1, count - 1) / 2 if count > 1 else 0.5
    return float(centres[0] - half), float(centres[-1] + half)
