"""Print the tables of results as Markdown, or put them between the markers in `docs/data-model.md`.

python docs/data_model.py [--write]
"""

import sys
from pathlib import Path
from typing import Final

from engine.schema.columns import TABLES, Column, Table
from engine.schema.kinds import KINDS

PAGE: Final = Path(__file__).with_name("data-model.md")
START: Final = "<!-- tables: written by docs/data_model.py -->"
END: Final = "<!-- end of tables -->"


def describe_column(column: Column) -> str:
    """Return one row of a Markdown table."""
    dims = f" along {', '.join(f'`{dim}`' for dim in column.dims)}" if column.dims else ""
    units = "of the coordinates" if column.units is None else column.units
    optional = " (not in every result)" if column.optional else ""
    return f"| `{column.name}` | {column.values}{dims} | {units} | {column.doc}{optional} |"


def describe_table(table: Table) -> str:
    """Return a table's heading, the kinds of results that have it, and its columns."""
    kinds = ", ".join(f"`{kind.name}`" for kind in KINDS.values() if table in kind.tables)
    head = f"### `/{table.group}` of {kinds}\n\nDim of the rows: `{table.row}`; {table.doc}.\n"
    rows = "\n".join(describe_column(column) for column in table)
    return f"{head}\n| name | values | units | meaning |\n|---|---|---|---|\n{rows}\n"


def insert_tables(page: str, tables: str) -> str:
    """Return the page with the tables between its markers.

    Parameters
    ----------
    page
        Text with both markers.
    tables
        Markdown.
    """
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{tables}\n{END}{after}"


if __name__ == "__main__":
    TEXT = "\n".join(describe_table(table) for table in TABLES)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(insert_tables(PAGE.read_text(encoding="utf-8"), TEXT), encoding="utf-8")
    else:
        sys.stdout.write(TEXT)
