import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.statistics import describe, region_spectrum
from engine.statistics.tile_passes import MAD_ERROR, QUANTILE_ERROR

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


def plain_statistics(values):
    """The reference: numpy on the valid values of one class and channel."""
    values = values[np.isfinite(values)].astype(float)
    median = np.median(values)
    return {
        "mean": values.mean(),
        "std": values.std(),
        "median": median,
        "mad": np.median(np.abs(values - median)),
        "q05": np.quantile(values, 0.05),
        "q95": np.quantile(values, 0.95),
        "count": values.size,
    }


@pytest.mark.parametrize("value", [1, 2, 7])
def test_spectra_are_those_of_numpy_on_the_valid_pixels_of_each_class(value):
    images, labels, confidence = scene()
    spectra = describe(images, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).compute()
    for c in range(3):
        values = images["psi"].values[c][labels.values == value]
        expected = plain_statistics(values)
        spread = np.nanmax(values) - np.nanmin(values)
        got = {s: spectra[f"psi_{s}"].sel(label=value).values[c] for s in expected}
        for exact in ("mean", "std", "count"):
            assert got[exact] == pytest.approx(expected[exact], rel=1e-12)
        for quantile in ("median", "q05", "q95"):
            assert abs(got[quantile] - expected[quantile]) <= QUANTILE_ERROR * spread
        assert abs(got["mad"] - expected["mad"]) <= MAD_ERROR * spread


def test_angles_across_the_wrap_are_unwrapped_about_their_circular_mean():
    images, labels, confidence = scene()
    spectra = describe(images, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).compute()
    values = images["delta"].values[1][labels.values == 2].astype(float)
    unwrapped = (values - 5 + 180) % 360 - 180
    expected = plain_statistics(unwrapped)
    got = {s: float(spectra[f"delta_{s}"].sel(label=2)[1]) for s in expected}
    spread = np.ptp(unwrapped)
    assert got["mean"] == pytest.approx((expected["mean"] + 5) % 360, abs=1e-9)
    assert got["std"] == pytest.approx(expected["std"], rel=1e-12)
    assert got["q05"] == pytest.approx((expected["q05"] + 5) % 360, abs=QUANTILE_ERROR * spread)
    assert got["q95"] == pytest.approx((expected["q95"] + 5) % 360, abs=QUANTILE_ERROR * spread)
    assert got["mad"] == pytest.approx(expected["mad"], abs=MAD_ERROR * spread)
    assert got["q05"] > 270
    assert got["q95"] < 90


def test_angles_359_and_1_have_the_mean_0_and_not_180():
    images = dataset({"delta": np.array([[[359.0, 1.0], [358.0, 2.0]]])})
    labels = xr.DataArray(np.ones((2, 2), np.uint8), dims=("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["spectra"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["delta_mean"][0, 0]) == pytest.approx(0, abs=1e-9)
    assert float(table["delta_std"][0, 0]) == pytest.approx(np.sqrt(2.5), rel=1e-12)
    assert float(table["delta_median"][0, 0]) % 360 == pytest.approx(0, abs=4 / 1024)


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


def test_the_class_table_counts_and_measures_each_class():
    images, labels, confidence = scene()
    tree = describe(images, labels, confidence, names=NAMES, colors={2: "#123456"}).compute()
    table = tree["classes"].to_dataset(inherit=False)
    inside = labels.values == 7
    row = table.sel(label=7)
    assert table["label"].values.tolist() == [1, 2, 7]
    assert table["name"].values.tolist() == ["substrate", "thin flake", "thick"]
    assert str(table["color"].sel(label=2).item()) == "#123456"
    assert int(row["count"]) == inside.sum()
    assert float(row["fraction"]) == pytest.approx(inside.sum() / (labels.values > 0).sum())
    assert float(row["area"]) == inside.sum()
    assert table["area"].attrs["units"] == "px²"
    assert float(row["confidence"]) == pytest.approx(confidence.values[inside].astype(float).mean())


def test_areas_are_in_square_micrometres_where_the_coordinates_are_in_micrometres():
    images = dataset({"psi": np.ones((1, 4, 4))}, unit="µm", step=0.5)
    labels = xr.DataArray(np.ones((4, 4), np.uint8), {d: images.coords[d] for d in ("y", "x")}, ("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["classes"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["area"][0]) == pytest.approx(16 * 0.25)
    assert table["area"].attrs["units"] == "µm²"


def test_plain_images_without_a_spectral_dim_have_one_number_a_class():
    images, labels, confidence = scene()
    flat = images[["psi"]].isel(wavelength=0, drop=True)
    spectra = describe(flat, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).compute()
    assert spectra["psi_mean"].dims == ("label",)
    expected = np.nanmean(flat["psi"].values[labels.values == 1].astype(float))
    assert float(spectra["psi_mean"].sel(label=1)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", ">f4", "bool"])
def test_any_kind_of_number_is_taken(dtype):
    values = np.array([[[0, 1, 1, 1]]]).astype(dtype)
    images = dataset({"counts": values})
    labels = xr.DataArray(np.ones((1, 4), np.uint16), dims=("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["spectra"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["counts_mean"][0, 0]) == 0.75
    assert float(table["counts_median"][0, 0]) == pytest.approx(1, abs=QUANTILE_ERROR)


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


def test_a_region_has_the_spectrum_of_a_class_of_its_pixels():
    images, labels, confidence = scene()
    expected = (
        describe(images, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).sel(label=7)
    )
    region = region_spectrum(images.chunk({"y": 5, "x": 7}), labels == 7)
    xr.testing.assert_allclose(region, expected.drop_vars("label").compute(), rtol=1e-12)


def test_a_region_reads_only_the_tiles_that_it_touches():
    images, *_ = scene()
    read = set()

    def load(tile, block_info=None):
        if block_info:
            read.add(block_info[0]["chunk-location"][1:])
        return tile

    psi = da.from_array(images["psi"].values, chunks=(-1, 10, 10))
    lazy = images[["psi"]].copy()
    lazy["psi"] = (images["psi"].dims, psi.map_blocks(load, dtype=psi.dtype, meta=psi._meta))
    selected = np.zeros((37, 29), bool)
    selected[12, 3] = selected[25, 25] = True
    region_spectrum(lazy, selected)
    assert read == {(1, 0), (2, 2)}


def test_an_empty_region_counts_nothing():
    images, *_ = scene()
    region = region_spectrum(images, np.zeros((37, 29), bool))
    assert not region["psi_count"].any()
    assert np.isnan(region["psi_mean"]).all()


def test_a_region_of_another_shape_is_refused():
    images, *_ = scene()
    with pytest.raises(InputError, match=r"shape \(2, 2\); expected that of the images, \(37, 29\)"):
        region_spectrum(images, np.zeros((2, 2), bool))
