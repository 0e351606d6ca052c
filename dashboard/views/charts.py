"""Charts beside the maps: spectra of all classes, histogram at the current channel, how many classes."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import holoviews as hv
import numpy as np
import panel as pn
import param
from bokeh.events import DoubleTap, Tap

from dashboard import theme
from dashboard.kit import Work, button, escape, markup
from dashboard.plots import elbow as elbow_plot
from dashboard.plots.distributions import count_by_class, histogram
from dashboard.plots.spectra import Marks, nearest_class, spectra, value_dimension
from dashboard.views.map_grid import MAX_ROWS, classes_of
from dashboard.workspace.datasets import MapResult, Stack
from dashboard.workspace.session import Session
from engine.schema import LABELS, PIXEL, pixel_map

HISTOGRAM_PIXELS: Final = 2**19
"""Histograms of larger maps are of evenly spread rows and columns."""
ELBOW_HEIGHT: Final = 92
SHORT: Final = {
    "distortion": "distortion",
    "calinski_harabasz": "C–H ↑",
    "davies_bouldin": "D–B ↓",
    "silhouette": "silhouette ↑",
    "stability": "stability ↑",
}
"""Names of the figures over k that fit beside each other."""

Tapped = Callable[[float, float], None]


def chart_pane(
    plot: hv.DynamicMap,
    *,
    height: int | None = None,
    on_tap: Tapped | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Pane of a chart on the page's own background; `on_tap` gets positions in the chart's units.

    Without a height it takes what its card leaves it.
    """

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
            for tap in (Tap, DoubleTap):  # a second tap within 0.3 s is a double one, wherever it is
                figure.on_event(tap, lambda event: on_tap(float(event.x), float(event.y)))

    shown = {
        "hooks": [dress],
        "responsive": True,
        "show_legend": False,
        "yticks": 4,
        **({"height": height} if height else {}),
        **(options or {}),
    }
    fresh = [
        hv.opts.Contours(framewise=True),
        hv.opts.Polygons(framewise=True),
        hv.opts.Curve(framewise=True),
    ]
    return pn.pane.HoloViews(
        plot.opts(hv.opts.Overlay(framewise=True, **shown), *fresh),
        height=height,
        sizing_mode="stretch_width" if height else "stretch_both",
        linked_axes=False,
        margin=0,
    )


class SpectraPanel(param.Parameterized):
    """Spectra of all classes, one chart a variable; a click selects the nearest class."""

    picked = param.Dict({}, doc="Values of the picked pixel, by variable.")
    region = param.Parameter(None, doc="Statistics of the drawn region.")

    def __init__(self, session: Session, work: Work) -> None:
        super().__init__()
        self.session, self.work = session, work
        self.root = pn.Column(sizing_mode="stretch_both", margin=0, css_classes=["spectra"])
        self._drawn: Any = None
        session.param.watch(self._rebuild, ["stack", "result"])
        self._rebuild()

    def _rebuild(self, *_: Any) -> None:
        """Make the charts, once for each data set that has classes."""
        stack, result = self.session.stack, self.session.result
        wanted = None if result is None else stack
        if wanted is not None and wanted is self._drawn:
            return
        self._drawn = wanted
        if wanted is None:
            self.root.objects = [markup('<p class="empty">Spectra of the classes appear here.</p>')]
        else:
            names = wanted.variables[:MAX_ROWS]
            self.root.objects = [self._chart(name, last=name == names[-1]) for name in names]

    def _chart(self, name: str, *, last: bool) -> Any:
        session = self.session
        streams = hv.streams.Params.from_params(
            {
                "result": session.param.result,
                "selected": session.param.selected,
                "channel": session.param.plane,
                "picked": self.param.picked,
                "region": self.param.region,
            }
        )

        def draw(result: Any, selected: Any, channel: int, picked: Any, region: Any) -> hv.Overlay:
            stack = session.stack
            marks = Marks(
                position=None if stack is None else position_of(stack, channel),
                picked=picked.get(name),
                region=region,
            )
            return spectra(result.spectra, name, classes=classes_of(result), selected=selected, marks=marks)

        def tapped(x: float, y: float) -> None:
            self.work.post(lambda: self._select(name, x, y))

        pane = chart_pane(
            hv.DynamicMap(draw, streams=streams),
            on_tap=tapped,
            options={} if last else {"xlabel": ""},
        )
        pane.css_classes = ["chart", f"spectrum-{name}"]
        return pane

    def _select(self, name: str, x: float, y: float) -> None:
        """Select the class whose curve passes nearest."""
        session = self.session
        if session.result is not None:
            label = nearest_class(session.result.spectra, name, x=x, y=y)
            session.select([] if label is None or session.selected == [label] else [label])


def position_of(stack: Stack, channel: int) -> float | None:
    """Spectral coordinate of a channel; None for plain images.

    Parameters
    ----------
    stack
        The open data.
    channel
        Number along the spectral dim.
    """
    return None if stack.spectral is None else float(stack.images[stack.spectral].values[channel])


