"""Everything that can be added, by name: short name -> dotted name, imported on demand.

One line here makes a format, an analysis, a simulator or an exporter known to the Python face, the command
line, the dashboard and the contract tests. This module holds strings; what they name is imported on demand.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.entries import Edit, Entry, Exporter
from engine.entries import load as load
from engine.errors import UnknownNameError

READERS: Final[Mapping[str, str]] = {
    "results": "engine.readers.label_maps",
    "ellipsometry": "engine.readers.ellipsometry.ep4_folder",
    "npy": "engine.readers.arrays.npy",
    "hyperspy": "engine.readers.microscopes.hyperspy",
    "matlab": "engine.readers.arrays.matlab",
    "netcdf": "engine.readers.arrays.netcdf",
    "micrograph": "engine.readers.microscopes.micrograph",
    "hdf5": "engine.readers.arrays.hdf5",
    "zarr": "engine.readers.arrays.zarr_stores",
    "fits": "engine.readers.fits.fits_reader",
    "frames": "engine.readers.fits.frame_folder",
    "tiff": "engine.readers.images.tiff",
    "pictures": "engine.readers.images.picture_reader",
    "collection": "engine.readers.collection",
    "labelled": "engine.readers.labels.labelled_folder",
}
"""Modules with `accepts(path, head) -> bool` and `read(path, *, key, chunks) -> Dataset`, tried in order."""

ANALYSES: Final[Mapping[str, str]] = {
    "kmeans": "engine.cluster.analysis:KMeans",
    "unet": "engine.unet.analysis:UNet",
    "particles": "engine.nanoparticles.analysis:Particles",
    "micrographs": "engine.image_classes.analysis:Micrographs",
    "profile": "engine.profile.analysis:Profile",
}

SIMULATORS: Final[Mapping[str, str]] = {
    "maps": "engine.simulate.ellipsometry_maps:Maps",
    "mosaic": "engine.simulate.mosaic:Mosaic",
    "hrtem": "engine.simulate.hrtem:Hrtem",
    "sem": "engine.simulate.sem:Sem",
    "spectra": "engine.simulate.spectra:Spectra",
}

CLASS_MAP, VALUE_MAP, POPULATION, SORTED_IMAGES = "class_map", "value_map", "population", "sorted_images"
"""Kinds of results, as `engine.schema.kinds` declares them."""
WITH_LABELS: Final = (CLASS_MAP, POPULATION)
EVERY: Final = (CLASS_MAP, VALUE_MAP, POPULATION, SORTED_IMAGES)


def _for(kinds: tuple[str, ...], dotted: str) -> dict[str, str]:
    return dict.fromkeys(kinds, dotted)


def _with_values(dotted: str) -> dict[str, str]:
    """Return a writer of maps of labels, and that of the same name for value maps."""
    return _for(WITH_LABELS, dotted) | {VALUE_MAP: f"engine.export.value_maps:{dotted.partition(':')[2]}"}


EXPORTERS: Final[Mapping[str, Exporter]] = {
    entry.name: entry
    for entry in (
        Exporter("dat", _for(WITH_LABELS, "engine.export.tables:write_dat")),
        Exporter("csv", _for(EVERY, "engine.export.tables:write_csv")),
        Exporter("parquet", _for(EVERY, "engine.export.tables:write_parquet")),
        Exporter("netcdf", _for(EVERY, "engine.export.store:write_netcdf")),
        Exporter("zarr", _for(EVERY, "engine.export.store:write_zarr")),
        Exporter("json", _for(EVERY, "engine.export.store:write_json")),
        Exporter("tiff", _with_values("engine.export.rasters:write_tiff")),
        Exporter("fits", _with_values("engine.export.rasters:write_fits")),
        Exporter("png", _with_values("engine.export.figures:write_png")),
        Exporter("svg", _with_values("engine.export.figures:write_svg")),
        Exporter("geojson", _for(WITH_LABELS, "engine.export.regions:write_geojson")),
        Exporter("ds9", _for(WITH_LABELS, "engine.export.regions:write_ds9")),
        Exporter(
            "figure",
            {
                POPULATION: "engine.nanoparticles.report:write_figure",
                SORTED_IMAGES: "engine.image_classes.report:write_figure",
            },
        ),
        Exporter(
            "html",
            {
                POPULATION: "engine.nanoparticles.report:write_html",
                SORTED_IMAGES: "engine.image_classes.report:write_html",
            },
        ),
        Exporter("crops", {POPULATION: "engine.nanoparticles.crops:write_crops"}, needs_images=True),
    )
}

STEPS: Final[Mapping[str, str]] = {
    "crop": "engine.preprocess.crop:crop",
    "exclude": "engine.preprocess.crop:exclude",
    "pixel_size": "engine.preprocess.scale:pixel_size",
    "fill_gaps": "engine.preprocess.gaps:fill_gaps",
    "smooth": "engine.preprocess.smooth:smooth",
}
"""Stateless steps `(images, **arguments) -> images`, what a recipe's `prepare` list names."""

