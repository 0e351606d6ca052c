"""What a visitor may open, and what can be deleted."""

import os
from pathlib import Path

import pytest

from dashboard.workspace.workspace import Workspace
from engine.errors import FileError
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    Maps(n_regions=3, size=48, n_wavelengths=5, seed=3, holes=0.0).write(root / "maps")
    return root


@pytest.fixture(scope="module")
def workspace(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace([served], tmp_path_factory.mktemp("home"))


def test_a_stack_is_opened_once_for_everybody(workspace):
    assert workspace.open_stack("maps") is workspace.open_stack("maps")


@pytest.mark.parametrize("address", ["../root", "/etc", "maps/../../..", "http://x/maps", "", "maps\0"])
def test_an_address_outside_of_the_served_folders_is_refused(workspace, address):
    with pytest.raises(FileError):
        workspace.open_stack(address)


def test_a_sibling_whose_name_begins_like_a_root_is_not_served(workspace, served):
    sibling = served.with_name(served.name + "_secret")
    sibling.mkdir()
    with pytest.raises(FileError):
        workspace.find_address(str(sibling))


def test_clean_up_deletes_old_caches_and_exports_but_nothing_that_is_looked_at(workspace):
    workspace.open_stack("maps")
    forgotten = workspace.home / "views" / "0123abcd-7-psi"
    exported = workspace.home / "exports" / "fresh"
    old = workspace.home / "exports" / "old"
    used = {f"{name}-psi" for name in workspace.cache._in_use}
    for folder in (forgotten, exported, old, *(workspace.home / "views" / name for name in used)):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert set(workspace.list_leftovers()) == {forgotten, old}
