"""Shared fixtures."""

from pathlib import Path

import pytest

from engine.simulate.mosaic import Mosaic
from engine.unet import runtimes
from engine.unet.network import NETWORKS


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of converted networks of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> runtimes.Network:
    """A lean network with random weights, which react to every pixel in reach."""
    import keras

    keras.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("network") / "lean.keras"
    NETWORKS["lean"](4).save(path)
    return runtimes.Network.at(path)


@pytest.fixture(scope="session")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Mosaic(size=192, n_frames=3, seed=5).write(tmp_path_factory.mktemp("frames"))
