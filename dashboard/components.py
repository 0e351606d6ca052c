"""Our own small components: plain ES modules in `assets/`, served by us, that set text, never markup.

They and Panel's own layouts release their session; the layouts of panel-material-ui 0.16 do not, which is why
none is used.
"""

from collections.abc import Mapping
from typing import Any, Final

import param
from panel.custom import JSComponent

from dashboard.kit import ASSETS, COMPONENT_STYLE

MOST_TOASTS: Final = 4
"""How many short messages are shown at once."""

Message = Mapping[str, Any]


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


class Paged(Component):
    """One page of rows, of which one is chosen; says `choose` or `page`."""

    rows = param.List([], item_type=dict)
    chosen = param.Integer(0)
    page = param.Integer(0)
    pages = param.Integer(0)
    note = param.String("")

    __abstract = True


class ObjectTable(Paged):
    """One page of a table of objects; also says `sort`."""

    columns = param.List([], item_type=dict)
    sort = param.String("")
    descending = param.Boolean(False)
    empty = param.String("")

    _esm = _script("object_table")


class Strip(Paged):
    """One page of a collection's micrographs."""

    _esm = _script("strip")


class Gallery(Paged):
    """One page of small pictures of things; also says `clear`."""

    what = param.String("particle", doc="What one of them is called.")
    large = param.Boolean(False)
    pictures = param.Dict({}, doc="Source of the picture of each row's particle, by its number as text.")
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
    what = param.String("particles", doc="What is counted.")
    corner = param.String("you ↓ model →")
    rows_are = param.String("you say", doc="What a row says of those in it.")
    columns_are = param.String("the model says")
    numbered = param.Boolean(False, doc="Number the columns: for many classes.")
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


class UndoRedo(Component):
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
        """Show one sentence: `info`, `success` or `error`.

        Parameters
        ----------
        text
            The sentence.
        kind
            `info`, `success` or `error`.
        """
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
    """The open part of a page: its element of the id `of` gets the open tab's name as `data-tab`."""

    names = param.Dict({}, doc="Names on screen by value.")
    value = param.String("")
    of = param.String("")

    _esm = _script("tabs")


class DropZone(Component):
    """Takes files dropped anywhere on the page; says `begin` with names and sizes, each `part`, and `end`."""

    accept = param.String("", doc="Ends of the names of files that are taken, with commas between.")
    text = param.String("")
    taken = param.Integer(0, doc="Bytes that have arrived.")
    refused = param.String("", doc="Why the files are not taken.")

    _esm = _script("drop_zone")


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
