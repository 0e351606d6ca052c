"""Linked maps: one range for all, data sources changed directly, gestures in the data's units."""

import gc
import weakref
from types import SimpleNamespace

import holoviews as hv
import numpy as np
import param
import pytest
import xarray as xr
from bokeh.document import Document
from bokeh.models import HoverTool, ScaleBar

from dashboard import theme
from dashboard.plots.labels import Classes
from dashboard.views import live
from dashboard.views.layers import Layers, rasters
from dashboard.views.linked import LinkedMaps, polygon_of
from engine.pyramid import label_pyramid, value_pyramid

theme.install()
SIZE = 1000  # larger than what is sent whole


class State(param.Parameterized):
    channel = param.Integer(0)
    selected = param.List([])
    mode = param.String("segments")


def plane(array, name):
    coords = {"y": np.arange(array.shape[-2]) + 0.5, "x": np.arange(array.shape[-1]) + 0.5}
    dims = ("wavelength", "y", "x")[-array.ndim :]
    return xr.DataArray(array, dims=dims, coords=coords, name=name, attrs={"units": "deg"})


def make_layers(size=SIZE):
    rng = np.random.default_rng(0)
    labels = plane(rng.integers(0, 4, (size, size)).astype("uint8"), "labels")
    values = plane(rng.normal(size=(2, size, size)).astype("float32"), "psi")
    return Layers(
        Classes((1, 2, 3), ("a", "b", "c"), ("#111111", "#222222", "#333333")),
        label_pyramid(labels),
        value_pyramid(plane(np.full((size, size), 0.5, "float32"), "confidence")),
        raw={"psi": value_pyramid(values)},
        means={"psi": np.array([[np.nan, 1, 2, 3], [np.nan, -1, 0, 1]])},
    )


def page(*plots):
    """Figures of the plots in one document, as a page holds them."""
    document = Document()
    figures = [hv.renderer("bokeh").get_plot(plot).state for plot in plots]
    for figure in figures:
        document.add_root(figure)
    return document, figures


def images(figure):
    return [r.data_source.data for r in figure.renderers if type(r.glyph).__name__ == "Image"]


def run_callbacks(document):
    """Run what waits for the event loop of a document without a server."""
    for callback in list(document.session_callbacks):
        document.callbacks.remove_session_callback(callback)
        callback.callback()


@pytest.fixture
def shown():
    state, layers = State(), make_layers()
    taps, regions = [], []
    maps = LinkedMaps(
        layers.pyramid.bounds, on_tap=lambda *at: taps.append(at), on_region=lambda p: regions.append(p)
    )
    streams = {"channel": state.param.channel}
    raw = maps.values(layers.raw["psi"], streams=streams, symbol="Ψ")
    zones = maps.labels(
        layers, streams={**streams, "selected": state.param.selected, "mode": state.param.mode}
    )
    document, figures = page(raw, zones)
    return SimpleNamespace(**locals())


def test_all_maps_share_their_ranges_with_row_0_at_the_top(shown):
    first, second = shown.figures
    assert first.x_range is second.x_range
    assert first.y_range is second.y_range
    assert first.y_range.start > first.y_range.end
    assert shown.maps.ranges == (0, SIZE, 0, SIZE)


def test_zooming_sends_one_screenful_to_every_map_after_a_short_wait(shown):
    shown.maps.show(100, 200, 300, 400)
    (timer,) = shown.document.session_callbacks
    assert timer.timeout <= live.INTERVAL
    run_callbacks(shown.document)
    for data in (images(shown.figures[0])[0], images(shown.figures[1])[1]):
        assert data["image"][0].shape == (100, 100)
        assert data["x"][0] == pytest.approx(100)
        assert data["y"][0] == pytest.approx(300)
    np.testing.assert_array_equal(
        images(shown.figures[1])[1]["image"][0] > 0,
        shown.layers.pyramid.view((100, 200), (300, 400), 700, 600)[0] > 0,
    )


def test_no_map_waits_for_the_end_of_bokehs_interaction(shown):
    assert all(figure.lod_timeout <= 100 for figure in shown.figures)
    assert live.INTERVAL <= 100


def test_the_last_of_many_moves_is_never_lost(shown):
    for start in range(0, 500, 10):
        shown.maps.show(start, start + 100, 0, 100)
    assert len(shown.document.session_callbacks) == 1
    run_callbacks(shown.document)
    assert images(shown.figures[0])[0]["x"][0] == pytest.approx(490)


def test_a_changed_parameter_redraws_only_the_maps_that_depend_on_it(shown):
    raw_before, zones_before = images(shown.figures[0])[0], images(shown.figures[1])[1]
    shown.state.selected = [2]
    run_callbacks(shown.document)
    assert images(shown.figures[0])[0]["image"][0] is raw_before["image"][0]
    assert not np.array_equal(images(shown.figures[1])[1]["image"][0], zones_before["image"][0])
    shown.state.channel = 1
    run_callbacks(shown.document)
    assert not np.array_equal(images(shown.figures[0])[0]["image"][0], raw_before["image"][0])


