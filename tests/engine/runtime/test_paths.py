"""The one door for paths: hostile paths stay outside."""

import os
import socket
from pathlib import Path

import pytest

from engine.errors import FileError
from engine.runtime.paths import resolve


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A served folder with a file, a folder and links, beside things that are not served."""
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "a b\nü.npy").touch()
    (root / "a.npy").touch()
    (tmp_path / "root_secret").mkdir()
    (tmp_path / "root_secret" / "s.npy").touch()
    (root / "out").symlink_to(tmp_path / "root_secret")
    (root / "out.npy").symlink_to(tmp_path / "root_secret" / "s.npy")
    (root / "in.npy").symlink_to(root / "a.npy")
    (root / "loop").symlink_to(root / "loop")
    return root


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.npy", "a.npy"),
        ("folder", "folder"),
        ("folder/../a.npy", "a.npy"),
        ("./folder//a b\nü.npy", "folder/a b\nü.npy"),
        ("in.npy", "a.npy"),
        ("", "."),
        (".", "."),
    ],
)
def test_what_lies_inside_is_given_as_its_real_path(root: Path, path: str, expected: str) -> None:
    assert resolve(root / path, [root]) == (root / expected).resolve()
    if path:
        assert resolve(path, [root]) == (root / expected).resolve()


@pytest.mark.parametrize(
    "path",
    [
        "../root_secret/s.npy",
        "../root_secret",
        "..",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "/",
        "folder/../../root_secret/s.npy",
        "out",
        "out/s.npy",
        "out.npy",
        "loop",
        "loop/a.npy",
        "a.npy/",
        "a.npy/..//../root_secret/s.npy",
        "a.npy\0.png",
        "\0",
        "",
        "file:///etc/passwd",
        "http://localhost/a.npy",
        "s3://bucket/a.npy",
        "~/.ssh/id_rsa",
        "~root",
        "%2e%2e/root_secret/s.npy",
        "..\\root_secret\\s.npy",
        "missing.npy",
        "a" * 5000,
        "a/" * 3000,
        "/dev/null",
        "/proc/self/environ",
        "\udce4.npy",
    ],
)
def test_hostile_paths_are_refused(root: Path, path: str) -> None:
    if path == "a.npy/":
        assert resolve(path, [root]) == root / "a.npy"
        return
    with pytest.raises(FileError):
        resolve(path, [root])


def test_a_sibling_whose_name_begins_like_the_root_is_outside(root: Path) -> None:
    with pytest.raises(FileError, match="is not in the served folders"):
        resolve(f"{root}_secret/s.npy", [root])


def test_the_sentence_does_not_tell_whether_something_outside_exists(root: Path) -> None:
    said = []
    for name in ("s.npy", "t.npy"):
        with pytest.raises(FileError) as error:
            resolve(f"{root}_secret/{name}", [root])
        said.append(str(error.value).replace(name, "*"))
    assert said[0] == said[1]


def test_a_pipe_and_a_socket_are_neither_file_nor_folder(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(root / "s"))
        for name in ("pipe", "s"):
            with pytest.raises(FileError):
                resolve(name, [root])


def test_several_roots_are_tried_in_order_and_a_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.npy").touch()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    assert resolve("b.npy", [root, tmp_path / "link"]) == (tmp_path / "other" / "b.npy").resolve()


def test_without_roots_nothing_is_served(root: Path) -> None:
    with pytest.raises(FileError):
        resolve(root / "a.npy", [])
