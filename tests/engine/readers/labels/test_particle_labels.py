"""Tests of `engine.readers.labels.particle_labels`."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.labels.particle_labels import read_particle_labels, write_particle_labels
from engine.simulate.hrtem import Hrtem

TEXT = """Particle Location:
(112, 87)
(3, 900.5)
Radius Size:
21
8
Defect Label:
yes
null
Image Size:
(1024, 512)
"""


def written(folder: Path, text: str) -> Path:
    (folder / "a.txt").write_text(text)
    return folder / "a.txt"


def test_centres_are_x_and_y_and_the_size_is_width_and_height(tmp_path: Path) -> None:
    table = read_particle_labels(written(tmp_path, TEXT))
    assert table["x"].values.tolist() == [112, 3]
    assert table["y"].values.tolist() == [87, 900.5]
    assert table["radius"].values.tolist() == [21, 8]
    assert table["defect"].values.tolist() == ["yes", "null"]
    assert table.attrs == {"heading": "Particle Location:", "image_size": (512, 1024)}
    assert {name: table[name].attrs["units"] for name in table.data_vars} == {
        "y": "px",
        "x": "px",
        "radius": "px",
        "defect": "1",
    }


def test_the_prior_programs_own_spelling_is_read(tmp_path: Path) -> None:
    spelled = TEXT.replace("(112, 87)", "[112, 87]").replace("(1024, 512)", "1024").replace("\n", "\r\n")
    spelled = "".join(
        f"\r\n{line}" if line[0] in "RDI" else line for line in spelled.splitlines(keepends=True)
    )
    table = read_particle_labels(written(tmp_path, spelled))
    xr.testing.assert_equal(table, read_particle_labels(written(tmp_path, TEXT)))
    assert read_particle_labels(written(tmp_path, spelled)).attrs["image_size"] == (1024, 1024)


def test_a_file_is_written_again_as_it_was(tmp_path: Path) -> None:
    text = TEXT.replace("Particle Location:", "au_12.png particle centers:")
    table = read_particle_labels(written(tmp_path, text))
    write_particle_labels(tmp_path / "b.txt", table, size=table.attrs["image_size"])
    assert (tmp_path / "b.txt").read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("(3, 900.5)", "(3; 900.5)", r"a\.txt, line 3: '\(3; 900\.5\)' is there, expected a centre"),
        ("(3, 900.5)", "(3, 1e999)", "line 3: .* expected a centre"),
        ("(3, 900.5)", "__import__('os')", "line 3: .* expected a centre"),
        ("21\n", "-2\n", "line 5: '-2' is there, expected a radius in pixels"),
        ("21\n", "nan\n", "line 5: 'nan' is there, expected a radius in pixels"),
        ("yes", "maybe", "line 8: 'maybe' is there, expected one of yes, no, null"),
        ("(1024, 512)", "large", "line 11: 'large' is there, expected the size of the image"),
        ("(1024, 512)", "9" * 5000, "line 11: '99.* expected the size of the image"),
        ("21\n", "", "line 4: 'Radius Size:' lists 1 particles, expected 2, one a centre"),
        ("null\n", "null\nno\n", "line 7: 'Defect Label:' lists 3 particles, expected 2"),
        ("(1024, 512)\n", "", "line 10: 'Image Size:' is there, expected one line after it, not 0"),
        ("Radius Size:", "Defect Label:", "line 4: 'Defect Label:' is there, expected 'Radius Size:'"),
        ("(1024, 512)\n", "64\nImage Size:\n", "line 12: .* expected the end of the file"),
        ("Image Size:\n(1024, 512)\n", "", "line 7: 'Defect Label:' lists|no section 'Image Size:'"),
        ("Particle Location:\n", "", r"line 1: '\(112, 87\)' is there, expected a heading"),
    ],
)
def test_a_malformed_file_is_refused_with_the_number_of_the_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match=said):
        read_particle_labels(written(tmp_path, TEXT.replace(old, new)))


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="is no text"):
        read_particle_labels(tmp_path / "a.txt")
    with pytest.raises(FileError, match="cannot be read"):
        read_particle_labels(tmp_path / "b.txt")


def test_labels_that_cannot_be_written_say_so(tmp_path: Path) -> None:
    table = read_particle_labels(written(tmp_path, TEXT))
    with pytest.raises(FileError, match="cannot be written"):
        write_particle_labels(tmp_path / "none" / "b.txt", table, size=(1, 1))


def test_the_simulator_writes_labels_that_are_read(tmp_path: Path) -> None:
    folder = Hrtem(size=256, n_frames=1, seed=1).write(tmp_path / "made")
    table = read_particle_labels(folder / "frame_000.txt")
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert table["defect"].values.tolist() == [row["class"] for row in rows]
    for name in ("y", "x", "radius"):
        expected = [float(row[name]) for row in rows]
        np.testing.assert_allclose(table[name].values, expected, atol=0.51)
    assert table.attrs["image_size"] == (256, 256)
