""""""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.statistics import describe

NAMES = {1: "substrate", 2: "thin flake", 7: "thick"}


def dataset(variables, *, unit="px", step=1.0):
    """Images `{name: array (channel, y, x)}` over wavelength, in degrees."""
    n, height, width = next(iter(variables.values())).shape
    coords = {
        "wavelength": ("wavelength", 400.0 + 10 * np.arange(n), {"units": "nm"}),
        "y": ("y", step * np.arange(height), {"units": unit}),
        "x": ("x", step * np.arange(width), {"units": unit}),
    }
    return xr.Dataset(
        {v: (("wavelength", "y", "x"), a, {"units": "deg", "long_name": v}) for v, a in variables.items()},
        coords,
    )


def scene(seed=0, shape=(3, 37, 29)):
    """Random images with holes, labels 0, 1, 2, 7 and confidences."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 7], size=shape[1:]).astype(np.uint8)
    psi = (rng.normal(40, 6, shape) + labels).astype(np.float32)
    delta = (rng.normal(5, 30, shape) % 360).astype(np.float32)
    psi[rng.random(shape) < 0.1] = np.nan
    delta[0, 0, 0] = np.inf
    images = dataset({"delta": delta, "psi": psi})
    pixels = {d: images.coords[d] for d in ("y", "x")}
    confidence = rng.random(shape[1:]).astype(np.float32)
    return (
        images,
        xr.DataArray(labels, pixels, ("y", "x")),
        xr.DataArray(confidence, pixels, ("y", "x")),
    )


def test_angles_without_a_direction_are_taken_as_they_are():
    images = dataset({"delta": np.array([[[90.0, 270.0, 0.0, 180.0]]])})
    labels = xr.DataArray(np.ones((1, 4), np.uint8), dims=("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["spectra"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["delta_mean"][0, 0]) == pytest.approx(135)


@given(
    rows=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    columns=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    seed=st.integers(0, 50),
)
@settings(max_examples=20, deadline=None)
def test_statistics_do_not_depend_on_the_chunks(rows, columns, seed):
    shape = (2, sum(rows), sum(columns))
    images, labels, confidence = scene(seed, shape)
    whole = describe(images, labels, confidence, names=NAMES).compute()
    tiles = {"y": tuple(rows), "x": tuple(columns)}
    parts = describe(images.chunk(tiles), labels.chunk({"y": 3}), confidence, names=NAMES).compute()
    for group in ("classes", "spectra"):
        for name, variable in whole[group].data_vars.items():
            if variable.dtype.kind == "f":
                np.testing.assert_allclose(parts[group][name], variable, rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                np.testing.assert_array_equal(parts[group][name], variable)


def test_a_class_without_pixels_has_count_0_and_no_numbers():
    images, labels, confidence = scene()
    with np.errstate(all="raise"):
        tree = describe(images, labels, confidence, names={**NAMES, 4: "nothing"}).compute(scheduler="sync")
    nothing = tree["spectra"].to_dataset(inherit=False).sel(label=4)
    assert not nothing["psi_count"].any()
    assert np.isnan(nothing["psi_mean"]).all()
    assert np.isnan(nothing["delta_q95"]).all()
    assert int(tree["classes"]["count"].sel(label=4)) == 0


def test_reading_labels_alone_computes_no_statistics():
    images, labels, confidence = scene()

    def forbidden(tile):
        raise AssertionError("the images were read")

    lazy = images.copy()
    for name in ("delta", "psi"):
        data = da.from_array(images[name].values, chunks=(-1, 10, 10)).map_blocks(forbidden, dtype=np.float32)
        lazy[name] = (images[name].dims, data, images[name].attrs)
    tree = describe(lazy, labels, confidence, names=NAMES)
    np.testing.assert_array_equal(np.asarray(tree["labels"]), labels)
    assert tree["labels"].attrs["flag_meanings"] == "substrate thin_flake thick"
    with pytest.raises(AssertionError, match="were read"):
        tree["spectra"].to_dataset(inherit=False).compute()


@pytest.mark.parametrize(("held", "loads"), [(2**30, 1), (0, 2)])
def test_tiles_are_read_once_a_pass_and_once_in_all_where_they_fit_in_memory(monkeypatch, held, loads):
    monkeypatch.setattr("engine.statistics.tile_passes.HELD_BYTES", held)
    read = []

    def load(tile, block_info=None):
        if block_info:
            read.append(block_info[0]["chunk-location"])
        return tile

    images, labels, confidence = scene()
    expected = describe(images[["psi"]], labels, confidence, names=NAMES).compute()
    psi = da.from_array(images["psi"].values, chunks=(-1, 10, 29))
    loaded = psi.map_blocks(load, dtype=psi.dtype, meta=np.empty((0, 0, 0), psi.dtype))
    lazy = images[["psi"]].copy()
    lazy["psi"] = (images["psi"].dims, loaded, images["psi"].attrs)
    predicted = da.map_blocks(
        lambda _, y: y, loaded, da.from_array(labels.values, chunks=(10, 29)), drop_axis=0
    )
    lazy_labels = labels.copy(data=predicted.astype(np.uint8))
    tree = describe(lazy, lazy_labels, confidence, names=NAMES)
    computed = tree.compute()
    assert sorted(read) == sorted(loads * [(0, i, 0) for i in range(4)])
    xr.testing.assert_allclose(
        computed["spectra"].to_dataset(inherit=False),
        expected["spectra"].to_dataset(inherit=False),
        rtol=1e-12,
    )
