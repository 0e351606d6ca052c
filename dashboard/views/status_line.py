"""The line at the bottom: where the cursor is and what lies there."""

from typing import Any

from dashboard.format import format_symbol, format_units
from dashboard.kit import escape, markup
from dashboard.workspace.session import Session, pixel_units, read_position
from engine.readers.fits.sky import sky_text
from engine.schema import columns as c


class StatusLine:
    """Position, values, class and confidence under the cursor."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.text = markup('<div class="status">Move over a map to read its values.</div>')

    def move(self, x: float, y: float) -> None:
        """Say what lies at a position."""
        self.text.object = f'<div class="status">{status_html(self.session, x, y)}</div>'


def status_html(session: Session, x: float, y: float) -> str:
    """HTML of what lies at a position."""
    stack, found = session.stack, read_position(session, x, y)
    if stack is None or not found:
        return ""
    units = escape(pixel_units(stack))
    sky = sky_text(str(stack.images.attrs.get("wcs", "")), x, y)
    parts = [f"<span>x <b>{x:.1f}</b> y <b>{y:.1f}</b> {units}</span>"]
    parts += [f"<span id='sky'>{escape(sky)}</span>"] if sky else []
    parts += [_value(stack, name, value) for name, value in found["values"].items()]
    parts.append(_class(session, found["label"], found["confidence"]))
    return "".join(parts)


def _value(stack: Any, name: str, value: float | None) -> str:
    units = str(stack.images[name].attrs.get("units", "1"))
    text = "no data" if value is None else f"{value:.2f}{format_units(units, after_number=True)}"
    return f"<span>{escape(format_symbol(name))} <b>{escape(text)}</b></span>"


def _class(session: Session, label: int, confidence: float | None) -> str:
    if session.result is None:
        return ""
    if label == 0:
        return "<span>no class</span>"
    table = session.result.classes
    row = table["label"].values.tolist().index(label)
    name = escape(str(table[c.NAME].values[row]))
    certain = "" if confidence is None else f" ({confidence:.2f})"
    return f"<span>class <b>{label} {name}</b>{certain}</span>"
