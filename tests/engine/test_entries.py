"""Exports and edits: for which kinds of results they are, and arguments that they do not take."""

import pytest
import xarray as xr

from engine.entries import Edit, Exporter, load
from engine.errors import InputError

RESULT = xr.DataTree(xr.Dataset(attrs={"kind": "class_map"}))


def write(result: xr.DataTree, folder: str, *, images: object = None) -> list[str]:
    """Write nothing."""
    return [f"{folder}/{result.attrs['kind']}"]


def double(result: xr.DataTree, images: object, *, number: int) -> int:
    """Double a number."""
    return 2 * number + broken


broken = 0


HERE = f"{__name__}:"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    import engine.entries

    functions = {f"{HERE}write": write, f"{HERE}double": double}
    monkeypatch.setattr(engine.entries, "load", lambda dotted: functions.get(dotted) or load(dotted))


def test_an_exporter_calls_the_function_for_the_kind() -> None:
    assert Exporter("text", {"class_map": f"{HERE}write"})(RESULT, "out") == ["out/class_map"]
    assert Exporter("text", {"class_map": f"{HERE}write"}).doc == "Write nothing."


def test_another_kind_is_refused() -> None:
    with pytest.raises(
        InputError, match="text is for populations of particles, and the result is one of maps of classes"
    ):
        Exporter("text", {"population": f"{HERE}write"})(RESULT, "out")


def test_arguments_are_checked_before_the_call_so_that_a_bug_stays_a_bug() -> None:
    edit = Edit("double", {"class_map": f"{HERE}double"})
    assert edit(RESULT, None, number=3) == 6
    assert edit.learn(RESULT, None, number=3) == {"number": 3}
    with pytest.raises(InputError, match=r"edit 'double': .*missing a required argument: 'number'"):
        edit(RESULT, None)
    with pytest.raises(TypeError):
        edit(RESULT, None, number=None)
