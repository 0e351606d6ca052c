"""Spectra, the number of classes, histograms: what is drawn and where."""

import holoviews as hv
import numpy as np
import pytest
import xarray as xr

from dashboard import theme
from dashboard.plots.distributions import count_by_class, histogram
from dashboard.plots.elbow import elbow, nearest_k
from dashboard.plots.labels import Classes
from dashboard.plots.spectra import BANDS, Marks, nearest_class, spectra, unwrap_values, value_dimension

theme.install()
CLASSES = Classes((1, 2), ("thin", "thick"), ("#0072B2", "#E69F00"))
WAVELENGTH = np.array([400.0, 500, 600, 700])


def table(mean, *, spread=2.0, variable="delta"):
    mean = np.asarray(mean, dtype=float)
    values = {
        "mean": mean,
        "median": mean,
        "std": np.full(mean.shape, spread),
        "mad": np.full(mean.shape, spread / 2),
        "q05": np.mod(mean - 2 * spread, 360),
        "q95": np.mod(mean + 2 * spread, 360),
    }
    coords = {"label": [1, 2], "wavelength": ("wavelength", WAVELENGTH, {"units": "nm"})}
    data = {f"{variable}_{k}": (("label", "wavelength"), v, {"units": "deg"}) for k, v in values.items()}
    return xr.Dataset(data, coords=coords)


WRAPPING = table([[340, 355, 10, 25], [10, 20, 30, 40]])


def lines(element):
    return [np.asarray(path["delta"]) for path in element.data]


def test_delta_is_drawn_without_jumps_and_with_the_median_of_each_class_within_a_turn():
    turned = table([[340, 355, 10, 25], [-300, -290, -280, -270]])
    bands, curves, *_ = spectra(turned, "delta", classes=CLASSES)
    first, second = lines(curves)
    np.testing.assert_allclose(first, [-20, -5, 10, 25])
    np.testing.assert_allclose(second, [60, 70, 80, 90])
    assert all(np.ptp(band) < 60 for band in lines(bands))


def test_a_picked_pixel_is_drawn_beside_the_class_that_it_resembles():
    *_, picked = spectra(
        WRAPPING, "delta", classes=CLASSES, marks=Marks(picked=np.array([338.0, 353, 8, 23]))
    )
    np.testing.assert_allclose(picked["delta"], [-22, -7, 8, 23])


@pytest.mark.parametrize(("band", "half"), list(zip(BANDS, [2.0, 1.0, 4.0], strict=True)))
def test_a_band_is_as_wide_as_its_statistic_also_across_the_wrap(band, half):
    bands, curves, *_ = spectra(WRAPPING, "delta", classes=CLASSES, band=band)
    for outline, curve in zip(lines(bands), lines(curves), strict=True):
        np.testing.assert_allclose(outline[:4], curve - half)
        np.testing.assert_allclose(outline[4:][::-1], curve + half)


def test_unwrapping_passes_over_missing_channels():
    np.testing.assert_array_equal(unwrap_values(np.array([350, np.nan, 5.0]), 360), [350, np.nan, 365])
    np.testing.assert_array_equal(unwrap_values(np.array([350, 5.0]), None), [350, 5])


def test_axes_have_symbol_and_unit():
    _, curves, *_ = spectra(WRAPPING, "delta", classes=CLASSES)
    assert [d.pprint_label for d in curves.kdims] == ["wavelength (nm)", "Δ (°)"]
    assert value_dimension("counts", units="1").pprint_label == "counts"


def test_a_selection_dims_the_other_classes():
    _, curves, *_ = spectra(WRAPPING, "delta", classes=CLASSES, selected=[2])
    assert [path["alpha"] for path in curves.data] == [theme.DIMMED, 1.0]


