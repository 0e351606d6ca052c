"""Recipes of runs, results and files; work that is done once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import recipes
from engine.__main__ import main
from engine.errors import FileError, InputError
from engine.export import store
from engine.readers import source_digest as digests
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Maps(n_regions=2, size=32, n_wavelengths=4, seed=1).write(tmp_path / "maps")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Every reading of a source's bytes for its digest."""
    calls: list[object] = []
    whole = digests.hash_files

    def count(*arguments: object, **named: object) -> object:
        calls.append(arguments)
        return whole(*arguments, **named)

    monkeypatch.setattr(digests, "hash_files", count)
    monkeypatch.setattr(digests, "TICK_NS", 0)  # the data was written a moment ago
    return calls


def test_a_source_that_changed_is_hashed_again_and_refused(folder: Path) -> None:
    recipe = recipes.make_recipe("kmeans", folder)
    table = next(folder.glob("*.ds.dat"))
    table.write_text(table.read_text() + "\n")
    with pytest.raises(FileError, match="changed since the recipe was made"):
        recipes.check_source(recipe)


def test_labels_for_an_analysis_without_need_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="kmeans learns without labels"):
        recipes.make_training_recipe("kmeans", folder, labels=folder)


def test_a_command_hashes_its_source_once_and_writes_its_result_once(
    folder: Path, tmp_path: Path, hashed: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = store.write_layout
    monkeypatch.setattr(store, "write_layout", lambda *a, **k: (written.append(a), write(*a, **k))[1])
    arguments = [
        "run",
        "kmeans",
        str(folder),
        "--out",
        str(tmp_path / "out.zarr"),
        "--results",
        str(tmp_path / "home"),
    ]
    assert main(arguments) == 0
    assert len(hashed) == 1
    assert len(written) == 1
