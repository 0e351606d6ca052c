"""Overviews of label maps in which no object is lost."""

import json

import numpy as np
import pytest

import engine
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.datasets import MapResult
from dashboard.workspace.workspace import Workspace
from engine import pipeline
from engine.simulate.mosaic import Mosaic
from tests.stand_in import true_result

FRAMES = Mosaic(size=256, n_frames=1, seed=1)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("root")
    FRAMES.write(root / "mosaic")
    return Workspace([root], tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def stack(workspace: Workspace):
    return workspace.open_stack("mosaic/frame_000.fits")


@pytest.fixture(scope="module")
def result(workspace: Workspace, stack) -> MapResult:
    tree = true_result(engine.open(stack.source), FRAMES.frame(0).labels)
    recipe = pipeline.make_recipe("unet", stack.source)
    tree.attrs.update(recipe=recipe.to_json(), warnings=json.dumps(["Odd."]))
    return prepare_result(tree, "", workspace.home)


@pytest.mark.parametrize("width", [20, 32, 33, 100, 255])
def test_from_far_no_object_is_lost(result, width):
    x0, y0, x1, y1 = result.labels.bounds
    seen, bounds = result.object_overview.view((x0, x1), (y0, y1), width, width)
    cell = 256 // seen.shape[0]
    truth = FRAMES.frame(0).labels + 1
    expected = truth.reshape(256 // cell, cell, 256 // cell, cell).max(axis=(1, 3))
    assert 256 / width <= cell < 512 / width
    assert bounds == (x0, y0, x1, y1)
    np.testing.assert_array_equal(seen, expected)


def test_near_by_the_labels_themselves_are_seen(result):
    window = ((100.0, 150.0), (30.0, 80.0), 200, 200)
    seen, bounds = result.object_overview.view(*window)
    expected, same = result.labels.view(*window)
    assert bounds == same
    np.testing.assert_array_equal(seen, expected)
    assert result.background == 1
