"""Numbers, units, sizes and times as text for people."""

import math
from datetime import datetime
from typing import Any, Final

SYMBOLS: Final = {"delta": "Δ", "psi": "Ψ"}
"""Short signs of variables."""
SHOWN_UNITS: Final = {"deg": "°", "1": ""}
"""Units that are written otherwise than they are stored."""


def format_symbol(variable: str) -> str:
    """Return the short sign of a variable, its name where it has none."""
    return SYMBOLS.get(variable, variable)


def format_units(units: str, *, after_number: bool = False) -> str:
    """Return units as they are written.

    Parameters
    ----------
    units
        Units as they are stored, such as "deg"; "1" for none.
    after_number
        Whether a number stands before them: then with a space where one is needed.

    Examples
    --------
    >>> format_units("deg"), format_units("nm"), format_units("nm", after_number=True)
    ('°', 'nm', ' nm')
    """
    return SHOWN_UNITS.get(units, f" {units}" if after_number else units)


def format_value(value: float) -> str:
    """Return a value in few characters, whole numbers of counts without an exponent.

    Examples
    --------
    >>> format_value(0.123456), format_value(45678.9), format_value(2.5e7)
    ('0.1235', '45679', '2.5e+07')
    """
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.4g}"


def format_area(value: float) -> str:
    """Return an area with thin spaces between thousands.

    Examples
    --------
    >>> format_area(0.123456)
    '0.1235'
    """
    return f"{value:,.0f}".replace(",", "\u2009") if abs(value) >= 1000 else f"{value:.4g}"


def format_share(value: Any) -> str:
    """Return a share or score with two decimals, a dash for None, NaN and infinity.

    Examples
    --------
    >>> format_share(0.987), format_share(None), format_share(float("nan"))
    ('0.99', '–', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{float(value):.2f}"


def format_bytes(n_bytes: int) -> str:
    """Return a number of bytes with a decimal prefix.

    Examples
    --------
    >>> format_bytes(1_234_567)
    '1.2 MB'
    """
    value = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def format_time(moment: str) -> str:
    """Return day and time of an ISO 8601 moment, in the server's zone; empty for an empty one."""
    return datetime.fromisoformat(moment).astimezone().strftime("%d %b %H:%M") if moment else ""


def format_time_left(seconds: float | None) -> str:
    """Return the time left in words; empty where it is not known.

    Examples
    --------
    >>> format_time_left(3.4), format_time_left(200), format_time_left(None)
    ('3 s left', '3 min left', '')
    """
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s left"
    return f"{round(seconds / 60)} min left" if seconds < 5400 else f"{seconds / 3600:.1f} h left"
