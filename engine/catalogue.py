"""Everything that can be added, by name: short name -> dotted name, imported on demand.

One line here makes a format, an analysis, a simulator or an exporter known to the Python face, the command
line, the dashboard and the contract tests. This module holds strings and imports nothing of the engine.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from engine.errors import UnknownNameError

READERS: Final[Mapping[str, str]] = {
    "results": "engine.readers.results",
    "ellipsometry": "engine.readers.ellipsometry",
    "npy": "engine.readers.npy",
    "hyperspy": "engine.readers.hyperspy",
    "matlab": "engine.readers.matlab",
    "netcdf": "engine.readers.netcdf",
    "micrograph": "engine.readers.micrograph",
    "hdf5": "engine.readers.hdf5",
    "zarr": "engine.readers.zarr_stores",
    "fits": "engine.readers.fits",
    "frames": "engine.readers.frames",
    "tiff": "engine.readers.tiff",
    "pictures": "engine.readers.pictures",
    "collection": "engine.readers.collection",
    "labelled": "engine.readers.labelled",
}
"""Modules with `accepts(path, head) -> bool` and `read(path, *, key, chunks) -> Dataset`, tried in order."""

ANALYSES: Final[Mapping[str, str]] = {
    "kmeans": "engine.cluster.kmeans:KMeans",
    "unet": "engine.unet.segmenter:UNet",
    "particles": "engine.nanoparticles.classify:Particles",
    "micrographs": "engine.image_classes.classify:Micrographs",
}

SIMULATORS: Final[Mapping[str, str]] = {
    "maps": "engine.simulate.maps:Maps",
    "mosaic": "engine.simulate.mosaic:Mosaic",
    "hrtem": "engine.simulate.hrtem:Hrtem",
    "sem": "engine.simulate.sem:Sem",
}

EXPORTERS: Final[Mapping[str, str]] = {
    "dat": "engine.export.tables:write_dat",
    "csv": "engine.export.tables:write_csv",
    "parquet": "engine.export.tables:write_parquet",
    "netcdf": "engine.export.store:write_netcdf",
    "zarr": "engine.export.store:write_zarr",
    "json": "engine.export.store:write_json",
    "tiff": "engine.export.images:write_tiff",
    "fits": "engine.export.images:write_fits",
    "png": "engine.export.figures:write_png",
    "svg": "engine.export.figures:write_svg",
    "geojson": "engine.export.regions:write_geojson",
    "ds9": "engine.export.regions:write_ds9",
    "figure": "engine.export.report:write_figure",
    "html": "engine.export.report:write_html",
    "crops": "engine.export.crops:write_crops",
}
"""Functions `write(result, folder) -> list[Path]`: the files written, each carrying the recipe."""

STEPS: Final[Mapping[str, str]] = {
    "crop": "engine.preprocess.crop:crop",
    "exclude": "engine.preprocess.crop:exclude",
    "pixel_size": "engine.preprocess.scale:pixel_size",
    "fill_gaps": "engine.preprocess.gaps:fill_gaps",
    "smooth": "engine.preprocess.smooth:smooth",
}
"""Stateless steps `(images, **arguments) -> images`, what a recipe's `prepare` list names."""

EDITS: Final[Mapping[str, str]] = {
    "merge": "engine.edits.classes:merge",
    "rename": "engine.edits.classes:rename",
    "recolour": "engine.edits.classes:recolour",
    "relabel": "engine.edits.classes:relabel",
    "relabel_objects": "engine.edits.objects:relabel_objects",
    "relabel_images": "engine.edits.pictures:relabel_images",
    "retrain": "engine.edits.retraining:retrain",
    "clean": "engine.edits.specks:clean",
    "split": "engine.edits.split:split",
}
"""Pure functions `(result, images, **arguments) -> result`, what a recipe's `edits` list names."""

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "readers": READERS,
    "analyses": ANALYSES,
    "simulators": SIMULATORS,
    "exporters": EXPORTERS,
    "steps": STEPS,
    "edits": EDITS,
}


def find(kind: str, name: str) -> Any:
    """Import what `name` stands for among one kind of entries.

    Raises
    ------
    UnknownNameError
        If the catalogue has no such entry.

    Examples
    --------
    >>> find("steps", "crops")
    Traceback (most recent call last):
    engine.errors.UnknownNameError: no steps entry 'crops'; there are: crop, exclude, pixel_size, ...
    """
    entries = KINDS[kind]
    if name not in entries:
        raise UnknownNameError(f"no {kind} entry {name!r}; there are: {', '.join(entries)}")
    return load(entries[name])


def load(dotted: str) -> Any:
    """Import `package.module` or `package.module:attribute`."""
    module, _, attribute = dotted.partition(":")
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded
