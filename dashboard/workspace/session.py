"""The state of one tab; everything on the page is a function of it."""

from pathlib import Path
from typing import Any, Final

import param

from dashboard.map_modes import MODES
from dashboard.workspace.datasets import Result, Stack
from engine.schema import LABEL, X, Y

STRETCHES: Final = {"100 %": 100.0, "99.5 %": 99.5, "99 %": 99.0, "95 %": 95.0}
COLORMAPS: Final = ("gray", "viridis", "cividis", "magma", "inferno")


class Session(param.Parameterized):
    """The data, the result, and what is selected in them; one for each browser tab."""

    stack = param.ClassSelector(class_=Stack, default=None, allow_None=True, doc="What is open.")
    result = param.ClassSelector(class_=Result, default=None, allow_None=True)
    plane = param.Integer(0, bounds=(0, None), doc="Index along the spectral dim or of the image.")
    selected = param.List([], item_type=int, doc="Label values of the selected classes.")
    pixel = param.Tuple(None, length=2, allow_None=True, doc="Picked position (x, y) in coordinates.")
    region = param.List([], doc="Corners [x, y] of the drawn region in coordinates.")
    mode = param.Selector(default="segments", objects=list(MODES), doc="What the map of classes shows.")
    percent = param.Number(99.5, bounds=(50, 100), doc="Central share of the values that the stretch spans.")
    colormap = param.Selector(default="gray", objects=list(COLORMAPS))
    stretch = param.Selector(
        default="percentile", objects=["percentile", "linear", "log", "asinh"], doc="How values become grey."
    )
    hidden = param.List([], item_type=int, doc="Label values of classes that are not drawn.")
    opacity = param.Number(0.5, bounds=(0, 1), doc="Of classes over the image.")
    object_id = param.Integer(0, bounds=(0, None), doc="Number of the selected object, 0: none.")
    model = param.ClassSelector(
        class_=Path, default=None, allow_None=True, doc="Folder of the model to apply; None: Mapstack's own."
    )
    earlier = param.List([], item_type=Result, doc="What undo goes back to.")
    later = param.List([], item_type=Result, doc="What redo goes on to.")

    def open(self, stack: Stack) -> None:
        """Show another data set; nothing of the last one stays selected."""
        same = self.stack is not None and self.stack.address == stack.address
        self.param.update(
            stack=stack,
            result=None,
            plane=self.plane if same and self.plane < count_planes(stack) else stack.first_plane,
            selected=[],
            pixel=None,
            region=[],
            object_id=0,
            earlier=[],
            later=[],
        )

    def show(self, result: Result, *, keep: bool = False) -> None:
        """Show a result; `keep` puts the present one on the list of what undo goes back to.

        Parameters
        ----------
        result
            The result that is shown.
        keep
            Put the present result on the list of undo.
        """
        known = set(result.classes[LABEL].values.tolist())
        earlier = [*self.earlier, self.result] if keep and self.result is not None else []
        self.param.update(
            result=result,
            selected=[label for label in self.selected if label in known],
            earlier=earlier,
            later=[],
        )

    def replace_by_stored(self, result: Result) -> None:
        """Take the stored form of what is shown already."""
        if self.result is not None and self.result.recipe == result.recipe:
            self.result = result

    def step(self, *, back: bool) -> None:
        """Undo or redo one edit."""
        source, target = ("earlier", "later") if back else ("later", "earlier")
        waiting = getattr(self, source)
        if not waiting:
            return
        self.param.update(
            **{source: waiting[:-1], target: [*getattr(self, target), self.result]},
            result=waiting[-1],
            selected=[],
        )

    def select(self, labels: list[int]) -> None:
        """Select classes everywhere; those that do not exist are left out."""
        known = [] if self.result is None else self.result.classes[LABEL].values.tolist()
        self.selected = [label for label in labels if label in known]

    def clear(self) -> None:
        """Select nothing."""
        self.param.update(selected=[], pixel=None, region=[], object_id=0)

    def class_at(self, x: float, y: float) -> int:
        """Return the class at a position, 0 for none.

        Parameters
        ----------
        x
            Position in units of the coordinates.
        y
            Position in units of the coordinates.

        Returns
        -------
        int
            Label of the class.
        """
        return 0 if self.result is None else int(self.result.labels.value(x, y) or 0)


def count_planes(stack: Stack) -> int:
    """Return the number of positions along the spectral dim, 1 for plain images."""
    return 1 if stack.spectral is None else int(stack.images.sizes[stack.spectral])


def read_position(session: Session, x: float, y: float) -> dict[str, Any]:
    """Return the readout at a position: the value of each variable, the class and its confidence.

    Parameters
    ----------
    session
        State of the tab.
    x
        Position in units of the coordinates.
    y
        Position in units of the coordinates.

    Returns
    -------
    dict[str, Any]
        Values by variable, label and confidence.
    """
    if session.stack is None:
        return {}
    values = {
        name: pyramid.value(x, y, channel=session.plane) for name, pyramid in session.stack.pyramids.items()
    }
    label = session.class_at(x, y)
    certain = None if session.result is None else session.result.confidence.value(x, y)
    return {"values": values, "label": label, "confidence": certain}


def pixel_units(stack: Stack) -> str:
    """Return the units of the pixel coordinates."""
    return str(stack.images[X].attrs.get("units", "px"))


def pixel_area_units(stack: Stack) -> str:
    """Return the units of an area."""
    return f"{pixel_units(stack)}²" if stack.images[Y].size else ""
