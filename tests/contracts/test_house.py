"""The code stays readable by strangers: names, docstrings, sizes and circles, by `benchmarks/house.py`."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load_counter() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", ROOT / "benchmarks" / "house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures() -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = load_counter().figures(ROOT)
    return found


def number(text: str) -> float:
    return float(re.split(r"[ %]", text.strip())[0])


@pytest.mark.parametrize(
    ("figure", "most"),
    [
        ("participles engine", 3),
        ("participles dashboard", 3),
        ("riddles engine", 1),
        ("riddles dashboard", 1),
        ("module names twice, the fixed names of slices and pages apart", 3),
        ("class names twice", 0),
        ("classes of more than 12 methods", 0),
        ("functions of more than 40 lines", 0),
        ("circles, lazy imports counted", 0),
        ("guesses of a result's kind from what it holds", 0),
        ("column names spelled outside the schema", 4),
    ],
)
def test_a_figure_does_not_rise(figures: dict[str, tuple[str, list[str]]], figure: str, most: float) -> None:
    text, places = figures[figure]
    assert number(text) <= most, places


@pytest.mark.parametrize(
    ("figure", "least"),
    [("parameters engine", 90), ("parameters dashboard", 75), ("modules with a mirrored test", 73)],
)
def test_a_figure_does_not_fall(figures: dict[str, tuple[str, list[str]]], figure: str, least: float) -> None:
    text, places = figures[figure]
    assert number(text) >= least, places


def test_the_counter_sees_what_it_counts(tmp_path: Path) -> None:
    package = tmp_path / "engine"
    package.mkdir()
    (package / "__init__.py").write_text('"""Nothing."""\n')
    lines = [
        '"""What this is."""',
        "from engine.b import one",
        "",
        "",
        "def judged(x, y):",
        '    """Return."""',
    ]
    (package / "a.py").write_text("\n".join([*lines, '    return one(x)["name"]', ""]))
    (package / "b.py").write_text('"""B."""\n\n\ndef one(x):\n    from engine import a\n\n    return a\n')
    found = load_counter().figures(tmp_path)
    assert found["participles engine"][0].split("(")[1] == "1 of 2)"
    assert found["riddles engine"][1] == ["engine.a:1 'What this is.'"]
    assert found["circles, lazy imports counted"][0] == "1"
    assert found["parameters engine"][1] == ["engine.a:5 judged"]
    assert found["column names spelled outside the schema"][1] == ["engine.a:7 name"]
    assert len(found["modules with a mirrored test"][1]) == 2
