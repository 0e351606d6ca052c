"""Pictures are classified with confidence, evidence and similar ones, and the unknown is told as such."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageDraw

import engine
from engine import catalogue, pipeline, progress
from engine.analysis import load_model
from engine.errors import FileError, InputError
from engine.image_classes import examples, predict
from engine.schema import IMAGE_TABLE, PICTURES, table

EDGE = 64
QUICK = {"edge": 32, "n_steps": 160, "minutes": 2.0, "n_together": 16}
KINDS = ("dots", "lines", "squares")


def picture(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Dots, lines or squares, each picture with its own number, size and noise."""
    canvas = Image.new("L", (EDGE, EDGE), 60)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(5, 10))):
        x, y, size = *rng.uniform(5, EDGE - 5, 2), rng.uniform(4, 6)
        if kind == "lines":
            draw.line((x - 30, y, x + 30, y), fill=200, width=2)
        elif kind == "dots":
            draw.ellipse((x - size, y - size, x + size, y + size), fill=200)
        else:
            draw.rectangle((x - 9, y - 9, x + 9, y + 9), outline=200, width=2)
    return np.clip(np.asarray(canvas, np.float32) + rng.normal(0, 4, (EDGE, EDGE)), 0, 255).astype(np.uint8)


def write(folder: Path, *, n_parents: int = 14, n_each: int = 3, seed: int = 0) -> Path:
    """A folder per class, and a csv that tells which pictures are of one sample."""
    rng = np.random.default_rng(seed)
    rows = []
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for n in range(n_parents * n_each):
            name = f"{kind}/picture_{n:03d}.png"
            Image.fromarray(picture(kind, rng)).save(folder / name)
            rows.append((name, kind, f"{kind}_{n // n_each}", f"lab {n // n_each % 3}"))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "label", "parent", "source"), *rows])
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("pictures") / "set")


@pytest.fixture(scope="module")
def images(folder: Path) -> xr.Dataset:
    return engine.open(folder)


@pytest.fixture(scope="module")
def model(images: xr.Dataset):
    return engine.fit("micrographs", images, **QUICK)


@pytest.fixture(scope="module")
def result(images: xr.Dataset, model) -> xr.DataTree:
    return engine.run("micrographs", images, model=model)


def test_a_network_is_judged_by_originals_that_it_did_not_see(model) -> None:
    known = model.metadata
    assert np.nanmean([row["f1"] for row in known["metrics"]]) > 0.9
    assert sum(known["n_pictures"]) == len(KINDS) * 14 * 3
    assert sum(known["n_originals"]) <= len(KINDS) * 14
    assert known["calibration_error"] < 0.2
    assert known["majority"] < 0.5


def test_a_result_says_class_confidence_evidence_and_what_is_alike(result: xr.DataTree, model) -> None:
    rows = table(result, IMAGE_TABLE).load()
    assert (rows["class"] == rows["truth"]).mean() > 0.9
    chances = np.sort(rows["probability"].values, axis=1)
    np.testing.assert_allclose(rows["confidence"], chances[:, -1] - chances[:, -2], atol=1e-6)
    known = table(result, "known")
    nearest = known["class"].values[rows["similar"].values[:, 0]]
    assert (nearest == rows["truth"].values).mean() > 0.8
    evidence = table(result, PICTURES)["evidence"].values
    assert np.isfinite(evidence).all()
    assert (evidence.std(axis=(1, 2)) > 0).all()
    assert not rows["unlike"].values.mean() > 0.1


def test_the_unknown_is_said_to_be_unlike_anything_and_gets_no_answer(model) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(100, 30, (20, EDGE, EDGE)).astype(np.float32)
    rows = table(
        engine.run("micrographs", xr.Dataset({"noise": (("image", "y", "x"), noise)}), model=model),
        IMAGE_TABLE,
    )
    assert rows["unlike"].values.mean() >= 0.9
    assert (rows["abstained"].values >= rows["unlike"].values).all()


def test_negatives_and_pictures_in_noise_are_unlike_what_was_learned(images: xr.Dataset, model) -> None:
    seen = images["intensity"].values.astype(np.float32)[::3]
    drowned = seen + 120 * np.random.default_rng(4).standard_normal(seen.shape).astype(np.float32)
    for strange in (255 - seen, drowned):
        data = xr.Dataset({"picture": (("image", "y", "x"), strange)})
        rows = table(engine.run("micrographs", data, model=model), IMAGE_TABLE)
        assert rows["unlike"].values.mean() >= 0.9


def test_a_smaller_allowed_error_leaves_more_pictures_without_an_answer(images: xr.Dataset, model) -> None:
    none, all_ = (
        table(engine.run("micrographs", images, model=model, error=error), IMAGE_TABLE)
        for error in (0.0, 1.0)
    )
    assert none["abstained"].values.sum() >= all_["abstained"].values.sum()
    np.testing.assert_array_equal(all_["abstained"], all_["unlike"])


