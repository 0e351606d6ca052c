"""The analysis `unet`: it learns from labelled frames, brings a model, and gives what the contract names."""

import json
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import engine
from engine import progress
from engine.__main__ import main
from engine.analysis import find_shipped_model, load_model
from engine.errors import CancelledError, FileError, InputError
from engine.readers.labels.label_files import labels_of
from engine.simulate.mosaic import CLASSES, Mosaic
from engine.unet import tile_store
from engine.unet.analysis import UNet
from engine.unet.model import UNetModel
from engine.unet.seams import seam_report


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Mosaic(size=192, n_frames=3, seed=5).write(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="module")
def learned(frames: Path) -> UNetModel:
    settings = {"n_steps": 4, "n_crops": 2, "crop": 64, "seed": 1}
    return engine.fit("unet", engine.open(frames), labels_of(frames), **settings)


def test_a_model_says_what_it_learned_from_and_how_good_it_is_on_frames_held_out(learned: UNetModel):
    card = learned.metadata
    assert learned.class_names == CLASSES
    assert [row["name"] for row in card["metrics"]] == list(CLASSES)
    assert {"precision", "recall", "f1", "f1_low", "f1_high", "support"} <= set(card["metrics"][0])
    assert card["n_frames"] == 3
    assert len(card["held_out"]) == 1
    assert card["judged_on"] == "frames held out"
    assert sum(row["support"] for row in card["metrics"]) == 192 * 192
    assert set(card["range"]) == {"bright", "dark", "grain"}
    assert card["history"][-1]["step"] == 4


def test_a_model_without_its_network_or_with_another_is_refused(learned: UNetModel, tmp_path: Path):
    folder = learned.save(tmp_path / "model")
    (folder / "network.keras").write_bytes(b"other")
    with pytest.raises(FileError, match="its network is damaged or missing"):
        load_model(folder)
    (folder / "network.keras").unlink()
    with pytest.raises(FileError, match="its network is damaged or missing"):
        load_model(folder)


def test_labels_that_cannot_be_learned_from_are_refused_with_a_sentence(frames: Path):
    images, labels = engine.open(frames), labels_of(frames)
    quick = UNet(n_steps=1)
    with pytest.raises(InputError, match="a U-Net learns from labels, and there are none"):
        quick.fit(images)
    with pytest.raises(InputError, match="one label of the same shape a frame"):
        quick.fit(images, labels[:2])
    with pytest.raises(InputError, match="two or more classes"):
        quick.fit(images, xr.zeros_like(labels).drop_attrs())
    with pytest.raises(InputError, match="a name for each value"):
        UNet(class_names="empty,full").fit(images, labels.drop_attrs())


def test_values_that_no_class_names_are_not_learned_from(frames: Path):
    labels = labels_of(frames).drop_attrs()
    labels = labels.copy(data=da.where(labels.data == 3, 255, labels.data))
    model = UNet(n_steps=1, n_crops=1, crop=64, class_names="a,b,c").fit(engine.open(frames), labels)
    assert model.class_names == ("a", "b", "c")
    assert model.metadata["values"] == [0, 1, 2]


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


def test_a_frame_unlike_those_of_the_training_is_told():
    smooth = np.add.outer(np.arange(300.0), np.arange(300.0))
    result = engine.run("unet", xr.Dataset({"image": (("y", "x"), smooth)}))
    assert "unlike those that the network was trained on" in json.loads(result.attrs["warnings"])[0]


def test_what_is_no_single_frame_is_refused(frames: Path):
    with pytest.raises(InputError, match=r"these are 3 frames; give one of them, such as .*frame_000\.fits"):
        engine.run("unet", engine.open(frames))


def test_a_large_frame_goes_through_files_and_gives_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    image = Mosaic(size=256, seed=8).frame(0).image
    images = xr.Dataset({"image": (("y", "x"), image)})
    expected = engine.run("unet", images, tile=64)
    monkeypatch.setattr(tile_store, "IN_MEMORY", 0)
    seen: list[float] = []

    def stopped(share: float, _doing: str) -> None:
        seen.append(share)
        if share > 0.3:
            raise CancelledError("stop")

    with progress.keeping(tmp_path, lambda _: None):
        with progress.reporting(stopped), pytest.raises(CancelledError):
            engine.run("unet", images, tile=64)
        assert json.loads((tmp_path / tile_store.ROWS).read_text())["done"] > 0
        resumed = engine.run("unet", images, tile=64)
        for name in ("labels", "confidence", "entropy", "objects"):
            np.testing.assert_array_equal(np.asarray(resumed[name]), np.asarray(expected[name]))


def test_the_runtime_that_auto_stands_for_is_recorded(frames: Path):
    result = engine.run("unet", engine.open(frames / "frame_000.fits"))
    assert json.loads(result.attrs["recipe"])["runtime"] in ("openvino", "openvino-bfloat16", "keras")


def test_two_tilings_of_one_frame_differ_at_most_where_two_classes_tie():
    image = Mosaic(size=512, seed=9).frame(0).image
    images = xr.Dataset({"image": (("y", "x"), image)})
    report = seam_report(load_model(find_shipped_model("unet")), images, tiles=(512, 128))
    assert report.n_pixels == image.size
    assert report.largest_margin < 1e-4
    assert report.share <= 1e-6 * 4  # one pixel of so small a frame
    assert len(report.positions) == report.n_different


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


def test_the_command_trains_a_model_and_applies_it(
    frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    model, out = tmp_path / "model", tmp_path / "out.zarr"
    quick = ["--n-steps", "2", "--n-crops", "1", "--crop", "64"]
    assert main(["fit", "unet", str(frames), "--out", str(model), *quick]) == 0
    assert (model / "network.keras").is_file()
    assert (
        main(["run", "unet", str(frames / "frame_000.fits"), "--model", str(model), "--out", str(out)]) == 0
    )
    assert main(["score", str(out), str(frames / "frame_000_truth.fits"), "--json"]) == 0
    scored = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"background", "cluster"} <= {row["name"] for row in scored["classes"]} <= set(CLASSES)
    assert main(["run", "--recipe", str(out), "--out", str(tmp_path / "again.zarr")]) == 0
    again, before = engine.load(tmp_path / "again.zarr"), engine.load(out)
    np.testing.assert_array_equal(again["labels"], before["labels"])
