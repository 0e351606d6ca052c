"""Charts beside the maps: spectra of all classes, histogram at the current channel, how many classes."""

from collections.abc import Callable
from typing import Any, Final

import holoviews as hv
import numpy as np
import panel as pn
import param
import xarray as xr
from bokeh.events import Tap

from dashboard import theme
from dashboard.kit import Work, markup
from dashboard.plots import elbow as elbow_plot
from dashboard.plots.distributions import count_by_class, histogram
from dashboard.plots.spectra import SHOWN_UNITS, Marks, nearest_class, spectra, value_dimension
from dashboard.state.library import Stack
from dashboard.state.session import Session
from dashboard.views.map_grid import MAX_ROWS, classes_of, symbol
from engine.schema import LABELS, PIXEL

HISTOGRAM_PIXELS: Final = 2**19
"""Histograms of larger maps are of evenly spread rows and columns."""
SPECTRUM_HEIGHT: Final = 158
HISTOGRAM_HEIGHT: Final = 118

Tapped = Callable[[float, float], None]


def chart_pane(plot: hv.DynamicMap, *, height: int, on_tap: Tapped | None = None) -> Any:
    """Pane of a chart on the page's own background; `on_tap` gets positions in the chart's units."""

    def dress(drawn: Any, _element: Any) -> None:
        figure = drawn.state
        figure.update(
            background_fill_color=None, border_fill_color=None, outline_line_color=None, toolbar_location=None
        )
        figure.update(min_border_left=46, min_border_right=6, min_border_top=3)
        for axis in figure.axis:
            axis.update(
                axis_label_text_color=theme.NEUTRAL,
                major_label_text_color=theme.NEUTRAL,
                axis_line_color=theme.NEUTRAL,
                major_tick_line_color=theme.NEUTRAL,
                minor_tick_line_color=None,
                axis_label_text_font_style="normal",
                axis_label_standoff=2,
            )
        if on_tap is not None and "tapped" not in figure.tags:
            figure.tags = [*figure.tags, "tapped"]
            figure.on_event(Tap, lambda event: on_tap(float(event.x), float(event.y)))

    plot = plot.opts(hv.opts.Overlay(hooks=[dress], responsive=True, show_legend=False, framewise=True))
    return pn.pane.HoloViews(
        plot, height=height, sizing_mode="stretch_width", linked_axes=False, margin=0
    )


class SpectraPanel(param.Parameterized):
    """Spectra of all classes, one chart a variable; a click selects the nearest class."""

    picked = param.Dict({}, doc="Values of the picked pixel, by variable.")
    region = param.Parameter(None, doc="Statistics of the drawn region.")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.root = pn.Column(sizing_mode="stretch_width", margin=0, css_classes=["spectra"])
        session.param.watch(self._rebuild, "stack")
        self._rebuild()

    def _rebuild(self, *_: Any) -> None:
        stack = self.session.stack
        if stack is None:
            self.root.objects = [markup('<p class="empty">Spectra of the classes appear here.</p>')]
            return
        self.root.objects = [self._chart(name) for name in stack.variables[:MAX_ROWS]]

    def _chart(self, name: str) -> Any:
        session = self.session
        streams = hv.streams.Params.from_params(
            {
                "segmentation": session.param.segmentation,
                "selected": session.param.selected,
                "channel": session.param.channel,
                "picked": self.param.picked,
                "region": self.param.region,
            }
        )

        def draw(segmentation: Any, selected: Any, channel: int, picked: Any, region: Any) -> hv.Overlay:
            stack = session.stack
            marks = Marks(
                position=None if stack is None else position_of(stack, channel),
                picked=picked.get(name),
                region=region,
            )
            if segmentation is None or stack is None or f"{name}_mean" not in segmentation.spectra:
                return _no_spectra(stack, name)
            return spectra(
                segmentation.spectra, name, classes=classes_of(segmentation), selected=selected, marks=marks
            )

        def tapped(x: float, y: float) -> None:
            if session.segmentation is not None:
                label = nearest_class(session.segmentation.spectra, name, x=x, y=y)
                session.select([] if label is None or session.selected == [label] else [label])

        pane = chart_pane(hv.DynamicMap(draw, streams=streams), height=SPECTRUM_HEIGHT, on_tap=tapped)
        pane.css_classes = ["chart", f"spectrum-{name}"]
        return pane


def _no_spectra(stack: Stack | None, name: str) -> hv.Overlay:
    """Return the same elements without any class."""
    if stack is None:
        return hv.Overlay([hv.Curve([])])
    dims = () if stack.spectral is None else (stack.spectral,)
    coords = {} if stack.spectral is None else {stack.spectral: stack.images[stack.spectral]}
    shape = [stack.images.sizes[dim] for dim in dims]
    units = stack.images[name].attrs.get("units", "1")
    table = {
        f"{name}_{statistic}": (("label", *dims), np.full((0, *shape), np.nan), {"units": units})
        for statistic in ("mean", "std")
    }
    empty = xr.Dataset(table, coords={"label": np.zeros(0, int), **coords})
    from dashboard.plots.labels import Classes

    return spectra(empty, name, classes=Classes((), (), ()))


