"""Every format gives back the values and the recipe."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from engine import catalogue
from engine.errors import FileError, InputError
from engine.export import store
from engine.recipe import Recipe

OF_PARTICLES = ("figure", "html", "crops")


OF_MAPS = sorted(set(catalogue.EXPORTERS) - set(OF_PARTICLES))


NAMES = ["SiO₂, dünn", "=SUM(A1)\"'; <b>$x_1$", "two\nlines\t#{%}"]


@pytest.mark.parametrize("name", OF_MAPS)
def test_exporting_again_replaces_the_files(name: str, result: xr.DataTree, tmp_path: Path) -> None:
    write = catalogue.find("exporters", name)
    first = write(result, tmp_path)
    assert write(result, tmp_path) == first
    assert sorted(first) == sorted(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["csv", "tiff", "png", "geojson"])
def test_a_failing_export_leaves_nothing_behind(
    name: str, result: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileError, match="the disk is full; free some space"):
        catalogue.find("exporters", name)(result, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", OF_MAPS)
def test_any_class_name_can_be_exported_without_a_warning(
    name: str, result: xr.DataTree, tmp_path: Path
) -> None:
    result["classes/name"] = xr.DataArray(np.array(["日本", "$x^{2", "_\0\x1b" + "long " * 20]), dims="label")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert catalogue.find("exporters", name)(result, tmp_path)


@pytest.mark.parametrize("name", OF_PARTICLES)
def test_what_is_of_particles_is_refused_for_maps(name: str, result: xr.DataTree, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"is for populations of particles.*and the result is one of maps of classes"
    ):
        catalogue.find("exporters", name)(result, tmp_path)
    assert not list(tmp_path.iterdir())


def test_recipe_as_json_is_readable_text(result: xr.DataTree, recipe: Recipe, tmp_path: Path) -> None:
    (path,) = store.write_json(result, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") > 10
    assert "dünn" in json.dumps(NAMES, ensure_ascii=False)
    assert json.loads(text)["edits"][0]["author"] == "Jörg"