def test_a_single_picture_gets_the_same_answer(folder: Path, result: xr.DataTree, model) -> None:
    alone = table(
        engine.run("micrographs", engine.open(folder / "lines/picture_000.png"), model=model), IMAGE_TABLE
    )
    rows = table(result, IMAGE_TABLE).load()
    row = rows.isel(image=int(np.flatnonzero(rows["file"].values == "lines/picture_000.png")[0]))
    assert int(alone["class"][0]) == int(row["class"])
    np.testing.assert_allclose(alone["probability"][0], row["probability"], atol=1e-4)


def test_a_network_may_be_told_how_large_what_it_sees_is() -> None:
    rng = np.random.default_rng(6)
    sizes = np.tile([0.5, 200.0], 60)
    images = xr.Dataset(
        {
            "picture": (
                ("image", "y", "x"),
                np.stack([picture("dots", rng) for _ in sizes]).astype(np.float32),
            )
        },
        coords={
            "pixel_size": ("image", sizes, {"units": "nm"}),
            "label": ("image", np.where(sizes < 1, "pores", "grains")),
        },
    )
    told, blind = (
        engine.fit("micrographs", images, magnification=said, **{**QUICK, "n_steps": 60})
        for said in (True, False)
    )
    assert told.metadata["accuracy"] >= 0.9
    assert blind.metadata["accuracy"] < 0.85
    rows = table(engine.run("micrographs", images, model=told, error=1.0), IMAGE_TABLE)
    assert (rows["class"] == rows["truth"]).values.mean() >= 0.9
    with pytest.raises(InputError, match="takes no magnification"):
        engine.fit("micrographs", images, network="xception", magnification=True)


def test_the_parts_of_a_large_picture_are_classified_each_by_itself(model) -> None:
    rng = np.random.default_rng(5)
    kinds = np.array([["dots", "lines", "squares"], ["lines", "lines", "dots"]])
    large = np.block([[picture(kind, rng) for kind in row] for row in kinds]).astype(np.float32)
    pair = np.stack([large, np.pad(large[:EDGE, :EDGE], ((0, EDGE), (0, 2 * EDGE)), constant_values=np.nan)])
    images = xr.Dataset({"picture": (("image", "y", "x"), pair)})
    parts = table(engine.run("micrographs", images, model=model, map_tile=EDGE, error=1.0), "tiles").load()
    assert dict(parts.sizes) == {"image": 2, "tile_row": 2, "tile_column": 3}
    assert parts["left"].values.tolist() == [[0, EDGE, 2 * EDGE], [0, -1, -1]]
    names = np.array(["", *model.class_names])
    found = names[parts["category"].values]
    told = found[0] != ""
    assert told.mean() >= 0.5
    assert (found[0] == kinds)[told].mean() >= 0.8
    assert (found[1].ravel()[1:] == "").all()
    assert np.isfinite(parts["confidence"].values).sum() == 7
    with pytest.raises(InputError, match=r"parts of 3 pixels are too small .*; give map_tile 32"):
        engine.run("micrographs", images, model=model, map_tile=3)


def test_a_model_of_an_earlier_version_is_refused_and_younger_settings_have_their_defaults(
    images: xr.Dataset, model, tmp_path: Path
) -> None:
    header = model.save(tmp_path / "model") / "model.json"
    old = json.loads(header.read_text())
    del old["settings"]["map_tile"]
    header.write_text(json.dumps(old))
    found = load_model(tmp_path / "model")
    assert found.settings == model.settings
    kept = {name: array for name, array in found.arrays.items() if name != "known_direction"}
    with pytest.raises(InputError, match="the model is of an earlier Mapstack"):
        engine.run("micrographs", images, model=replace(found, arrays=kept))


