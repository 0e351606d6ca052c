"""A network applied tile by tile: no seam, no pixel left out, the same for any chunking."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FileError, InputError, MissingDependencyError
from engine.unet import predict_tiles, runtimes
from engine.unet.network import NETWORKS, halo, step

BACKGROUND = predict_tiles.Background(100.0, 5.0)


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of converted networks of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> runtimes.Network:
    """A lean network with random weights, which react to every pixel in reach."""
    import keras

    keras.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("network") / "lean.keras"
    NETWORKS["lean"](4).save(path)
    return runtimes.Network.at(path)


def frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, (height, width)).astype(np.float32)


def computed(values: np.ndarray, network: runtimes.Network, *, chunks=-1, tile: int = 64) -> list[np.ndarray]:
    lazy = predict_tiles.segment(da.from_array(values, chunks=chunks), network, BACKGROUND, tile=tile)
    return [np.asarray(part) for part in da.compute(*lazy)]


@settings(max_examples=10, deadline=None)
@given(
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    rows=st.integers(1, 80),
    columns=st.integers(1, 80),
)
def test_labels_are_bit_identical_for_any_chunking(network, height, width, rows, columns):
    values = frame(height, width, seed=height)
    whole = computed(values, network)
    for expected, found in zip(whole, computed(values, network, chunks=(rows, columns)), strict=True):
        assert found.shape == (height, width)
        np.testing.assert_array_equal(found, expected)
    assert whole[0].min() >= 1
    assert whole[0].max() <= 4


@pytest.mark.parametrize(("height", "width"), [(200, 300), (129, 65), (40, 333)])
def test_tiles_of_any_size_and_the_whole_frame_differ_only_where_two_classes_tie(network, height, width):
    values = frame(height, width)
    labels, confidence, _ = computed(values, network, tile=384)
    for tile in (32, 64, 128):
        other, sure, _ = computed(values, network, tile=tile)
        np.testing.assert_allclose(sure, confidence, atol=1e-5)
        assert (confidence[other != labels] < 1e-4).all()


def test_the_halo_covers_all_pixels_that_can_matter_and_not_many_more():
    import keras

    for name, build in NETWORKS.items():
        keras.utils.set_random_seed(0)
        model = build(3)
        around = halo(model)
        size = 2 * around + 2 * step(model)
        middle = size // 2
        plain = np.zeros((1, size, size, 1), np.float32)
        changed = plain.copy()
        changed[0, middle, middle] = 100.0
        moved = np.abs(np.asarray(model(changed)) - np.asarray(model(plain)))[0].max(axis=-1) > 0
        reached = np.abs(np.argwhere(moved) - middle).max()
        assert reached <= around, name
        assert around - reached <= 2 * step(model), name


def test_missing_values_count_as_background_and_other_pedestals_and_gains_change_nothing(network):
    values = np.rint(frame(70, 70) * 8) / 8
    holes = values.copy()
    holes[30, 30] = np.nan
    filled = values.copy()
    filled[30, 30] = BACKGROUND.level
    np.testing.assert_array_equal(computed(holes, network)[0], computed(filled, network)[0])
    found = predict_tiles.background(da.from_array(values * 4 + 1024))
    plain = predict_tiles.background(da.from_array(values))
    assert found.level == pytest.approx(4 * plain.level + 1024)
    assert found.noise == pytest.approx(4 * plain.noise)


def test_the_background_does_not_depend_on_chunks_or_on_bright_pixels():
    values = frame(300, 200)
    values[:, :20] = 1e4
    found = predict_tiles.background(da.from_array(values, chunks=(37, 11)))
    assert found == predict_tiles.background(da.from_array(values, chunks=-1))
    assert found.level == pytest.approx(100, abs=1)
    assert found.noise == pytest.approx(20, rel=0.05)


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
