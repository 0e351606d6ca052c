"""A frame segmented: maps, classes, objects and doubts; what a U-Net's `predict` does."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.objects import Calibration, Rules, describe_objects
from engine.preprocess.intensity import intensity
from engine.schema import AUDIT, ENTROPY, OBJECT_TABLE, OBJECTS, PIXEL, RUNTIME, WARNINGS, image_variables
from engine.statistics import describe
from engine.unet.predict_tiles import Background, background, normalise, segment, tile_edge
from engine.unet.runtimes import AUTO, KERAS, Network, resolve_runtime
from engine.unet.tile_store import store_maps, store_tiles
from engine.unet.training_range import doubts

SAMPLE: Final = 512
"""Edge of the part of a frame on which runtimes are compared, in pixels."""


def segment_frame(
    images: xr.Dataset,
    network: Network,
    *,
    settings: Mapping[str, Any],
    names: Mapping[int, str],
    trained: Mapping[str, Any],
) -> xr.DataTree:
    """Classify every pixel of a frame and catalogue its objects.

    Parameters
    ----------
    images : Dataset, dims (y, x)
        One frame.
    network
        The network, as tasks take it.
    settings
        Of the analysis, by name.
    names
        Class names by label.
    trained
        Lowest and highest value of each fact of the frames in the training.

    Raises
    ------
    InputError
        If the images are no single frame.
    """
    frame = intensity(images)
    data = blocks.as_tiles(frame)
    tile = settings["tile"] // network.step * network.step
    with progress.stage(0.0, 0.02):
        found = background(data)
        said = doubts(trained, data, found)
        runtime = choose_runtime(settings["runtime"], network, data, found)
    with progress.stage(0.02, 0.8):
        maps = store_tiles(segment(data, network, found, tile=tile, runtime=runtime))
    planes = [xr.DataArray(plane, dims=PIXEL, coords=_coords(frame)) for plane in maps]
    labels, confidence, entropy = planes
    calibration = _calibration(settings, images)
    with progress.stage(0.8, 1.0):
        objects = describe_objects(
            labels,
            frame.copy(data=blocks.cut_tiles(data, maps.labels.chunks) - found.level),
            confidence,
            names=names,
            rules=Rules(min_cluster=settings["min_cluster"]) if settings["rules"] else None,
            calibration=calibration,
            store=store_maps,
        )
    tree = describe(_cut_frame(images, maps.labels.chunks), objects.labels, confidence, names=names)
    units = {"units": "1", "long_name": "entropy of the class probabilities, 1: all alike"}
    tree.dataset = tree.to_dataset().assign({ENTROPY: entropy.assign_attrs(units), OBJECTS: objects.objects})
    tree[OBJECT_TABLE] = xr.DataTree(objects.table)
    tree[AUDIT] = xr.DataTree(objects.audit)
    known = {} if np.isnan(calibration.electrons_per_adu) else asdict(calibration)
    tree.attrs.update(
        {
            WARNINGS: json.dumps(said),
            RUNTIME: runtime,
            "background": json.dumps(found._asdict()),
            "calibration": json.dumps(known),
        }
    )
    return tree


def choose_runtime(wanted: str, network: Network, frame: da.Array, found: Background) -> str:
    """Return what runs the network on this machine.

    Parameters
    ----------
    wanted : str
        The runtime that was asked for.
    network
        The network.
    frame : dask array (y, x)
        The frame.
    found
        Background of the frame: level and noise.
    """
    if wanted == KERAS:
        return wanted
    if wanted == AUTO:
        edges = [tile_edge(min(n, SAMPLE), tile=SAMPLE, step=network.step) for n in frame.shape]
        (part,) = blocks.compute(frame[: edges[0], : edges[1]], doing="choosing the runtime")
        short = [(0, edge - n) for edge, n in zip(edges, part.shape, strict=True)]
        sample = np.pad(normalise(np.asarray(part), found), short, mode="symmetric")[None, :, :, None]
    else:
        sample = np.zeros((1, network.step, network.step, 1), np.float32)
    return resolve_runtime(wanted, network, sample)


def _cut_frame(images: xr.Dataset, chunks: tuple[tuple[int, ...], ...]) -> xr.Dataset:
    """Return the images in tiles of y and x: bands of a wide frame would each be held whole."""
    whole = {name: blocks.as_tiles(images[name]) for name in image_variables(images)}
    tiles = {name: blocks.cut_tiles(data, (*data.chunks[:-2], *chunks)) for name, data in whole.items()}
    return images.assign({name: images[name].copy(data=data) for name, data in tiles.items()})


def _calibration(settings: Mapping[str, Any], images: xr.Dataset) -> Calibration:
    """Return the calibration of energies: from the settings, or the gain that the header states."""
    from engine.readers.description import header_number

    given = float(settings["electrons_per_adu"])
    gain = given or header_number(images, "GAIN") or float("nan")
    return Calibration(electrons_per_adu=gain, ev_per_electron=float(settings["ev_per_electron"]))


def _coords(frame: xr.DataArray) -> dict[Any, Any]:
    return {name: coord for name, coord in frame.coords.items() if set(coord.dims) <= set(PIXEL)}