EDITS: Final[Mapping[str, Edit]] = {
    entry.name: entry
    for entry in (
        Edit("merge", {CLASS_MAP: "engine.edits.class_maps:merge"}),
        Edit(
            "rename",
            {
                CLASS_MAP: "engine.edits.class_maps:rename",
                POPULATION: "engine.nanoparticles.edits:rename",
                SORTED_IMAGES: "engine.edits.class_names:rename",
            },
        ),
        Edit("recolour", _for((CLASS_MAP, POPULATION, SORTED_IMAGES), "engine.edits.class_names:recolour")),
        Edit("relabel", {CLASS_MAP: "engine.edits.class_maps:relabel"}),
        Edit(
            "relabel_objects",
            {
                CLASS_MAP: "engine.edits.class_maps:relabel_objects",
                POPULATION: "engine.nanoparticles.edits:relabel_particles",
            },
        ),
        Edit("relabel_images", {SORTED_IMAGES: "engine.image_classes.edits:relabel_images"}),
        Edit(
            "retrain",
            {
                POPULATION: "engine.nanoparticles.edits:retrain",
                SORTED_IMAGES: "engine.image_classes.edits:retrain",
            },
            learns={
                POPULATION: "engine.nanoparticles.edits:learn_correction",
                SORTED_IMAGES: "engine.image_classes.edits:learn_correction",
            },
        ),
        Edit("clean", {CLASS_MAP: "engine.edits.class_maps:clean"}),
        Edit(
            "split",
            {CLASS_MAP: "engine.edits.split:split"},
            learns={CLASS_MAP: "engine.edits.split:learn_parts"},
        ),
    )
}

ENTRIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "readers": READERS,
    "analyses": ANALYSES,
    "simulators": SIMULATORS,
    "exporters": EXPORTERS,
    "steps": STEPS,
    "edits": EDITS,
}
"""All there is, by what it is."""


def find(kind: str, name: str) -> Any:
    """Return what a name stands for: imported, but exporters and edits, which import on demand.

    Parameters
    ----------
    kind
        Of the entries: `readers`, `analyses`, `simulators`, `exporters`, `steps` or `edits`.
    name
        Short name.

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
    entries = ENTRIES[kind]
    if name not in entries:
        raise UnknownNameError(f"no {kind} entry {name!r}; there are: {', '.join(entries)}")
    entry = entries[name]
    return entry if isinstance(entry, Entry) else load(entry)


def summarise(kind: str, name: str) -> str:
    """Return the first line of what an entry says of itself.

    Parameters
    ----------
    kind
        Of the entries, as in `find`.
    name
        Short name.
    """
    entry = find(kind, name)
    return entry.doc if isinstance(entry, Entry) else (entry.__doc__ or "").strip().partition("\n")[0]
