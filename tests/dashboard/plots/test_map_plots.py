"""Maps of values and of classes: what their codes and colours mean."""

import holoviews as hv
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import theme
from dashboard.map_modes import MODES
from dashboard.plots.images import CODES, N_CODES, class_means, encode, value_raster
from dashboard.plots.labels import Classes, label_raster, lookup, n_codes

theme.install()
BOUNDS = (10.0, 20.0, 16.0, 24.0)


def decode(codes, limits):
    """The JavaScript of the hover, in Python."""
    lowest, low, high, highest = limits
    return np.interp(codes, [256, 511, 512, 65279, 65280, 65535], [lowest, low, low, high, high, highest])


@given(st.lists(st.floats(-50, 150, width=32), min_size=1))
def test_the_hover_gets_values_back_from_the_codes(values):
    limits = (-50.0, 0.0, 100.0, 150.0)
    values = np.array(values, dtype="float32")
    shown = decode(encode(values, limits), limits)
    inside = (values >= 0) & (values <= 100)
    assert np.abs(shown - values)[inside].max(initial=0) < 100 / 60_000
    assert np.abs(shown - values).max() < 0.5


def test_pixels_without_data_have_a_code_and_a_colour_of_their_own():
    assert encode(np.array([np.nan, -1e9, 1e9]), (0, 1, 2, 3)).tolist() == [0, CODES[0], CODES[3]]
    palette = theme.image_palette("viridis")
    assert palette[0] == theme.TRANSPARENT
    assert theme.TRANSPARENT not in palette[1:]
    assert len(palette) == 256


def test_a_stretch_as_wide_as_the_data_has_no_tails():
    assert encode(np.array([0.0, 1.0]), (0, 0, 1, 1)).tolist() == [CODES[1], CODES[2]]


def test_an_image_lies_where_its_bounds_say_with_the_first_row_at_the_smallest_y():
    values = np.array([[1.0, 2, 3], [4, 5, 6]])
    raster = value_raster(values, BOUNDS, limits=(1, 1, 6, 6))
    image, columns = raster.image(), raster.columns()
    np.testing.assert_array_equal(image.dimension_values(2, flat=False), columns["image"][0])
    assert image.bounds.lbrt() == BOUNDS
    assert (columns["x"], columns["y"], columns["dw"], columns["dh"]) == ([10], [20], [6], [4])
    assert columns["image"][0][0, 0] < columns["image"][0][1, 0]


@pytest.mark.parametrize("make", ["values", "classes"])
def test_the_columns_are_those_that_holoviews_makes(make):
    labels = np.array([[0, 1, 2], [2, 2, 1]], "uint8")
    codes = lookup([1, 2], selected=[], mode="segments")
    rasters = {
        "values": value_raster(labels * 1.0, BOUNDS, limits=(0, 0, 2, 2)),
        "classes": label_raster(labels, labels / 2, BOUNDS, codes=codes, colors=["#000000", "#FFFFFF"]),
    }
    raster = rasters[make]
    plot = hv.renderer("bokeh").get_plot(raster.image().opts(tools=["hover"]))
    source, mapper = plot.handles["source"], plot.handles["color_mapper"]
    assert source.data.keys() == raster.columns().keys()
    for name, column in raster.columns().items():
        np.testing.assert_array_equal(source.data[name][0], column[0])
    assert (mapper.low, mapper.high) == raster.clim
    assert list(mapper.palette) == list(raster.palette)


def test_values_are_two_bytes_and_classes_one_byte_a_pixel():
    values = value_raster(np.zeros((3, 3)), BOUNDS, limits=(0, 0, 1, 1))
    assert values.columns()["image"][0].dtype == np.uint16
    assert values.clim == (-0.5, N_CODES - 0.5)
    assert lookup(range(1, 52), selected=[], mode="over").dtype == np.uint8
    assert lookup(range(1, 65), selected=[], mode="over").dtype == np.uint16


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("selected", [[], [3]])
def test_every_code_stands_for_its_own_class(mode, selected):
    classes, colors = [1, 3, 4], ["#111111", "#333333", "#444444"]
    codes = lookup(classes, selected=selected, mode=mode)
    palette = theme.label_palette(colors)
    assert len(palette) == n_codes(3)
    assert codes[0] == codes[2] == 0
    for label, color in zip(classes, colors, strict=True):
        assert palette[codes[label]].startswith(color)
        assert (codes[label] - 1) % 3 == classes.index(label)


def test_a_selected_class_stands_out_and_other_modes_hide_the_classes():
    palette = theme.label_palette(["#111111", "#222222"])
    alpha = {
        mode: [int(palette[c][7:], 16) for c in lookup([1, 2], selected=[2], mode=mode)[1:]] for mode in MODES
    }
    assert alpha["segments"][0] < 128 < alpha["segments"][1] == 255
    assert alpha["over"][0] < alpha["over"][1] < 255
    assert alpha["raw"] == alpha["means"] == alpha["confidence"] == [0, 0]


def test_unknown_labels_and_missing_confidence_are_transparent_and_zero():
    codes = lookup([1], selected=[], mode="segments")
    labels = np.array([[0, 1, 200]], "uint8")
    raster = label_raster(labels, np.array([[np.nan, 1, 2]]), BOUNDS, codes=codes, colors=["#111111"])
    assert raster.layers["class"].tolist() == [[0, 1, 0]]
    assert raster.layers["confidence"].tolist() == [[0, 255, 255]]


def test_a_map_without_classes_is_transparent():
    codes = lookup([], selected=[], mode="segments")
    raster = label_raster(np.zeros((2, 2), "uint8"), np.zeros((2, 2)), BOUNDS, codes=codes, colors=[])
    hv.renderer("bokeh").get_plot(raster.image())
    assert raster.palette == [theme.TRANSPARENT]


def test_class_means_paint_each_pixel_with_its_class():
    painted = class_means(np.array([[0, 2], [1, 3]], "uint8"), np.array([9.0, 10, 20]))
    np.testing.assert_array_equal(painted, [[np.nan, 20], [10, np.nan]])


def test_classes_come_from_a_results_table():
    import xarray as xr

    table = xr.Dataset({"name": ("label", ["a", "b"]), "color": ("label", ["#111111", "#222222"])})
    result = xr.DataTree.from_dict({"/classes": table.assign_coords(label=[1, 4])})
    assert Classes.of(result) == Classes((1, 4), ("a", "b"), ("#111111", "#222222"))


def test_all_colours_of_the_theme_are_colours():
    for name in theme.COLORMAPS:
        assert all(color.startswith("#") for color in theme.image_palette(name))
