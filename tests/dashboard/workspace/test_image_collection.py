"""A folder of images, opened one at a time."""

import numpy as np
import pytest

from dashboard.pages.nanoparticles import state as state
from dashboard.workspace.image_collection import file_names, load_image, open_collection
from dashboard.workspace.workspace import Workspace
from engine.simulate.hrtem import Hrtem


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("served")
    Hrtem(size=200, n_frames=2, n_particles=3, pixel_size=0.05, empty=0.0, seed=3).write(root / "hrtem")
    small = Hrtem(size=160, n_frames=1, n_particles=2, pixel_size=0.02, empty=0.0, seed=4).write(
        root / "other"
    )
    (small / "frame_000.tif").rename(root / "hrtem" / "frame_002.tif")
    return Workspace([root], tmp_path_factory.mktemp("home"))


def test_each_micrograph_has_its_own_shape_and_pixel_size(workspace: Workspace):
    stack = open_collection(workspace, "hrtem")
    assert file_names(stack) == ["frame_000.tif", "frame_001.tif", "frame_002.tif"]
    first, last = (load_image(workspace, stack, n) for n in (0, 2))
    assert [dict(one.images.sizes) for one in (first, last)] == [{"y": 200, "x": 200}, {"y": 160, "x": 160}]
    steps = [float(one.images["x"][1] - one.images["x"][0]) for one in (first, last)]
    np.testing.assert_allclose(steps, [0.05, 0.02])
    assert last.images["x"].attrs["units"] == "nm"
