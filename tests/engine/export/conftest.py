"""A small result with everything that is awkward: gaps in the labels, no data, holes, user text."""

import json
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import engine
from engine.recipe import Recipe
from engine.simulate.hrtem import Hrtem
from engine.statistics import describe

NAMES = {1: "SiO₂, dünn", 3: "=SUM(A1)\"'; <b>$x_1$", 7: "two\nlines\t#{%}"}
COLORS = {1: "#0072B2", 3: "#E69F00", 7: "#009E73"}


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    model = {"arrays": {"centroids": np.linspace(0, 1, 9000).tolist()}}  # > 64 kB: longer than an HDF5 header
    return Recipe(
        analysis="kmeans",
        settings={"n_clusters": 3},
        source="/data/hBN µ-map, run #2.ds.dat",
        digest="abc",
        prepare=({"name": "smooth", "arguments": {"sigma": 1.5}},),
        edits=({"name": "rename", "arguments": {"label": 3, "name": NAMES[3]}, "author": "Jörg"},),
        model=model,
        seed=3,
    )


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    """16 × 24: a ring of 3 in 1, an island of 7 in its hole, touching corners, and no data."""
    labels = np.ones((16, 24), np.uint8)
    labels[3:12, 4:15] = 3
    labels[5:10, 6:13] = 1
    labels[6:8, 7:9] = 7
    labels[8, 9] = 7
    labels[14:, 20:] = 0
    return labels


@pytest.fixture
def result(labels: np.ndarray, recipe: Recipe) -> xr.DataTree:
    """Lazy, in tiles that do not divide the map, as an analysis returns it."""
    rng = np.random.default_rng(0)
    dims = ("wavelength", "y", "x")
    chunks = (-1, 10, 7)
    coords = {
        "wavelength": ("wavelength", [400.0, 500.5, 633.0], {"units": "nm"}),
        "y": ("y", 0.25 + 0.5 * np.arange(16), {"units": "µm"}),
        "x": ("x", 0.25 + 0.5 * np.arange(24), {"units": "µm"}),
    }
    values = {
        name: (dims, da.from_array(rng.uniform(0, 90, (3, 16, 24)), chunks=chunks), {"units": "deg"})
        for name in ("delta", "psi")
    }
    images = xr.Dataset(values, coords)
    pixels = {d: images.coords[d] for d in ("y", "x")}
    label_map = xr.DataArray(da.from_array(labels, chunks=chunks[1:]), pixels, ("y", "x"))
    confidence = xr.DataArray(
        da.from_array(rng.random((16, 24), dtype="f4"), chunks=chunks[1:]), pixels, ("y", "x")
    )
    tree = describe(images, label_map, confidence, names=NAMES, colors=COLORS)
    facts = {
        "source": recipe.source,
        "source_digest": "abc",
        "created": "2026-01-01",
        "mapstack_version": "0",
    }
    tree.attrs.update(facts, recipe=recipe.to_json(), title=json.loads('"hBN / \\u00b5-map: 2"'))
    return tree


@pytest.fixture(scope="session")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulator = Hrtem(size=256, n_frames=3, n_particles=4, pixel_size=0.05, empty=0.0, seed=3)
    return simulator.write(tmp_path_factory.mktemp("served") / "sample A")


@pytest.fixture(scope="session")
def stored(micrographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = engine.run("particles", engine.open(micrographs))
    edited = engine.edit(result, "relabel_objects", objects=[1, 2], label=1)
    return engine.save(edited, tmp_path_factory.mktemp("results") / "population.zarr")
