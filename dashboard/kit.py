"""The page's parts: Panel's widgets made compact, escaping, and work off the loop.

Everything that is drawn on the page comes from here, from `dashboard.components` or from `dashboard.plots`.
"""

import base64
import html
import io
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import panel as pn
import param
from panel.io.state import set_curdoc

from engine.errors import MapstackError

ASSETS: Final = Path(__file__).parent / "assets"


@cache
def read_asset(name: str) -> str:
    """Return the text of a file in `dashboard/assets`."""
    return (ASSETS / name).read_text(encoding="utf-8")


COMPONENT_STYLE: Final = read_asset("components.css")
WIDGET_STYLE: Final = read_asset("widgets.css")
LOG: Final = logging.getLogger("mapstack")
UNSEEN_LABEL: Final = (
    "label { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }"
)

_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="mapstack")


def escape(text: object) -> str:
    """Text of files and users as harmless HTML; the one place that does it."""
    return html.escape(str(text), quote=True)


def png_source(pixels: Any) -> str:
    """Return an image `(y, x)` or `(y, x, 3)` of uint8 as what an `<img>` takes for its source."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def markup(content: str, **options: Any) -> Any:
    """Return a pane of HTML whose variable parts went through `escape`."""
    return pn.pane.HTML(
        content, stylesheets=[COMPONENT_STYLE], margin=0, sizing_mode="stretch_width", **options
    )


def settings_form(settings: param.Parameterized, names: list[str], *, per_row: int = 2) -> Any:
    """Return compact widgets, some a row, for some settings of an analysis, generated from its parameters.

    Parameters
    ----------
    settings
        The settings, each a parameter.
    names
        Settings that are shown, in this order.
    per_row
        Widgets in a row.
    """
    widgets = [setting(settings, name) for name in names]
    rows = [
        pn.Row(*widgets[i : i + per_row], sizing_mode="stretch_width", margin=(0, 0, 5, 0))
        for i in range(0, len(widgets), per_row)
    ]
    return pn.Column(*rows, sizing_mode="stretch_width", margin=0)


def setting(settings: param.Parameterized, name: str, **more: Any) -> Any:
    """Return the compact widget of one setting.

    Parameters
    ----------
    settings
        The settings, each a parameter.
    name
        The setting that the widget is for.
    more
        Further options of the widget.
    """
    parameter = settings.param[name]
    options: dict[str, Any] = {
        "name": label_of(parameter),
        "sizing_mode": "stretch_width",
        "stylesheets": [WIDGET_STYLE],
        "margin": (0, 5, 0, 0),
        "min_width": 0,
        "css_classes": [f"setting-{name}"],
        **more,
    }
    if isinstance(parameter, param.Integer):
        options["type"] = pn.widgets.IntInput
    elif isinstance(parameter, param.Number):
        options["type"] = pn.widgets.FloatInput
    made = pn.Param(settings, parameters=[name], widgets={name: options}, show_name=False)
    return made.layout[0]


def label_of(parameter: param.Parameter) -> str:
    """Return the label of a setting: that of its declaration, otherwise its name in words."""
    name = str(parameter.name)
    if parameter.label != param.parameterized.label_formatter(name):
        return str(parameter.label)
    return name.removeprefix("n_").replace("_", " ")


def button(label: str, name: str, on_click: Callable[[], None], *, margin: Any = (0, 4, 4, 0)) -> Any:
    """Return a small button; `name` is its CSS class.

    Parameters
    ----------
    label
        Text on the button.
    name
        Its CSS class.
    on_click
        Called without arguments.
    margin
        Space around it in pixels.
    """
    made = pn.widgets.Button(name=label, stylesheets=[WIDGET_STYLE], margin=margin, css_classes=[name])
    made.on_click(lambda _: on_click())
    return made


def number(label: str, name: str) -> Any:
    """Return a compact field for a positive number that may stay empty; `name` is its CSS class.

    Parameters
    ----------
    label
        Text beside the field.
    name
        Its CSS class.
    """
    return pn.widgets.FloatInput(
        name=label,
        value=None,
        start=0,
        sizing_mode="stretch_width",
        stylesheets=[WIDGET_STYLE],
        margin=(0, 5, 0, 0),
        css_classes=[name],
    )


def choice(options: Mapping[str, Any] | list[Any], name: str, *, label: str, **more: Any) -> Any:
    """Return a compact select of named options; `name` is its CSS class, `label` is for screen readers.

    Parameters
    ----------
    options
        Values by the text that is shown, or a list of both in one.
    name
        Its CSS class.
    label
        Text for screen readers.
    more
        Further options of the widget.
    """
    return pn.widgets.Select(
        name=label,
        options=options,
        stylesheets=[WIDGET_STYLE, UNSEEN_LABEL],
        margin=0,
        css_classes=[name],
        **more,
    )


def switch(options: Mapping[str, Any], name: str, **more: Any) -> Any:
    """Return a row of buttons of which one is on; `name` is its CSS class.

    Parameters
    ----------
    options
        Values by the text on the buttons.
    name
        Its CSS class.
    more
        Further options of the widget.
    """
    return pn.widgets.RadioButtonGroup(
        options=dict(options), stylesheets=[WIDGET_STYLE], margin=0, css_classes=[name], **more
    )


@contextmanager
def _in_order(document: Any) -> Iterator[None]:
    """Have Bokeh send all changes together, in their order, when the context ends.

    Panel sends some changes past Bokeh's queue, and while a socket is busy some of them late: the browser
    then hears of models that it does not know yet ("reference p2299 isn't known").
    """
    if document.callbacks.hold_value:
        yield
        return
    document.hold("collect")
    try:
        yield
    finally:
        document.unhold()


class Work:
    """Runs work of one session off the event loop and brings its outcome back to the page.

    Work of the same key replaces earlier work: an outcome that is no longer wanted is dropped. A
    `MapstackError` is told to the user as its sentence; anything else is a bug and goes to the log.
    """

    def __init__(self, document: Any, tell: Callable[[str, str], None]) -> None:
        self.document = document
        self.tell = tell
        self.closed = False
        self._newest: dict[str, object] = {}
        self._ready = False
        self._early: list[Callable[[], None]] = []

    def run(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        *,
        key: str,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Do `work()` in a thread, then `then(outcome)` on the page.

        Parameters
        ----------
        work
            Called in a thread.
        then
            Called on the page with what `work` returned.
        key
            A later call with the same key takes the place of an earlier one.
        failed
            Called on the page where `work` raised an error.
        """
        token = self._newest[key] = object()
        _pool.submit(self._perform, work, then, failed, (key, token))

    def post(self, action: Callable[[], None]) -> None:
        """Do something on the page, from any thread."""
        if not self.closed:
            self.document.add_next_tick_callback(partial(self._do, action))

    def ready(self) -> None:
        """Do what had to wait until the browser shows the page."""
        self._ready = True
        early, self._early = self._early, []
        for action in early:
            self.guard(action)

    def _do(self, action: Callable[[], None]) -> None:
        """Do it now, unless a browser fetches the page: Panel drops what changes until the page is shown."""
        session = getattr(self.document.session_context, "session", None)
        if self._ready or session is None or session.connection_count == 0:
            self.guard(action)
        else:
            self._early.append(action)

    def guard(self, action: Callable[[], None]) -> None:
        """Do something in the name of this session; tell what went wrong in one sentence."""
        try:
            # without the document set, Panel takes its style sheets from the internet
            with set_curdoc(self.document), _in_order(self.document):
                action()
        except Exception as error:  # noqa: BLE001  (the page's last door)
            self.tell(sentence(error), "error")

    def close(self) -> None:
        """Drop everything that is still under way; the session has ended."""
        self.closed = True
        self._newest.clear()

    def _perform(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[], None],
        ticket: tuple[str, object],
    ) -> None:
        key, token = ticket
        if self._newest.get(key) is not token:
            return
        try:
            outcome = work()
        except Exception as error:  # noqa: BLE001  (the page's last door)
            said = sentence(error)

            def tell() -> None:
                failed()
                self.tell(said, "error")

            self.post(tell)
            return
        self.post(lambda: then(outcome) if self._newest.get(key) is token else None)


def sentence(error: Exception) -> str:
    """Return what to tell the user about an error; the log keeps the rest."""
    if isinstance(error, MapstackError):
        LOG.info("told the user: %s", error)
        return " ".join(str(error).split())
    LOG.error("a bug reached the page", exc_info=error)
    return "Something went wrong inside Mapstack; the last good view stays. The server's log has the details."
