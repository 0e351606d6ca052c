"""Folders of pictures with the classes they are of."""

import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import FileError, InputError
from engine.readers.labels.labelled_folder import list_labelled_images, read_gray
from tests.engine.readers.test_sem_metadata import FEI, HITACHI, write

GREY = np.random.default_rng(0).integers(0, 255, (40, 60)).astype(np.uint8)


def save(path: Path, values: np.ndarray = GREY, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, values, **options)
    else:
        Image.fromarray(values).save(path, **options)
    return path


def column(path: Path, name: str, **options) -> dict[str, object]:
    table = list_labelled_images(path, **options)
    return dict(zip(table["file"].values.tolist(), table[name].values.tolist(), strict=True))


def test_the_folder_below_is_the_class_but_not_that_of_a_split(tmp_path: Path) -> None:
    for name in ("Tips/a_10.png", "Tips/a_9.png", "train/Fibres/b.jpg", "test/Tips/deep/c.tif", "d.bmp"):
        save(tmp_path / name)
    assert column(tmp_path, "label") == {
        "Tips/a_9.png": "Tips",
        "Tips/a_10.png": "Tips",
        "d.bmp": "",
        "test/Tips/deep/c.tif": "Tips",
        "train/Fibres/b.jpg": "Fibres",
    }
    assert column(tmp_path, "parent")["Tips/a_9.png"] == "Tips/a_9.png"


