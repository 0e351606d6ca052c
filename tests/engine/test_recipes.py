"""Recipes of runs, results and files; work that is done once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import engine
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


def test_a_copied_result_names_the_source_it_was_asked_for(folder: Path, tmp_path: Path) -> None:
    assert (
        main(
            [
                "run",
                "kmeans",
                str(folder),
                "--out",
                str(tmp_path / "a.zarr"),
                "--results",
                str(tmp_path / "home"),
            ]
        )
        == 0
    )
    result = engine.load(tmp_path / "a.zarr")
    assert Path(result.attrs["source"]) == folder
    assert recipes.recipe_of(result).source == str(folder)


def test_a_source_that_changed_is_hashed_again_and_refused(folder: Path) -> None:
    recipe = recipes.make_recipe("kmeans", folder)
    table = next(folder.glob("*.ds.dat"))
    table.write_text(table.read_text() + "\n")
    with pytest.raises(FileError, match="changed since the recipe was made"):
        recipes.check_source(recipe)


def test_a_recipe_names_a_large_model_by_its_digest_and_the_result_holds_it(tmp_path: Path) -> None:
    from engine.analysis import find_shipped_model, model_of
    from engine.simulate.hrtem import Hrtem

    frames = Hrtem(size=128, n_frames=1, seed=2).write(tmp_path)
    result = engine.run("particles", engine.open(frames / "frame_000.tif"))
    recipe = recipes.recipe_of(result)
    assert "arrays" not in recipe.model
    assert len(result.attrs["recipe"]) < 10_000
    assert (
        model_of(result).digest()
        == recipe.model["digest"]
        == engine.load(find_shipped_model("particles")).digest()
    )


def test_labels_for_an_analysis_without_need_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="kmeans learns without labels"):
        recipes.make_training_recipe("kmeans", folder, labels=folder)


def test_settings_of_training_are_unused_with_a_model(folder: Path) -> None:
    images = engine.open(folder)
    model = engine.fit("kmeans", images, n_clusters=2)
    chosen = recipes.choose_analysis("kmeans", {"n_clusters": 5, "smooth": 1.0})
    fitted, unused = recipes.apply_settings(model, chosen, {"n_clusters": 5, "smooth": 1.0})
    assert unused == ("n_clusters",)
    assert fitted.settings["smooth"] == 1.0
    assert np.asarray(fitted.arrays["centroids"]).shape[0] == 2
