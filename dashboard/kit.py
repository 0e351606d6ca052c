"""The page's parts: our own small components, Panel's widgets made compact, escaping, and work off the loop.

Everything that is drawn on the page comes from here or from `dashboard.plots`. The components are plain
ES modules in `assets/`, served by us; they set text, never markup. They and Panel's own layouts release
their session; the layouts of panel-material-ui 0.16 do not, which is why none is used.
"""

import base64
import html
import io
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import panel as pn
import param
from panel.custom import JSComponent
from panel.io.state import set_curdoc

from engine.errors import MapstackError

ASSETS: Final = Path(__file__).parent / "assets"
COMPONENT_STYLE: Final = (ASSETS / "components.css").read_text(encoding="utf-8")
WIDGET_STYLE: Final = (ASSETS / "widgets.css").read_text(encoding="utf-8")
LOG: Final = logging.getLogger("mapstack")
SETTING_NAMES: Final = {
    "n_clusters": "classes",
    "n_crops": "crops a batch",
    "min_cluster": "least cluster",
    "electrons_per_adu": "electrons / adu",
    "ev_per_electron": "eV / electron",
    "least_size": "px ≥",
    "most_size": "px ≤",
    "least_energy": "keV ≥",
    "least_confidence": "conf. ≥",
    "n_frames": "frames",
}
"""Settings that the page calls otherwise than the analysis does."""

MOST_TOASTS: Final = 4
"""How many short messages are shown at once."""

UNSEEN_LABEL: Final = (
    "label { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }"
)

Message = Mapping[str, Any]

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
    """Return compact widgets, some a row, for some settings of an analysis, generated from its parameters."""
    widgets = [setting(settings, name) for name in names]
    rows = [
        pn.Row(*widgets[i : i + per_row], sizing_mode="stretch_width", margin=(0, 0, 5, 0))
        for i in range(0, len(widgets), per_row)
    ]
    return pn.Column(*rows, sizing_mode="stretch_width", margin=0)


def setting(settings: param.Parameterized, name: str, **more: Any) -> Any:
    """Return the compact widget of one setting."""
    parameter = settings.param[name]
    options: dict[str, Any] = {
        "name": SETTING_NAMES.get(name, name.removeprefix("n_").replace("_", " ")),
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


def button(label: str, name: str, on_click: Callable[[], None], *, margin: Any = (0, 4, 4, 0)) -> Any:
    """Return a small button; `name` is its CSS class."""
    made = pn.widgets.Button(name=label, stylesheets=[WIDGET_STYLE], margin=margin, css_classes=[name])
    made.on_click(lambda _: on_click())
    return made


def number(label: str, name: str) -> Any:
    """Return a compact field for a positive number that may stay empty; `name` is its CSS class."""
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
    """Return a compact select of named options; `name` is its CSS class, `label` is for screen readers."""
    return pn.widgets.Select(
        name=label,
        options=options,
        stylesheets=[WIDGET_STYLE, UNSEEN_LABEL],
        margin=0,
        css_classes=[name],
        **more,
    )


def switch(options: Mapping[str, Any], name: str, **more: Any) -> Any:
    """Return a row of buttons of which one is on; `name` is its CSS class."""
    return pn.widgets.RadioButtonGroup(
        options=dict(options), stylesheets=[WIDGET_STYLE], margin=0, css_classes=[name], **more
    )


def _script(name: str) -> str:
    return "".join((ASSETS / part).read_text(encoding="utf-8") for part in ("prelude.js", f"{name}.js"))


class Component(JSComponent):
    """A component that tells what the user did to its `listener`."""

    listener = param.Callable(None, allow_None=True, precedence=-1)

    _stylesheets = [COMPONENT_STYLE]  # noqa: RUF012  (Panel's own protocol)
    _rename = {"listener": None}  # noqa: RUF012

    __abstract = True

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, **values})

    def _handle_msg(self, message: Message) -> None:
        if self.listener is not None:
            self.listener(message)


class ClassTable(Component):
    """Classes with editable names and colours; says `select`, `rename`, `merge`, `hide` ..."""

    rows = param.List([], item_type=dict)
    selected = param.List([], item_type=int)
    area_unit = param.String("")
    busy = param.Boolean(False)
    empty = param.String("")
    hidden = param.List([], item_type=int, doc="Labels of classes that are not drawn.")
    eyes = param.Boolean(False, doc="Whether classes can be hidden; says `hide`.")

    _esm = _script("class_table")


class ObjectTable(Component):
    """One page of a table of objects; says `choose`, `sort` or `page`."""

    columns = param.List([], item_type=dict)
    rows = param.List([], item_type=dict)
    chosen = param.Integer(0)
    sort = param.String("")
    descending = param.Boolean(False)
    page = param.Integer(0)
    pages = param.Integer(0)
    note = param.String("")
    empty = param.String("")

    _esm = _script("object_table")