def test_the_same_elements_are_there_whatever_is_shown():
    region = WRAPPING.sel(label=1, drop=True)
    marks = Marks(position=500.0, picked=np.array([341.0, 354, 11, 24]), region=region)
    full = spectra(WRAPPING, "delta", classes=CLASSES, marks=marks)
    empty = spectra(WRAPPING, "delta", classes=Classes((), (), ()))
    assert [type(e) for e in full] == [type(e) for e in empty]
    assert len(full.get(1).data) == 3
    np.testing.assert_allclose(full.get(3).dimension_values(1), [-19, -6, 11, 24])
    for plot in (full, empty):
        hv.renderer("bokeh").get_plot(plot)


def test_missing_channels_leave_gaps_not_errors():
    holed = table([[np.nan, 5, 6, 7], [np.nan] * 4])
    plot = spectra(holed, "delta", classes=CLASSES)
    hv.renderer("bokeh").get_plot(plot)
    assert [len(band) for band in lines(plot.get(0))] == [6, 0]


def test_a_plain_image_has_a_level_per_class():
    plain = WRAPPING.isel(wavelength=0, drop=True)
    _, curves, *_ = spectra(plain, "delta", classes=CLASSES)
    assert [len(line) for line in lines(curves)] == [2, 2]


def test_a_click_means_the_nearest_curve_on_the_circle():
    assert nearest_class(WRAPPING, "delta", x=610, y=9) == 1
    assert nearest_class(WRAPPING, "delta", x=610, y=372) == 1
    assert nearest_class(WRAPPING, "delta", x=700, y=38) == 2
    assert nearest_class(table(np.full((2, 4), np.nan)), "delta", x=500, y=1) is None


CHOICE = {
    "k": [2, 3, 4],
    "recommended": 3,
    "distortion": [10.0, 4.0, 2.0],
    "distortion_spread": [0.8, 0.8, 0.8],
    "silhouette": [None, 0.5, 0.4],
}


def test_all_indices_share_one_scale_and_the_recommended_k_is_marked():
    plot = elbow(CHOICE, chosen=4)
    curve = next(e for e in plot if isinstance(e, hv.Curve) and e.label.startswith("distortion"))
    np.testing.assert_allclose(curve.dimension_values(1), [1, 0.25, 0])
    assert next(e for e in plot if isinstance(e, hv.VSpan)).data == [2.6, 3.4]
    assert next(e for e in plot if isinstance(e, hv.VLine)).data == 4
    hv.renderer("bokeh").get_plot(plot)


def test_without_a_clear_k_nothing_is_recommended():
    plot = elbow({**CHOICE, "recommended": None})
    assert np.isnan(next(e for e in plot if isinstance(e, hv.VSpan)).data).all()
    hv.renderer("bokeh").get_plot(plot)


def test_a_click_means_the_nearest_k():
    assert [nearest_k(CHOICE, x) for x in (0, 2.6, 9)] == [2, 3, 4]


def test_counts_add_up_to_the_valid_pixels_of_each_class():
    values = np.array([1.0, 2, 2, 3, np.nan, 9])
    edges, counts = count_by_class(values, np.array([1, 1, 2, 2, 2, 0]), classes=CLASSES, n_bins=4)
    assert counts.sum(axis=1).tolist() == [2, 2]
    assert (edges[0], edges[-1]) == (1, 9)
    empty, none = count_by_class(np.array([np.nan]), np.array([1]), classes=CLASSES, n_bins=4)
    assert (len(empty), none.sum()) == (5, 0)


def test_a_histogram_shows_the_selected_classes_only():
    edges, counts = np.array([0.0, 1, 2]), np.array([[3, 0], [1, 2]])
    dimension = value_dimension("psi", units="deg")
    plot = histogram(edges, counts, classes=CLASSES, dimension=dimension, selected=[2])
    (shape,) = plot.get(0).data
    np.testing.assert_array_equal(shape["count"], [0, 1, 1, 2, 2, 0])
    assert shape["class"] == "thick"
    assert len(histogram(edges, counts, classes=CLASSES, dimension=dimension).get(0).data) == 2
