"""Tests of `engine.unet.predict`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import engine
from engine.__main__ import main
from engine.errors import InputError
from engine.inputs import list_inputs
from engine.simulate.mosaic import Mosaic
from engine.unet import predict_tiles, runtimes


def test_without_a_model_the_one_that_mapstack_brings_finds_tracks_on_frames_it_never_saw():
    frame = Mosaic(size=512, seed=4321).frame(0)
    images = xr.Dataset({"image": (("y", "x"), frame.image)})
    result = engine.run("unet", images, electrons_per_adu=4 / 3)
    labels = np.asarray(result["labels"])
    truth = frame.labels + 1
    for number, least in {2: 0.95, 3: 0.85, 4: 0.8}.items():
        found, real = labels == number, truth == number
        if real.any():
            assert 2 * (found & real).sum() / (found.sum() + real.sum()) > least
    assert json.loads(result.attrs["warnings"]) == []
    table = result["object_table"].to_dataset()
    assert {"name", "energy", "kind", "charge", "touches_edge"} <= set(table.data_vars)
    assert set(table["kind"].values[table["name"].values == "cluster"]) <= {"point", "worm", "line", "blob"}
    objects = np.asarray(result["objects"])
    assert objects.max() == table.sizes["object"]
    np.testing.assert_array_equal(objects > 0, labels > 1)
    number = int(table["object"][np.nanargmax(table["energy"].values)])
    level = json.loads(result.attrs["background"])["level"]
    charge = (frame.image[objects == number] - level).sum()
    assert float(table["energy"].max()) == pytest.approx(charge * 4 / 3 * 3.745)


def test_what_is_no_single_frame_is_refused(frames: Path):
    with pytest.raises(InputError, match=r"these are 3 frames; give one of them, such as .*frame_000\.fits"):
        engine.run("unet", engine.open(frames))


def test_a_folder_of_frames_is_segmented_one_by_one(
    frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    assert main(["run", "unet", str(frames), "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "frame_000.zarr",
        "frame_001.zarr",
        "frame_002.zarr",
    ]


def test_an_analysis_of_frames_takes_each_frame_of_a_folder_but_no_truth(mosaic: Path) -> None:
    names = [Path(path.partition("::")[0]).name for path in list_inputs(str(mosaic), "unet")]
    assert names == ["frame_000.fits", "frame_001.fits"]
    assert list_inputs(str(mosaic), "kmeans") == [str(mosaic)]


BACKGROUND = predict_tiles.Background(100.0, 5.0)


def frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, (height, width)).astype(np.float32)


def computed(values: np.ndarray, network: runtimes.Network, *, chunks=-1, tile: int = 64) -> list[np.ndarray]:
    lazy = predict_tiles.segment(da.from_array(values, chunks=chunks), network, BACKGROUND, tile=tile)
    return [np.asarray(part) for part in da.compute(*lazy)]


@pytest.mark.parametrize(("height", "width"), [(200, 300), (129, 65), (40, 333)])
def test_tiles_of_any_size_and_the_whole_frame_differ_only_where_two_classes_tie(network, height, width):
    values = frame(height, width)
    labels, confidence, _ = computed(values, network, tile=384)
    for tile in (32, 64, 128):
        other, sure, _ = computed(values, network, tile=tile)
        np.testing.assert_allclose(sure, confidence, atol=1e-5)
        assert (confidence[other != labels] < 1e-4).all()


BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def printed(script: str, *options: str) -> str:
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_large_frame_is_segmented_in_little_memory() -> None:
    text = printed("unet_large.py", "--size", "5120")
    assert float(re.search(r"peak resident size ([\d.]+) GiB", text)[1]) < 2  # type: ignore[index]
