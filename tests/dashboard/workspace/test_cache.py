"""Data and results opened once for everybody."""

import threading
from pathlib import Path

import pytest

from dashboard.workspace.cache import Cache
from dashboard.workspace.workspace import Workspace
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    Maps(n_regions=3, size=48, n_wavelengths=5, seed=3, holes=0.0).write(root / "maps")
    return root


@pytest.fixture(scope="module")
def workspace(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace([served], tmp_path_factory.mktemp("home"))


def test_a_thing_that_many_ask_for_at_once_is_made_once():
    shelf: Cache[int] = Cache(2)
    made: list[int] = []
    everybody = threading.Barrier(8)

    def ask() -> None:
        everybody.wait()
        shelf.get("key", lambda: made.append(1) or 7)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_only_the_last_few_things_are_kept():
    shelf: Cache[str] = Cache(2)
    for key in "abc":
        shelf.get(key, lambda key=key: key)
    assert shelf.get("c", lambda: "made again") == "c"
    assert shelf.get("a", lambda: "made again") == "made again"


def test_a_stack_prepared_with_a_pixel_size_is_seen_in_its_units_and_excluding_changes_no_map(
    workspace,
):
    step = {"name": "pixel_size", "arguments": {"size": 0.5, "unit": "µm"}}
    region = {"name": "exclude", "arguments": {"polygons": [[[0, 0], [5, 0], [5, 5]]]}}
    plain, scaled = workspace.open_stack("maps"), workspace.open_stack("maps", (step,))
    assert scaled.pyramids["psi"].bounds[2] == pytest.approx(0.5 * plain.pyramids["psi"].bounds[2], abs=0.3)
    assert workspace.open_stack("maps", (step, region)).pyramids is scaled.pyramids
