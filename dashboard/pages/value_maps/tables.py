"""The values of a map in numbers: of all pixels, and of the classes of a class map."""

from typing import Final

import xarray as xr

from dashboard.kit import escape
from engine.export.tables import zones_frame
from engine.export.value_maps import values_frame
from engine.schema import ZONE_TABLE
from engine.schema import columns as c
from engine.schema.kinds import has

COLUMNS: Final = ("median", "q05", "q95")


def zones_html(result: xr.DataTree, value: str) -> str:
    """Return a table of one value as HTML: all pixels, and a row for each class where zones were given.

    Parameters
    ----------
    result
        A value map.
    value
        Name of the value.
    """
    every = next(row for row in values_frame(result).to_dict("records") if row[c.NAME] == value)
    rows = [("all pixels", int(every[c.COUNT]), *(float(every[name]) for name in COLUMNS))]
    if has(result, ZONE_TABLE):
        rows += [
            (str(row[c.NAME]), int(row[c.COUNT]), *(float(row[f"{value}_{name}"]) for name in COLUMNS))
            for row in zones_frame(result).to_dict("records")
        ]
    head = "".join(f"<th>{name}</th>" for name in ("", "pixels", "median", "5 %", "95 %"))
    body = "".join(
        f"<tr><td>{escape(name)}</td><td>{count}</td>"
        + "".join(f"<td>{v:.5g}</td>" for v in numbers)
        + "</tr>"
        for name, count, *numbers in rows
    )
    return f"<table class='values'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
