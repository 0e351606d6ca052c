"""Tests of `engine.readers.labels.labelled_folder`."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import FileError, InputError
from engine.readers.labels.labelled_folder import list_labelled_images, read_gray

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


def test_nothing_is_decoded_to_list_thousands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = save(tmp_path / "a" / "0.jpg", np.tile(GREY, (20, 20)))
    for n in range(1, 2000):
        (first.parent / f"{n}.jpg").hardlink_to(first)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("a picture was decoded"))
    assert list_labelled_images(tmp_path).sizes["image"] == 2000


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_grey_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    found = read_gray(save(tmp_path / f"a{suffix}"))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, GREY)


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
