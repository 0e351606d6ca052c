"""Pictures of single particles, in a folder a class, and a table that says which is which."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from engine.errors import InputError
from engine.export.atomic import appearing
from engine.export.collections import micrograph_names
from engine.export.provenance import LINE, file_name, recipe_text, stem
from engine.export.tables import objects_frame, plain_text
from engine.schema import IMAGE, IMAGE_TABLE, LABEL, image_variables, table
from engine.schema import columns as c

AROUND: Final = 0.25
"""How much of a particle's size is shown with it on each side."""
LEAST: Final = 8
"""Pixels shown with a particle on each side, at least."""
CENTRAL: Final = (0.5, 99.5)
"""Percentiles of a micrograph between which its crops are grey."""
THIN: Final = 3
"""Of so many rows and columns one is looked at for the percentiles."""


def window(row: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a micrograph that show a particle and its surroundings.

    Parameters
    ----------
    row
        Of the table of particles: `bbox_top`, `bbox_left`, `bbox_bottom`, `bbox_right`.
    shape
        Rows and columns of the micrograph.
    """
    high, wide = row[c.BOTTOM] - row[c.TOP], row[c.RIGHT] - row[c.LEFT]
    half = max(high, wide) * (0.5 + AROUND) + LEAST
    middle = (row[c.TOP] + row[c.BOTTOM]) / 2, (row[c.LEFT] + row[c.RIGHT]) / 2
    rows, columns = (
        slice(max(0, int(centre - half)), min(n, int(centre + half) + 1))
        for centre, n in zip(middle, shape, strict=True)
    )
    return rows, columns


def grey_limits(values: np.ndarray) -> tuple[float, float]:
    """Return the values of a micrograph `(y, x)` that become black and white."""
    thin = values[::THIN, ::THIN].astype(np.float64)
    low, high = np.nanpercentile(thin, CENTRAL) if np.isfinite(thin).any() else (0.0, 1.0)
    return float(low), float(high)


def grey(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Return the values between two limits as black to white, uint8; what is no data is black.

    Parameters
    ----------
    values : ndarray (y, x)
        Values of the pixels.
    limits : tuple of float
        Values that become black and white.
    """
    low, high = limits
    scaled = (values.astype(np.float64) - low) / max(high - low, 1e-12) * 255
    return np.asarray(np.nan_to_num(scaled).clip(0, 255), np.uint8)


def write_crops(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a PNG a particle into a folder a class, and `*_crops.csv` that lists them.

    Parameters
    ----------
    images : Dataset, dims ([image,] y, x)
        The micrographs.

    Raises
    ------
    InputError
        If the result holds no particles, or the micrographs are not given.
    """
    if images is None:
        raise InputError("crops are cut from the micrographs, and they were not given; give the images")
    particles, written = objects_frame(result), []
    names = micrograph_names(table(result, IMAGE_TABLE)[c.FILE].values.tolist())
    plane = images[image_variables(images)[0]]
    for number in np.unique(particles[IMAGE]).tolist():
        values = np.asarray((plane.isel({IMAGE: number}) if IMAGE in plane.dims else plane).values)
        ends = grey_limits(values)
        for row in _rows(particles[particles[IMAGE] == number]):
            kind = file_name(str(row[c.NAME])) or f"class_{row[c.CLASS]}"
            path = Path(folder) / kind / f"{names[number]}_{row[LABEL]:04d}.png"
            _save(grey(values[window(row, values.shape)], ends), path)
            written.append(path)
    index = Path(folder) / f"{stem(result, images)}_crops.csv"
    listed = particles.assign(crop=[str(path.relative_to(folder)) for path in written])
    with appearing(index) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{LINE}{recipe_text(result)}\n")
        plain_text(listed).to_csv(file, index=False)
    return [index, *written]


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _save(pixels: np.ndarray, path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path) as draft:
        Image.fromarray(pixels).save(draft, "PNG")