class HistogramPanel(param.Parameterized):
    """Histogram of the raw values inside each class (or the selected ones) at the current channel."""

    counted = param.Parameter(None)
    variable = param.String("")

    def __init__(self, session: Session, work: Work) -> None:
        super().__init__()
        self.session, self.work = session, work
        self.root = pn.Column(sizing_mode="stretch_both", margin=0)
        self._axis: Any = None
        session.param.watch(self._count, ["stack", "result", "plane"])
        self.param.watch(self._count, "variable")
        self._empty()

    def choose(self, variable: str) -> None:
        """Show another variable."""
        self.variable = variable

    def _empty(self) -> None:
        self._axis = None
        self.root.objects = [markup('<p class="empty">Values inside the classes appear here.</p>')]

    def _rebuild(self) -> None:
        """Make the chart anew: its axis is of one variable."""
        streams = {"counted": self.param.counted, "selected": self.session.param.selected}
        plot = hv.DynamicMap(self._draw, streams=hv.streams.Params.from_params(streams))
        pane = chart_pane(plot, options={"xlabel": "", "ylabel": "", "yticks": 3})
        pane.css_classes = ["chart", "histogram"]
        self.root.objects = [pane]

    def _draw(self, counted: Any, selected: Any) -> hv.Overlay:
        edges, counts, classes, dimension = counted
        return histogram(edges, counts, classes=classes, selected=selected, dimension=dimension)

    def _count(self, *_: Any) -> None:
        stack, result, name = self.session.stack, self.session.result, self.variable
        if stack is None or result is None or name not in stack.variables:
            self._empty()
            return
        channel = self.session.plane
        self.work.run(lambda: _count_values(stack, result, name, channel), self._show, key="histogram")

    def _show(self, counted: Any) -> None:
        if self.session.result is None:
            return
        self.counted = counted
        if self._axis != counted[3]:
            self._axis = counted[3]
            self._rebuild()


def _count_values(stack: Stack, result: MapResult, name: str, channel: int) -> Any:
    """Histogram of one variable's values in each class, with the classes and the axis it is of."""
    plane = stack.images[name]
    plane = plane.isel({stack.spectral: channel}) if stack.spectral else plane
    step = max(1, int(np.ceil((plane.size / HISTOGRAM_PIXELS) ** 0.5)))
    thin = dict.fromkeys(PIXEL, slice(None, None, step))
    labels = pixel_map(result.tree, LABELS).isel(thin).values
    classes = classes_of(result)
    dimension = value_dimension(name, units=str(plane.attrs.get("units", "1")))
    return *count_by_class(plane.isel(thin).values, labels, classes=classes), classes, dimension


class ChoicePanel(param.Parameterized):
    """The number of classes: the figures over k, a sentence; a click takes a k."""

    choice = param.Parameter(None)
    chosen = param.Integer(0)

    def __init__(self, on_choose: Callable[[int], None]) -> None:
        super().__init__()
        self.on_choose = on_choose
        self.sentence, self.why = markup(""), markup("")
        self.use = button("", "use-suggested", lambda: on_choose(self.choice["recommended"]))
        self.param.watch(self._offer, ["choice", "chosen"])
        self.root = pn.Column(sizing_mode="stretch_width", margin=0)

    def show(self, choice: Any) -> None:
        """Show what was found."""
        first = self.choice is None
        self.choice = choice.to_dict()
        self.sentence.object = sentence_of(self.choice)
        self.why.object = f"<details><summary>why</summary>{escape(self.choice['reason'])}.</details>"
        if first:
            plot = hv.DynamicMap(
                self._draw,
                streams=hv.streams.Params.from_params(
                    {"choice": self.param.choice, "chosen": self.param.chosen}
                ),
            )
            bare = {"yaxis": None, "xlabel": "", "ylabel": "", "ylim": (-0.1, 1.1)}
            pane = chart_pane(plot, height=ELBOW_HEIGHT, on_tap=self._choose_k, options=bare)
            pane.css_classes = ["chart", "elbow"]
            self.root.objects = [pane, markup(legend()), self.sentence, self.use, self.why]

    def wait(self, text: str) -> None:
        """Say what is going on until there is something to show."""
        self.choice = None
        self.sentence.object = f'<p class="sentence">{text}</p>'
        self.root.objects = [self.sentence]

    def _offer(self, *_: Any) -> None:
        """Offer to take the suggestion in one click."""
        suggested = self.choice and self.choice["recommended"]
        self.use.visible = bool(suggested)
        self.use.disabled = suggested == self.chosen
        self.use.name = f"{suggested} classes are set" if self.use.disabled else f"use {suggested} classes"

    def _draw(self, choice: Any, chosen: int) -> hv.Overlay:
        return elbow_plot.elbow(choice or {"k": [2, 3]}, chosen=chosen or None)

    def _choose_k(self, x: float, _y: float) -> None:
        if self.choice is not None:
            self.on_choose(elbow_plot.nearest_k(self.choice, x))


def legend() -> str:
    """HTML that says which colour is which figure."""
    return (
        '<div class="legend">'
        + "".join(
            f'<span title="{name}"><i style="background:{theme.INDEX_COLORS[key]}"></i>{SHORT[key]}</span>'
            for key, name in elbow_plot.INDICES.items()
        )
        + "</div>"
    )


def sentence_of(choice: dict[str, Any]) -> str:
    """Return a sentence on what the figures suggest, as HTML."""
    recommended = choice["recommended"]
    lead, rest = (
        ("No number stands out", "try a few and look at the maps.")
        if recommended is None
        else (
            f"Suggests {recommended} classes",
            "the most that stay apart and are found again in half of the pixels.",
        )
    )
    return f'<p class="sentence"><b id="suggested">{lead}</b>: {rest}</p>'


__all__ = ["ChoicePanel", "HistogramPanel", "SpectraPanel", "chart_pane", "position_of"]