def test_changes_at_once_are_drawn_once(shown):
    shown.state.param.update(selected=[1], mode="over", channel=1)
    assert len(shown.document.session_callbacks) == 2  # one a map


def test_no_class_is_on_screen_that_is_not_in_its_block(shown):
    shown.maps.reset()
    codes = images(shown.figures[1])[1]["image"][0]
    labels = np.asarray(shown.layers.pyramid.view((0, SIZE), (0, SIZE), SIZE, SIZE)[0])
    edges = [np.linspace(0, SIZE, n + 1).astype(int) for n in codes.shape]
    for row in range(0, codes.shape[0], 37):
        for column in range(0, codes.shape[1], 41):
            block = labels[
                max(0, edges[0][row] - 2) : edges[0][row + 1] + 2,
                max(0, edges[1][column] - 2) : edges[1][column + 1] + 2,
            ]
            assert codes[row, column] in block  # solid codes are the labels 1, 2, 3 themselves


def test_a_small_raster_is_sent_whole_and_zooming_changes_nothing():
    layers = make_layers(100)
    maps = LinkedMaps(layers.pyramid.bounds)
    document, (figure,) = page(maps.values(layers.raw["psi"], streams={}))
    before = images(figure)[0]["image"][0]
    assert before.shape == (100, 100)
    maps.show(10, 20, 10, 20)
    run_callbacks(document)
    assert images(figure)[0]["image"][0] is before


def test_taps_and_regions_arrive_in_the_datas_units(shown):
    shown.maps.gestures.tap(SimpleNamespace(x=3, y=4.5))
    lasso = {"type": "poly", "x": [0, 1, 1], "y": [0, 0, 1]}
    shown.maps.gestures.select_region(SimpleNamespace(geometry=lasso, final=True))
    assert shown.taps == [(3.0, 4.5)]
    assert shown.regions == [[[0, 0], [1, 0], [1, 1]]]
    assert shown.maps.marks.region.data == {"x": [0, 1, 1, 0], "y": [0, 0, 1, 0]}
    shown.maps.outline([])
    shown.maps.mark(None, None)
    assert shown.maps.marks.region.data == shown.maps.marks.cross.data == {"x": [], "y": []}


def test_anything_but_a_box_or_a_lasso_is_no_region():
    assert polygon_of({"type": "point", "x": 1, "y": 2}) == []
    assert polygon_of({"type": "poly", "x": [1, 2], "y": [1, 2]}) == []


def test_every_map_has_a_scale_bar_and_a_hover_that_needs_no_server(shown):
    for figure in shown.figures:
        (bar,) = (part for part in figure.center if isinstance(part, ScaleBar))
        assert bar.unit == "px"
        assert bar.dimensional.include == ["px"], "no hectopixels"
        assert bar.location == (shown.maps.bounds[0], shown.maps.bounds[3]), "inside the image, not the frame"
        (hover,) = figure.select({"type": HoverTool})
        assert hover.formatters
    tips = [[name for name, _ in figure.select_one({"type": HoverTool}).tooltips] for figure in shown.figures]
    assert tips == [["x, y", "Ψ"], ["x, y", "class", "confidence"]]


def test_other_hooks_do_not_unlink_a_map():
    layers = make_layers()
    maps = LinkedMaps(layers.pyramid.bounds)
    plots = [maps.values(layers.raw["psi"], streams={}), maps.labels(layers, streams={})]
    _, (first, second) = page(*(plot.opts(hooks=[lambda _p, _e: None]) for plot in plots))
    assert first.x_range is second.x_range


@pytest.mark.parametrize("mode", ["segments", "raw", "means", "over", "confidence"])
def test_every_mode_draws_the_same_two_rasters(mode):
    below, classes = rasters(make_layers(50), ((0, 50), (0, 50), 50, 50), mode=mode, channel=1)
    assert (below.group, classes.group) == ("Values", "Classes")
    assert below.bounds == classes.bounds == (0, 0, 50, 50)
    seen = below.layers["value"]
    assert (seen.shape == (1, 1)) == (mode == "segments")
    n_seen = {"segments": 1, "means": 4, "confidence": 2}
    assert len(np.unique(seen)) == n_seen.get(mode, len(np.unique(seen)))
    assert len(np.unique(classes.layers["class"])) == 4


def test_maps_are_freed_with_their_page_although_the_session_lives_on():
    state, layers = State(), make_layers(50)
    maps = LinkedMaps(layers.pyramid.bounds)
    plot = maps.values(layers.raw["psi"], streams={"channel": state.param.channel})
    gone = weakref.ref(maps)
    del maps, plot, layers
    gc.collect()
    assert gone() is None
    state.channel = 1