def position_of(stack: Stack, channel: int) -> float | None:
    """Spectral coordinate of a channel; None for plain images."""
    return None if stack.spectral is None else float(stack.images[stack.spectral].values[channel])


class HistogramPanel(param.Parameterized):
    """Histogram of the raw values inside each class (or the selected ones) at the current channel."""

    counted = param.Parameter(None)
    variable = param.String("")

    def __init__(self, session: Session, work: Work) -> None:
        super().__init__()
        self.session, self.work = session, work
        self.root = pn.Column(sizing_mode="stretch_width", margin=0)
        session.param.watch(self._rebuild, "stack")
        session.param.watch(self._count, ["segmentation", "channel"])
        self.param.watch(self._count, "variable")
        self._rebuild()

    def choose(self, variable: str) -> None:
        """Show another variable."""
        self.variable = variable

    def _rebuild(self, *_: Any) -> None:
        stack = self.session.stack
        if stack is None:
            self.root.objects = []
            return
        if self.variable not in stack.variables:
            self.variable = stack.variables[0]
        self.counted = None
        plot = hv.DynamicMap(
            self._draw,
            streams=hv.streams.Params.from_params(
                {"counted": self.param.counted, "selected": self.session.param.selected}
            ),
        )
        pane = chart_pane(plot, height=HISTOGRAM_HEIGHT)
        pane.css_classes = ["chart", "histogram"]
        self.root.objects = [pane]

    def _draw(self, counted: Any, selected: Any) -> hv.Overlay:
        stack, segmentation = self.session.stack, self.session.segmentation
        units = "1" if stack is None else str(stack.images[self.variable].attrs.get("units", "1"))
        dimension = value_dimension(self.variable or "value", units=units)
        if counted is None or segmentation is None or counted[1].shape[0] != segmentation.classes.sizes["label"]:
            from dashboard.plots.labels import Classes

            return histogram(np.array([0.0, 1.0]), np.zeros((0, 1)), classes=Classes((), (), ()), dimension=dimension)
        return histogram(
            *counted, classes=classes_of(segmentation), selected=selected, dimension=dimension
        )

    def _count(self, *_: Any) -> None:
        stack, segmentation = self.session.stack, self.session.segmentation
        if stack is None or segmentation is None or self.variable not in stack.variables:
            self.counted = None
            return
        name, channel = self.variable, self.session.channel

        def work() -> Any:
            plane = stack.images[name]
            plane = plane.isel({stack.spectral: channel}) if stack.spectral else plane
            step = max(1, int(np.ceil((plane.size / HISTOGRAM_PIXELS) ** 0.5)))
            thin = dict.fromkeys(PIXEL, slice(None, None, step))
            labels = segmentation.tree[LABELS].isel(thin).values
            return count_by_class(plane.isel(thin).values, labels, classes=classes_of(segmentation))

        def show(counted: Any) -> None:
            self.counted = counted

        self.work.run(work, show, key="histogram")


class ChoicePanel(param.Parameterized):
    """How many classes: the figures over k, a sentence; a click takes a k."""

    choice = param.Parameter(None)
    chosen = param.Integer(0)

    def __init__(self, on_choose: Callable[[int], None]) -> None:
        super().__init__()
        self.on_choose = on_choose
        self.sentence = markup("")
        self.root = pn.Column(sizing_mode="stretch_width", margin=0)

    def show(self, choice: Any) -> None:
        """Show what was found."""
        first = self.choice is None
        self.choice = choice.to_dict()
        self.sentence.object = sentence_of(self.choice)
        if first:
            plot = hv.DynamicMap(
                self._draw, streams=hv.streams.Params.from_params({"choice": self.param.choice, "chosen": self.param.chosen})
            )
            pane = chart_pane(plot, height=112, on_tap=self._tapped)
            pane.css_classes = ["chart", "elbow"]
            self.root.objects = [pane, self.sentence]

    def wait(self, text: str) -> None:
        """Say what is going on until there is something to show."""
        self.choice = None
        self.sentence.object = f'<p class="sentence">{text}</p>'
        self.root.objects = [self.sentence]

    def _draw(self, choice: Any, chosen: int) -> hv.Overlay:
        return elbow_plot.elbow(choice or {"k": [2, 3]}, chosen=chosen or None)

    def _tapped(self, x: float, _y: float) -> None:
        if self.choice is not None:
            self.on_choose(elbow_plot.nearest_k(self.choice, x))


def sentence_of(choice: dict[str, Any]) -> str:
    """What the figures say, as HTML."""
    from dashboard.kit import escape

    recommended = choice["recommended"]
    lead = "No clear number of classes" if recommended is None else f"Suggests {recommended} classes"
    return f'<p class="sentence"><b id="suggested">{lead}</b> — {escape(choice["reason"])}</p>'


def shown_units(units: str) -> str:
    """Units as they are written behind a number."""
    return SHOWN_UNITS.get(units, f" {units}")


__all__ = ["ChoicePanel", "HistogramPanel", "SpectraPanel", "chart_pane", "position_of", "symbol"]
