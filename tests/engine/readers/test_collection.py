"""Folders of micrographs of whatever formats."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import FileError, InputError
from engine.readers import open_images
from engine.readers.collection import members
from tests.engine.readers.micrograph_files import SERIES, write_mrc, write_ser


def test_members_are_the_images_of_a_folder_in_natural_order_by_content(tmp_path: Path) -> None:
    image = np.zeros((4, 5), np.uint8)
    for name in ("f_10.tif", "f_9.tif", "f_9_truth.tif"):
        tifffile.imwrite(tmp_path / name, image)
    for name in ("g.png", "g_mask.png", "g_label.png", "g_labels_2.png", ".hidden.png"):
        Image.fromarray(image).save(tmp_path / name)
    Image.fromarray(image).save(tmp_path / "i_unlabelled.dat", format="PNG")
    write_mrc(tmp_path / "k.mrc", SERIES[0])
    write_ser(tmp_path / "m_1.ser", SERIES)
    (tmp_path / "m.emi").write_bytes(b"JW")
    (tmp_path / "g.txt").write_text("Particle Location:\n")
    (tmp_path / "truth.csv").write_text("file\n")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "sub").mkdir()
    Image.fromarray(image).save(tmp_path / "sub" / "n.png")
    assert [file.name for file in members(tmp_path)] == [
        "f_9.tif",
        "f_10.tif",
        "g.png",
        "i_unlabelled.dat",
        "k.mrc",
        "m_1.ser",
    ]


def test_a_file_is_its_own_collection_and_an_empty_folder_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert members(tmp_path / "a.txt") == [tmp_path / "a.txt"]
    assert members(tmp_path) == []
    with pytest.raises(FileError, match="cannot be listed"):
        members(tmp_path / "none")


def test_links_that_lead_out_of_the_folder_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "in" / "b.png").symlink_to(tmp_path / "a.png")
    assert members(tmp_path / "in") == []


@pytest.mark.real
def test_the_real_collections_are_their_images(shared: Path) -> None:
    folder = shared / "data" / "hrtem"
    names = [file.name for file in members(folder / "scottlab_au_cdse")]
    assert names == [
        "au179_unlabelled_image.png",
        "gen_30_0_image.png",
        "gen_31_2_image.png",
        "overlay24_image.png",
        "rf_11_image.png",
        "rf_33_image.png",
    ]
    assert len(members(folder / "raw_formats")) == 3


CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


def test_a_folder_of_other_things_too_is_a_collection_and_without_images_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE[0])
    (tmp_path / "notes.txt").write_text("x")
    images = open_images(tmp_path)
    assert images.attrs["reader"] == "collection"
    np.testing.assert_array_equal(images["intensity"].values, CUBE[:1])
    (tmp_path / "a.tif").unlink()
    with pytest.raises(InputError, match="no format that Mapstack knows; there are: results, ellipsometry"):
        open_images(tmp_path)