def test_what_a_job_has_finished_is_not_looked_at_again(
    images: xr.Dataset, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    real = predict._predict_batch

    def counted(views, *rest):
        looked.append(len(views))
        return real(views, *rest)

    monkeypatch.setattr(predict, "_predict_batch", counted)
    with progress.keeping(tmp_path, lambda _: None):
        first = engine.run("micrographs", images, model=model)
        n_first = sum(looked)
        (tmp_path / "pictures_000001.npz").write_bytes(b"damaged")
        again = engine.run("micrographs", images, model=model)
    assert n_first == images.sizes["image"]
    assert sum(looked) - n_first == predict.TOGETHER
    np.testing.assert_array_equal(table(first, IMAGE_TABLE)["class"], table(again, IMAGE_TABLE)["class"])


def test_people_relabel_retrain_and_undo(images: xr.Dataset, result: xr.DataTree) -> None:
    said = pipeline.edit(result, "relabel_images", images, images=[0, 1, 2], label=3)
    said = pipeline.edit(said, "relabel_images", images, images=[60, 61, 100, 101], label=1)
    rows = table(said, IMAGE_TABLE)
    assert rows["class"].values[[0, 1, 2]].tolist() == [3, 3, 3]
    assert rows["reviewed"].values.sum() == 7
    retrained = pipeline.edit(said, "retrain", images)
    after = table(retrained, IMAGE_TABLE)
    np.testing.assert_array_equal(after["class"].values[[0, 1, 2, 60]], [3, 3, 3, 1])
    assert json.loads(retrained.attrs["retrained"])["n_reviewed"] == 7
    twice = table(pipeline.edit(retrained, "retrain", images), IMAGE_TABLE)
    np.testing.assert_allclose(twice["probability"], after["probability"], atol=1e-6)
    before = table(pipeline.undo(retrained, images), IMAGE_TABLE)
    np.testing.assert_array_equal(before["class"], rows["class"])
    with pytest.raises(InputError, match="there is no class 9; the classes are 1 \\(dots\\)"):
        pipeline.edit(result, "relabel_images", images, images=[0], label=9)
    with pytest.raises(InputError, match="there is no picture 5000"):
        pipeline.edit(result, "relabel_images", images, images=[5000], label=1)


def test_tables_and_report_hold_every_picture(result: xr.DataTree, tmp_path: Path) -> None:
    import pandas as pd

    paths = catalogue.find("exporters", "csv")(result, tmp_path)
    frame = pd.read_csv(next(p for p in paths if p.name.endswith("_images.csv")), comment="#")
    assert len(frame) == len(table(result, IMAGE_TABLE)["file"])
    chances = frame[[f"probability {kind}" for kind in KINDS]]
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert set(frame["name"]) <= set(KINDS)
    (page,) = catalogue.find("exporters", "html")(result, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "expected calibration error" in text
    assert text.count("<img") > 10
    endings = {path.suffix for path in catalogue.find("exporters", "figure")(result, tmp_path)}
    assert endings == {".png", ".pdf"}
    with pytest.raises(InputError, match=r"tiff is for .*, and the result is one of sorted images"):
        catalogue.find("exporters", "tiff")(result, tmp_path)


def test_a_model_survives_its_folder(model, images: xr.Dataset, result: xr.DataTree, tmp_path: Path) -> None:
    again = engine.run("micrographs", images, model=load_model(model.save(tmp_path / "model")))
    np.testing.assert_array_equal(table(again, IMAGE_TABLE)["class"], table(result, IMAGE_TABLE)["class"])


def test_copies_of_a_picture_stay_on_one_side_of_the_split(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    (tmp_path / "dots").mkdir()
    (tmp_path / "lines").mkdir()
    first = picture("dots", rng)
    for n in range(8):
        turned = np.rot90(first, n % 4)
        values = turned if n < 4 else picture("lines", rng)
        Image.fromarray(values).save(tmp_path / ("dots" if n < 4 else "lines") / f"p{n}.png")
    read = examples.examples(engine.open(tmp_path), None, edge=32, databar=False)
    merged, n_copied = examples.without_copies(read, seed=0)
    assert n_copied == 4
    assert np.unique(merged.parents[merged.classes == 0]).size == 1


def test_every_source_is_left_out_in_turn(images: xr.Dataset) -> None:
    model = engine.fit("micrographs", images, judged_by="origins", **{**QUICK, "n_steps": 12})
    assert model.metadata["n_pictures"][2] == images.sizes["image"]
    assert "every origin in turn" in model.metadata["judged_on"]
    assert model.metadata["unscored"] == []


def test_keras_networks_learn_from_a_file_of_weights_and_never_download(
    images: xr.Dataset, tmp_path: Path
) -> None:
    asked = {**QUICK, "n_steps": 6, "network": "mobilenetv3small"}
    with pytest.raises(FileError, match=r"the weights of mobilenetv3small are not in .*missing\.h5; give"):
        engine.fit("micrographs", images, weights=str(tmp_path / "missing.h5"), **asked)
    import keras

    file = tmp_path / "own.weights.h5"
    body = keras.applications.MobileNetV3Small(input_shape=(32, 32, 3), include_top=False, weights=None)
    body.save_weights(file)
    few = images.isel(image=slice(None, None, 3))
    model = engine.fit("micrographs", few, weights=str(file), **asked)
    rows = table(engine.run("micrographs", few, model=model), IMAGE_TABLE)
    np.testing.assert_allclose(rows["probability"].sum(axis=1), 1, atol=1e-5)


def test_one_class_or_no_labels_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "dots").mkdir()
    for n in range(3):
        Image.fromarray(picture("dots", rng)).save(tmp_path / "dots" / f"{n}.png")
    with pytest.raises(InputError, match=r"are of 1 classes \(dots\); give two or more: a folder"):
        engine.fit("micrographs", engine.open(tmp_path), **QUICK)
