"""Pictures that were dropped on a page."""

import os
import time

import pytest

from dashboard.pages.image_classes import state as state
from dashboard.workspace.image_collection import open_image_folder
from dashboard.workspace.uploads import Upload, make_safe_names
from dashboard.workspace.workspace import Workspace
from engine.errors import InputError
from engine.simulate.sem import Sem


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "served").mkdir()
    (tmp_path / "home").mkdir()
    Sem(n_images=4, size=64, images_per_parent=1, databar=False).write(tmp_path / "served" / "sem")
    return Workspace([tmp_path / "served"], tmp_path / "home")


def test_a_drop_arrives_in_parts_and_is_opened_by_its_address(workspace):
    source = next((workspace.roots[0] / "sem").rglob("*.png"))
    content = source.read_bytes()
    drop = Upload(workspace.uploads, ["../x.png", "notes.txt", "x.png"], [len(content), 3, len(content)])
    assert drop.left_out == ["notes.txt"]
    drop.part(1, b"abc")
    for number in (0, 2):
        drop.part(number, content[:100])
        drop.part(number, content[100:])
    folder = drop.finish()
    assert sorted(path.name for path in folder.iterdir()) == ["x-2.png", "x.png"]
    assert folder.parent == workspace.uploads
    stack = open_image_folder(workspace, workspace.find_address(str(folder)))
    assert stack.title == "2 dropped pictures"
    assert (folder / "x.png").read_bytes() == content


def test_a_single_dropped_picture_is_a_file(workspace):
    drop = Upload(workspace.uploads, ["one.PNG"], [3])
    drop.part(0, b"abc")
    assert drop.finish().name == "one.PNG"


@pytest.mark.parametrize(
    ("names", "sizes", "said"),
    [
        (["notes.txt"], [3], "notes.txt is no picture"),
        ([], [], "no picture"),
        (["a.png"], [10**9], "larger than 200 MB"),
        (["a.png"], [0], "is empty"),
        ([f"{n}.png" for n in range(1001)], [1] * 1001, "too many"),
        ([f"{n}.png" for n in range(20)], [150 * 10**6] * 20, "larger than 2 GB"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_sentence(workspace, names, sizes, said):
    with pytest.raises(InputError, match=said):
        Upload(workspace.uploads, names, sizes)
    assert not workspace.uploads.exists()


def test_more_or_fewer_bytes_than_said_are_refused(workspace):
    drop = Upload(workspace.uploads, ["a.png"], [3])
    with pytest.raises(InputError, match="larger than the browser said"):
        drop.part(0, b"abcd")
    short = Upload(workspace.uploads, ["a.png"], [3])
    short.part(0, b"a")
    with pytest.raises(InputError, match="did not arrive whole"):
        short.finish()
    short.discard()
    assert not short.folder.exists()


@pytest.mark.parametrize(
    "name", ["/etc/passwd.png", "..\\..\\a.png", "a\0b.png", "." * 300 + "png", "CON\n.png"]
)
def test_names_stay_in_their_folder(name, tmp_path):
    (safe,) = make_safe_names([name])
    assert (tmp_path / safe).resolve().parent == tmp_path.resolve()
    assert not safe.startswith(".")
    assert safe.isprintable()


def test_drops_that_no_result_is_of_can_be_deleted_after_a_while(workspace):
    drop = Upload(workspace.uploads, ["a.png"], [1])
    drop.part(0, b"x")
    drop.finish()
    assert drop.folder not in workspace.list_leftovers()
    long_ago = time.time() - 10**5
    os.utime(drop.folder, (long_ago, long_ago))
    assert drop.folder in workspace.list_leftovers()
