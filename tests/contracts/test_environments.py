"""The three files that name dependencies name the same ones."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def project_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
        f"python{project['requires-python']}",
    }


def listed(entries: list[str | dict[str, list[str]]]) -> set[str]:
    """Return all names, those from PyPI included; `pip` itself and the project are not dependencies."""
    found: set[str] = set()
    for entry in entries:
        found |= {entry} if isinstance(entry, str) else set(entry["pip"])
    return {name for name in found if name != "pip" and "--editable" not in name}


def test_environment_yml_names_the_dependencies_of_pyproject() -> None:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert listed(entries) == project_dependencies()


def test_anaconda_project_names_the_dependencies_of_pyproject() -> None:
    entries = yaml.safe_load((ROOT / "anaconda-project.yml").read_text())["packages"]
    assert listed(entries) == project_dependencies()


def test_the_makefile_and_anaconda_project_offer_the_same_commands() -> None:
    commands = set(yaml.safe_load((ROOT / "anaconda-project.yml").read_text())["commands"])
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line}
    assert commands <= targets
    assert {"demo", "test", "lint"} <= commands