class Strip(Component):
    """One page of a collection's micrographs; says `choose` or `page`."""

    rows = param.List([], item_type=dict)
    chosen = param.Integer(0)
    page = param.Integer(0)
    pages = param.Integer(0)
    note = param.String("")

    _esm = _script("strip")


class Gallery(Component):
    """One page of crops of particles; says `choose`, `page` or `clear`."""

    rows = param.List([], item_type=dict)
    pictures = param.Dict({}, doc="Source of the picture of each row's particle, by its number as text.")
    chosen = param.Integer(0)
    page = param.Integer(0)
    pages = param.Integer(0)
    note = param.String("")
    clear = param.String("", doc="What takes back the choice of what is shown, if something is chosen.")
    empty = param.String("")

    _esm = _script("gallery")


class Shares(Component):
    """Fractions with intervals; says which class to `select`."""

    rows = param.List([], item_type=dict)
    selected = param.List([], item_type=int)
    note = param.String("")
    empty = param.String("")

    _esm = _script("shares")


class Matrix(Component):
    """Confusion matrix; says which `cell` to open."""

    counts = param.List([], item_type=list)
    names = param.List([], item_type=str)
    chosen = param.List([], item_type=int)
    note = param.String("")
    empty = param.String("")

    _esm = _script("matrix")


class Sections(Component):
    """Numbers of objects in the sections of a frame; says which `row` and `column` was clicked."""

    counts = param.List([], item_type=list)
    what = param.String("")
    empty = param.String("")

    _esm = _script("sections")


class History(Component):
    """Undo and redo; says `undo` or `redo`."""

    undo = param.String("", doc="What undo would take back.")
    redo = param.String("", doc="What redo would do again.")
    busy = param.Boolean(False)

    _esm = _script("history")


class Stepper(Component):
    """Slider over named values with previous, next and play."""

    values = param.List([], item_type=str)
    value = param.Integer(0)
    label = param.String("")

    _esm = _script("stepper")


class Keys(Component):
    """Keyboard of the whole page; says which `key`."""

    _esm = _script("keys")


class Toasts(Component):
    """Short messages in the corner, one sentence each.

    They are state, not events: what is said before the browser has drawn the corner is shown when it has.
    """

    said = param.List([], item_type=dict)

    _esm = _script("toasts")

    def show(self, text: str, kind: str = "info") -> None:
        """Show one sentence: `info`, `success` or `error`."""
        number = self.said[-1]["number"] + 1 if self.said else 1
        self.said = [*self.said[1 - MOST_TOASTS :], {"number": number, "text": text, "kind": kind}]


class JobBar(Component):
    """Run, progress, time left, Cancel; says `run` or `cancel`."""

    running = param.Boolean(False)
    share = param.Number(0.0)
    doing = param.String("")
    left = param.String("")
    reason = param.String("", doc="Why Run is not possible now.")
    note = param.String("")
    label = param.String("Run")
    hint = param.String("segment with these settings", doc="What Run does.")

    _esm = _script("job_bar")


class Level(Component):
    """Slider from 0 to 1; `name_shown` stands before it, `label` says what it is for."""

    value = param.Number(0.5, bounds=(0, 1))
    name_shown = param.String("")
    label = param.String("")

    _esm = _script("level")


class Tabs(Component):
    """Which part of a page is open: its element of the id `of` gets the open tab's name as `data-tab`."""

    names = param.Dict({}, doc="Names on screen by value.")
    value = param.String("")
    of = param.String("")

    _esm = _script("tabs")


class ExportBar(Component):
    """Choice of a format, Export, and links to the files written; says `export`."""

    formats = param.List([], item_type=str)
    format = param.String("")
    files = param.List([], item_type=dict)
    busy = param.Boolean(False)
    reason = param.String("", doc="Why Export is not possible now.")

    _esm = _script("export_bar")


class Browser(Component):
    """Dialog that walks through the served folders; says `look`, `enter`, `up`, `open` or `close`."""

    shown = param.Boolean(False)
    entries = param.List([], item_type=dict)
    crumbs = param.List([], item_type=str)
    chosen = param.String("")
    preview = param.Dict({})
    openable = param.Boolean(False)
    note = param.String("")

    _esm = _script("browser")


class Code(Component):
    """Button and dialog with the lines that reproduce what is shown."""

    python = param.String("")
    command = param.String("")

    _esm = _script("code")


class Listing(Component):
    """Plain table with buttons in its rows; says what to `do` with the row of an `id`."""

    rows = param.List([], item_type=dict)
    columns = param.List([], item_type=dict)
    empty = param.String("")

    _esm = _script("table")


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

    def run(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        *,
        key: str,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Do `work()` in a thread, then `then(outcome)` on the page."""
        token = self._newest[key] = object()
        _pool.submit(self._perform, work, then, failed, (key, token))

    def post(self, action: Callable[[], None]) -> None:
        """Do something on the page, from any thread."""
        if not self.closed:
            self.document.add_next_tick_callback(partial(self.guard, action))

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