def test_a_csv_gives_labels_and_parents_and_leaves_the_other_files_without(tmp_path: Path) -> None:
    for name in ("one/a.png", "one/b.png", "one/c.png"):
        save(tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,label,parent\none/b.png,Tips,p1\none\\a.png,Tips,\n")
    assert column(tmp_path, "label") == {"one/b.png": "Tips", "one/a.png": "Tips", "one/c.png": ""}
    assert column(tmp_path, "parent") == {
        "one/b.png": "p1",
        "one/a.png": "one/a.png",
        "one/c.png": "one/c.png",
    }


def test_a_csv_elsewhere_counts_its_paths_from_itself(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png")
    (tmp_path / "truth.csv").write_text("\ufefffile;label\nin/a.png;Powder\n", encoding="utf-8")
    assert column(tmp_path / "in", "label", labels=tmp_path / "truth.csv") == {"a.png": "Powder"}


def test_what_a_csv_gets_wrong_is_listed_and_not_fatal(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text(
        "file,label\na.png,Tips\na.png,Fibres\nnone.png,Tips\n../x.png,Tips\n"
    )
    problems = column(tmp_path, "problem")
    assert "two labels, Tips and Fibres" in problems["a.png"]
    assert "none.png does not exist" in problems["none.png"]
    assert "not in" in problems["../x.png"]


def test_a_csv_without_the_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name,class\na.png,Tips\n")
    with pytest.raises(InputError, match="columns name, class; expected file, label"):
        list_labelled_images(tmp_path)
    with pytest.raises(FileError, match=r"none\.csv cannot be read"):
        list_labelled_images(tmp_path, labels=tmp_path / "none.csv")
    with pytest.raises(FileError, match="does not exist"):
        list_labelled_images(tmp_path / "none")


def test_truncated_and_odd_files_are_listed_with_a_sentence_each(tmp_path: Path) -> None:
    good = [save(tmp_path / f"good{suffix}") for suffix in (".png", ".jpg", ".tif", ".bmp")]
    packed = save(tmp_path / "good_packed.tif", compression="zlib")
    for path in (*good, packed):
        stored = path.read_bytes()
        (tmp_path / f"cut_{path.name}").write_bytes(stored[: len(stored) - min(600, len(stored) // 2)])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "page.jpg").write_text("<html></html>")
    (tmp_path / "notes.txt").write_text("no picture")
    save(tmp_path / "good_mask.png")
    problems = column(tmp_path, "problem")
    assert all(not problems[path.name] for path in (*good, packed))
    assert all("copy it again" in problems[f"cut_{path.name}"] for path in (*good, packed))
    assert "empty" in problems["empty.png"]
    assert "is no PNG, JPEG, BMP or TIFF" in problems["page.jpg"]
    assert len(problems) == 12


def test_a_jpeg_with_other_data_behind_it_is_complete(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes() + b"\0" * 500)
    behind = save(tmp_path / "b.png")
    behind.write_bytes(behind.read_bytes() + b"\0" * 5000)
    problems = column(tmp_path, "problem")
    assert problems["a.jpg"] == ""
    assert "copy it again" in problems["b.png"]  # more behind it than it holds itself


def test_the_table_knows_how_pictures_were_taken(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", tag=34682, text=FEI)
    write(tmp_path / "b.png", beside=HITACHI)
    save(tmp_path / "c.png")
    table = list_labelled_images(tmp_path)
    np.testing.assert_allclose(table["pixel_size"], [225.0, 19.84375, np.nan])
    np.testing.assert_allclose(table["magnification"], [62500.0, 5000.0, np.nan])
    np.testing.assert_allclose(table["voltage"], [5.0, 15.0, np.nan])
    assert table["detector"].values.tolist() == ["TLD", "SE(U)", ""]
    assert table["pixel_size"].attrs["units"] == "nm"


def test_masks_beside_images_hidden_files_and_links_that_lead_out_are_no_pictures(tmp_path: Path) -> None:
    outside = save(tmp_path / "outside.png")
    for name in ("in/images/a.png", "in/masks/a.png", "in/.hidden/a.png", "in/.a.png"):
        save(tmp_path / name)
    (tmp_path / "in" / "link.png").symlink_to(outside)
    assert list(column(tmp_path / "in", "label")) == ["images/a.png"]


def test_one_picture_and_an_empty_folder_are_tables_too(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    assert column(path, "problem") == {"a.png": ""}
    (tmp_path / "none").mkdir()
    assert list_labelled_images(tmp_path / "none").sizes["image"] == 0


def test_nothing_is_decoded_to_list_thousands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = save(tmp_path / "a" / "0.jpg", np.tile(GREY, (20, 20)))
    for n in range(1, 2000):
        (first.parent / f"{n}.jpg").hardlink_to(first)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("a picture was decoded"))
    start = time.perf_counter()
    assert list_labelled_images(tmp_path).sizes["image"] == 2000
    assert time.perf_counter() - start < 5  # 0.3 s measured


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_grey_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    found = read_gray(save(tmp_path / f"a{suffix}"))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, GREY)


def test_deep_pictures_keep_their_levels(tmp_path: Path) -> None:
    deep = (GREY.astype(np.uint16) * 257)[:, ::-1]
    for suffix in (".png", ".tif"):
        np.testing.assert_array_equal(read_gray(save(tmp_path / f"a{suffix}", deep)), deep)


def test_colours_and_palettes_become_their_luma(tmp_path: Path) -> None:
    colours = np.zeros((4, 5, 3), np.uint8)
    colours[0, 0], colours[1, 1], colours[2, 2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    expected = colours @ np.array([0.299, 0.587, 0.114])
    for suffix in (".png", ".tif", ".bmp"):
        np.testing.assert_allclose(read_gray(save(tmp_path / f"a{suffix}", colours)), expected, rtol=1e-5)
    Image.fromarray(colours).convert("RGBA").save(tmp_path / "alpha.png")
    Image.fromarray(colours).quantize(8).save(tmp_path / "palette.png")
    ramp = (np.arange(256, dtype=np.uint16)[::-1] * 257)[None].repeat(3, 0)
    save(tmp_path / "palette.tif", GREY, photometric="palette", colormap=ramp)
    np.testing.assert_allclose(read_gray(tmp_path / "alpha.png"), expected, rtol=1e-5)
    np.testing.assert_allclose(read_gray(tmp_path / "palette.png"), expected, atol=1.5)
    np.testing.assert_allclose(read_gray(tmp_path / "palette.tif"), 255.0 - GREY, rtol=1e-5)
    smooth = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[:, None], (1, 64))
    Image.fromarray(np.dstack([smooth] * 3)).save(tmp_path / "a.jpg", quality=95)
    np.testing.assert_allclose(read_gray(tmp_path / "a.jpg"), smooth, atol=6)


def test_a_truncated_picture_is_one_sentence(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif", ".bmp"):
        path = save(tmp_path / f"a{suffix}")
        path.write_bytes(path.read_bytes()[:-600])
        with pytest.raises(FileError, match="copy it again") as caught:
            read_gray(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileError, match="does not exist"):
        read_gray(tmp_path / "none.png")


@pytest.mark.real
def test_every_real_picture_opens_and_has_its_label(shared: Path) -> None:
    folder = shared / "data" / "sem"
    table = list_labelled_images(folder)
    assert table["problem"].values.tolist() == [""] * 20
    assert (table["label"] != "").sum() == 19
    for file in table["file"].values:
        found = read_gray(folder / str(file))
        assert found.ndim == 2
        assert np.isfinite(found).all()
