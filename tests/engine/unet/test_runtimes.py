"""Tests of `engine.unet.runtimes`: runtimes of a network: Keras on its backend, or OpenVINO."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from engine.errors import FileError, InputError, MissingDependencyError
from engine.unet import predict_tiles, runtimes

BACKGROUND = predict_tiles.Background(100.0, 5.0)


def frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, (height, width)).astype(np.float32)


def test_what_is_no_network_or_no_tile_is_refused_with_a_sentence(network, tmp_path: Path):
    with pytest.raises(InputError, match="tile is 100; give a multiple of 8 pixels"):
        predict_tiles.segment(da.zeros((8, 8)), network, BACKGROUND, tile=100)
    with pytest.raises(FileError, match="cannot read the network"):
        runtimes.Network.at(tmp_path / "none.keras")
    (tmp_path / "bad.keras").write_bytes(b"garbage")
    with pytest.raises(FileError, match=r"bad\.keras is no network that can be read"):
        runtimes.Network.at(tmp_path / "bad.keras").loaded()
    with pytest.raises(InputError, match="the frame has no values"):
        predict_tiles.background(da.full((8, 8), np.nan))


def test_runtimes_give_the_same_labels_but_for_ties(network):
    pytest.importorskip("openvino")
    values = frame(200, 150)
    lazy = da.from_array(values)
    found = {
        name: [
            np.asarray(p) for p in da.compute(*predict_tiles.segment(lazy, network, BACKGROUND, runtime=name))
        ]
        for name in (runtimes.KERAS, runtimes.OPENVINO)
    }
    labels, confidence, entropy = found[runtimes.KERAS]
    other = found[runtimes.OPENVINO]
    assert (confidence[other[0] != labels] < 1e-3).all()
    np.testing.assert_allclose(other[1], confidence, atol=1e-3)
    np.testing.assert_allclose(other[2], entropy, atol=1e-3)


def test_auto_takes_openvino_where_it_is_and_keras_elsewhere(network, monkeypatch):
    sample = np.zeros((1, 64, 64, 1), np.float32)
    monkeypatch.setattr(runtimes, "has_amx", lambda: False)
    pytest.importorskip("openvino")
    assert runtimes.resolve_runtime(runtimes.AUTO, network, sample) == runtimes.OPENVINO
    monkeypatch.setattr(runtimes.importlib.util, "find_spec", lambda _: None)
    assert runtimes.resolve_runtime(runtimes.AUTO, network, sample) == runtimes.KERAS
    with pytest.raises(MissingDependencyError, match="needs OpenVINO; install it"):
        runtimes.resolve_runtime(runtimes.OPENVINO, network, sample)
