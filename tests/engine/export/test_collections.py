"""Tests of `engine.export.collections`."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.__main__ import main
from engine.export.collections import micrograph_names, split_micrographs
from engine.export.provenance import file_name
from engine.schema import table


@pytest.fixture
def result(stored: Path) -> xr.DataTree:
    return engine.load(stored)


def test_the_legend_of_a_micrograph_is_of_its_own_particles(result):
    for single in split_micrographs(result):
        classes, labels = table(single, "classes"), single["labels"].values
        pixels = [(labels == label).sum() for label in classes["label"].values]
        assert classes["count"].values.tolist() == pixels
        assert classes["fraction"].values == pytest.approx(np.array(pixels) / max(1, sum(pixels)))


def test_names_of_micrographs_are_different_however_long_and_alike_their_files_are():
    files = [f"{'grain' * 40}_{n}.tif" for n in range(3)] + ["a.tif", "A.png", "??.tif"]
    names = micrograph_names(files, start="sample_")
    assert len({name.casefold() for name in names}) == len(files)
    assert all(file_name(name) == name for name in names)


def test_collections_are_compared_with_intervals_and_more_of_a_class_is_seen(
    stored: Path, result, tmp_path, capsys
):
    numbers = table(result, "object_table")["object"].values.tolist()
    other = engine.edit(result, "relabel_objects", objects=numbers, label=2)
    engine.save(other, tmp_path / "other.zarr")
    assert main(["compare", str(stored), str(tmp_path / "other.zarr"), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["classes"]}
    own = table(result, "fractions").set_index(label="label")
    assert rows["no"]["difference"] == pytest.approx(float(own["fraction"].sel(label=2)) - 1)
    assert rows["no"]["low"] <= rows["no"]["difference"] <= rows["no"]["high"]
    assert rows["yes"]["radius_difference"] is None
    assert rows["yes"]["radius_p"] is None
    assert 0 <= rows["no"]["radius_p"] <= 1
    assert main(["compare", str(stored), str(stored)]) == 0
    assert "difference" in capsys.readouterr().out
