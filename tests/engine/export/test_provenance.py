"""Tests of `engine.export.provenance`."""

import re
from pathlib import Path

import pytest
import xarray as xr

import engine
from engine import catalogue
from engine.errors import FileError, InputError
from engine.export import provenance
from engine.export.provenance import read_recipe
from engine.nanoparticles.methods import methods_text
from engine.recipe import Recipe

STEM = "hBN_µ-map_2"


OF_PARTICLES = ("figure", "html", "crops")


OF_MAPS = sorted(set(catalogue.EXPORTERS) - set(OF_PARTICLES))


@pytest.mark.parametrize("name", OF_MAPS)
def test_every_file_of_every_format_carries_the_recipe(
    name: str, result: xr.DataTree, recipe: Recipe, tmp_path: Path
) -> None:
    paths = catalogue.find("exporters", name)(result, tmp_path / "new folder")
    assert paths
    assert sorted(paths) == sorted((tmp_path / "new folder").iterdir())
    for path in paths:
        assert path.name.startswith(STEM)
        assert read_recipe(path) == recipe


@pytest.mark.parametrize("name", sorted(set(OF_MAPS) - {"json"}))
def test_a_result_without_a_recipe_is_exported_all_the_same(
    name: str, result: xr.DataTree, tmp_path: Path
) -> None:
    del result.attrs["recipe"]
    for path in catalogue.find("exporters", name)(result, tmp_path):
        with pytest.raises(InputError, match="recipe"):
            read_recipe(path)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("a\0b\nc", "a_b_c"),
        ("C:\\x|y?*", "C_x_y"),
        ("  ", "mapstack"),
        ("...", "mapstack"),
        ("Größe 5 µm", "Größe_5_µm"),
        ("長" * 200, "長" * 33),
    ],
)
def test_file_names_are_safe_whatever_the_title_is(title: str, expected: str) -> None:
    assert provenance.stem(xr.DataTree(xr.Dataset(attrs={"title": title}))) == expected


def test_files_are_named_after_the_source_without_a_title() -> None:
    tree = xr.DataTree(xr.Dataset(attrs={"source": "measured/stack.h5::/entry/data"}))
    assert provenance.stem(tree) == "stack"
    assert provenance.stem(tree, xr.Dataset(attrs={"title": "Flake 3"})) == "Flake_3"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.dat"),
        (b"1,2,3\n", "foreign.csv"),
        (b"{}", "foreign.json"),
        (b"[1]", "list.json"),
        (b'{"schema": 1}', "half.json"),
        (b"\x89PNG\r\n\x1a\n broken", "broken.png"),
        (b"II*\0 broken", "broken.tif"),
        (b"SIMPLE  =  broken", "broken.fits"),
        (b"PAR1 broken", "broken.parquet"),
        (b"\x89HDF broken", "broken.nc"),
        (b"<?xml version='1.0'?><svg", "broken.svg"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "bomb.svg"),
        (b"# recipe: {broken\n", "broken.dat"),
        (b"\xff\xfe\0\0", "bytes.bin"),
    ],
)
def test_a_file_without_a_recipe_is_named(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(str(path))):
        read_recipe(path)


def test_a_missing_file_and_a_foreign_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.json is not there; give a recipe, a result or an export"):
        read_recipe(tmp_path / "gone.json")
    with pytest.raises(InputError, match=r"no recipe in .*; give a recipe, a result or an export"):
        read_recipe(tmp_path)


FILES = ["frame_000", "frame_001", "frame_002"]


@pytest.fixture
def population(stored: Path) -> xr.DataTree:
    return engine.load(stored)


@pytest.mark.parametrize("name", ["tiff", "fits", "png", "svg", "geojson", "ds9"])
def test_what_holds_one_map_is_written_for_each_micrograph(name: str, population, tmp_path: Path):
    paths = catalogue.find("exporters", name)(population, tmp_path)
    for file in FILES:
        assert any(path.name.startswith(f"sample_A_{file}") for path in paths)
    assert read_recipe(paths[0]).analysis == "particles"


def test_the_report_stands_alone_and_says_how_it_was_done(population, tmp_path: Path):
    (path,) = catalogue.find("exporters", "html")(population, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "src='http" not in text
    for said in (
        "3 micrographs",
        "gradient-boosted trees",
        "the model that Mapstack",
        "bootstrap intervals",
        "Wilson",
        "given or confirmed by a person",
        "numpy",
    ):
        assert said in methods_text(population)
        assert said in text
    assert read_recipe(path).edits[0]["name"] == "relabel_objects"
