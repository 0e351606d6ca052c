"""Controls of the display: the mode, stretch and colours of the values, opacity of the classes."""

from typing import Any, Final

import panel as pn

from dashboard.components import Level
from dashboard.kit import choice, switch
from dashboard.map_modes import FRAME_BUTTONS
from dashboard.workspace.session import COLORMAPS, Session
from dashboard.workspace.session import STRETCHES as PERCENTS

STRETCHES: Final = {
    "asinh": ("asinh", 99.5),
    "log": ("log", 99.5),
    "linear": ("linear", 99.5),
    "99.5 %": ("percentile", 99.5),
    "99 %": ("percentile", 99.0),
    "95 %": ("percentile", 95.0),
}
"""How values become grey, and the share of them that the scale spans."""


def mode_switch(session: Session) -> Any:
    """Return the buttons that choose what is shown."""
    made = switch(FRAME_BUTTONS, "modes", value=session.mode)
    made.link(session, value="mode")
    return made


def scale_controls(session: Session) -> tuple[Any, Any]:
    """Return the share of the values that the scale spans, and the colours."""
    share = choice(
        PERCENTS,
        "stretch",
        label="share of the values that the grey scale spans",
        value=session.percent,
        width=84,
    )
    colors = choice(
        list(COLORMAPS), "colormap", label="colours of the values", value=session.colormap, width=92
    )
    share.link(session, value="percent")
    colors.link(session, value="colormap")
    return share, colors


def frame_controls(session: Session) -> Any:
    """Return opacity, stretch and colours."""
    opacity = Level(
        value=session.opacity,
        name_shown="classes",
        label="opacity of the classes over the frame",
        sizing_mode="fixed",
        margin=(3, 10, 0, 0),
    )
    stretch = choice(STRETCHES, "stretch", label="how values become grey", width=80)
    stretch.value = (session.stretch, session.percent)
    colors = choice(
        list(COLORMAPS), "colormap", label="colours of the values", value=session.colormap, width=84
    )
    opacity.link(session, value="opacity")
    colors.link(session, value="colormap")
    stretch.param.watch(
        lambda event: session.param.update(stretch=event.new[0], percent=event.new[1]), "value"
    )
    return pn.Row(opacity, stretch, colors, margin=0)
