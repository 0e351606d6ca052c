"""Tables that are built and checked by their specification."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.schema import columns as c


def class_table(**more: object) -> xr.Dataset:
    values = {c.NAME: ["a", "b"], c.COLOR: ["#000000", "#ffffff"], c.COUNT: [3, 1], c.FRACTION: [0.75, 0.25]}
    return c.CLASS_TABLE.build({**values, **more}, rows=[1, 4], units={c.AREA: "nm²"})


def test_a_built_table_has_rows_units_and_meanings() -> None:
    table = class_table(area=[12.0, 4.0])
    assert table["label"].values.tolist() == [1, 4]
    assert table[c.AREA].attrs == {"units": "nm²", "long_name": "area"}
    assert table[c.FRACTION].attrs["units"] == "1"
    assert c.CLASS_TABLE.check(table) is table


def test_a_column_that_is_not_declared_is_refused() -> None:
    with pytest.raises(InputError, match="has no column 'weight'; declare it"):
        class_table(weight=[1.0, 2.0])


def test_a_column_of_the_wrong_kind_is_refused_when_built_and_when_checked() -> None:
    with pytest.raises(InputError, match="column 'count' holds float64 values; expected a whole"):
        class_table(count=[0.5, 1.0])
    wrong = class_table().assign(count=("label", np.array(["x", "y"])))
    with pytest.raises(InputError, match="column 'count' of the table 'classes'"):
        c.CLASS_TABLE.check(wrong)


def test_a_missing_column_is_told_unless_it_is_optional() -> None:
    table = class_table()
    assert c.AREA not in table
    assert c.CLASS_TABLE.check(table) is table
    with pytest.raises(InputError, match="no column 'color'"):
        c.CLASS_TABLE.check(table.drop_vars(c.COLOR))


@pytest.mark.parametrize("table", c.TABLES, ids=lambda table: f"{table.group}-{table.doc[:20]}")
def test_every_column_is_documented_and_stands_once_in_its_table(table: c.Table) -> None:
    names = [column.name for column in table]
    assert len(set(names)) == len(names)
    assert all(column.doc and column.values in ("number", "whole", "text", "flag") for column in table)
    assert table[names[0]] is table.columns[0]
