"""The result of the analysis `particles`: maps drawn from what is kept of each micrograph, and tables."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from engine import blocks
from engine.nanoparticles.features import NAMES
from engine.nanoparticles.record import Record, drawn
from engine.nanoparticles.tables import (
    MicrographFacts,
    class_table,
    counts_of,
    fraction_table,
    image_table,
    object_table,
)
from engine.preprocess.intensity import frames
from engine.readers.collection import PIXEL_SIZE
from engine.recipe import SOURCE
from engine.schema import (
    CLASSES,
    CONFIDENCE,
    FEATURES,
    FRACTIONS,
    IMAGE,
    IMAGE_TABLE,
    KIND,
    LABEL,
    LABELS,
    OBJECT,
    OBJECT_TABLE,
    OBJECTS,
    PIXEL,
    SPECTRA,
    WARNINGS,
    X,
    Y,
    label_map,
    pixel_map,
)
from engine.schema import columns as col
from engine.schema.kinds import POPULATION
from engine.statistics.classes import pixel_area
from engine.statistics.spectra import class_spectra


def result_of(
    images: xr.Dataset,
    found: Sequence[Record],
    chances: Sequence[np.ndarray],
    *,
    names: Mapping[int, str],
    certainty: float,
    held_out: Mapping[str, np.ndarray],
) -> xr.DataTree:
    """Return the result of micrographs whose particles were found and judged; the maps are lazy.

    Parameters
    ----------
    images : Dataset, dims ([image,] y, x)
    found, chances
        Of each micrograph, its record and the probabilities `(object, JUDGED)`.
    names
        Class names by label.
    certainty
        Least probability of the best class of a particle that is decided.
    held_out
        `confusion` and `present`, as of `fraction_table`, where the model knows them.

    Returns
    -------
    DataTree
        `labels` (0 = ground), `confidence` (best minus second probability) and `objects`, dims
        ([image,] y, x); tables `classes`, `object_table`, `image_table`, `fractions` and `features`, of a
        single micrograph also `spectra`.
    """
    of = _micrographs(images)
    objects = object_table(found, chances, of, certainty=certainty)
    counts = counts_of(objects, n_images=len(found))
    tree = xr.DataTree(_maps(images, found, objects, names))
    tree.attrs[KIND] = POPULATION.name
    tables = {
        CLASSES: class_table(objects, names=names, colors={}),
        OBJECT_TABLE: objects,
        IMAGE_TABLE: image_table(found, objects, of),
        FRACTIONS: fraction_table(counts, held_out.get("confusion"), held_out.get("present")),
        FEATURES: _features(found, objects),
    }
    if IMAGE not in tree.dims:
        tables[SPECTRA] = class_spectra(images, pixel_map(tree, LABELS), values=sorted(names))
    for name, table in tables.items():
        tree[name] = xr.DataTree(table)
    tree.attrs[WARNINGS] = json.dumps(
        [f"{file}: {one.problem}" for file, one in zip(of.files, found, strict=True) if one.problem]
    )
    return tree


def _micrographs(images: xr.Dataset) -> MicrographFacts:
    """Return what the images say of themselves.

    Pixel sizes of a collection are one by one unless they are given.
    """
    planes = frames(images)
    area, unit = pixel_area(planes[0])
    if col.FILE in images.coords:
        files = images[col.FILE].values
    else:
        files = np.array([str(images.attrs.get(SOURCE, "")).rsplit("/", 1)[-1]] * len(planes), dtype=str)
    sizes = np.full(len(planes), np.sqrt(area))
    if unit == "px" and PIXEL_SIZE in images.coords and np.isfinite(images[PIXEL_SIZE].values).all():
        sizes, unit = images[PIXEL_SIZE].values, "nm"
    places = {dim: images[dim].values.astype(float) for dim in PIXEL if dim in images.coords}
    place_unit = str(images[Y].attrs.get("units", "px")) if Y in images.coords else "px"
    return MicrographFacts(files, sizes, unit, places, place_unit)


def _maps(
    images: xr.Dataset, found: Sequence[Record], objects: xr.Dataset, names: Mapping[int, str]
) -> xr.Dataset:
    """Return labels, confidence and numbers of the particles, dims ([image,] y, x), lazy."""
    first = frames(images)[0]
    columns = {
        LABELS: (objects[col.CLASS].values, np.uint8),
        CONFIDENCE: (objects[CONFIDENCE].values, np.float32),
        OBJECTS: (objects[OBJECT].values, np.uint32),
    }
    chunks = {0: 1, **dict(enumerate(blocks.as_tiles(first).chunks, 1))} if len(found) == 1 else {}
    maps = {}
    for name, (values, dtype) in columns.items():
        lookups = lookups_of(objects, values, [one.n_particles for one in found])
        data = drawn(found, lookups, (first.sizes[Y], first.sizes[X]), dtype)
        data, dims = (data, (IMAGE, *PIXEL)) if IMAGE in images.dims else (data.rechunk(chunks)[0], PIXEL)
        maps[name] = (dims, data)
    wanted = {"file", PIXEL_SIZE, *PIXEL}
    coords = {n: c for n, c in images.coords.items() if str(n) in wanted and set(c.dims) <= {IMAGE, *PIXEL}}
    made = xr.Dataset(maps, coords)
    made[LABELS] = label_map(made[LABELS], names)
    made[CONFIDENCE].attrs.update(units="1", long_name="confidence")
    made[OBJECTS].attrs.update(units="1", long_name="object")
    return made


def lookups_of(objects: xr.Dataset, values: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """Of each micrograph, a value by the number of its particle; 0 of none and of what is no particle."""
    lookups = [np.zeros(n + 1, values.dtype) for n in sizes]
    image, number = objects[IMAGE].values, objects[LABEL].values
    for n, lookup in enumerate(lookups):
        lookup[number[image == n]] = values[image == n]
    return lookups


def _features(found: Sequence[Record], objects: xr.Dataset) -> xr.Dataset:
    """Return what the particles were judged by, for learning from corrections."""
    image, number = objects[IMAGE].values, objects[LABEL].values
    rows = [one.features[number[image == n] - 1] for n, one in enumerate(found)]
    attrs = {"units": "1", "long_name": "features", "names": json.dumps(list(NAMES))}
    return xr.Dataset({FEATURES: ((OBJECT, "feature"), np.concatenate(rows), attrs)})
