"""Tests of `engine.cluster.indices`: indices of the quality of clusterings, of many at once."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from engine.__main__ import main
from engine.cluster import indices


def blobs(*, n_points, centres, seed=0, scale=0.1):
    """Points around centres, (point, feature), and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centres), n_points).astype(np.int32)
    return np.asarray(centres, float)[labels] + scale * rng.standard_normal(
        (n_points, len(centres[0]))
    ), labels


SQUARE = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 3, 0, 0), (3, 3, 0, 1)]


def test_each_index_equals_scikit_learns_for_overlapping_clusters_and_single_points():
    points, labels = blobs(n_points=600, centres=SQUARE, scale=1.0)
    labels[0] = 4  # a cluster of one point
    distortion, ratio, similarity = indices.scatter_indices(points, labels)
    centres = np.array([points[labels == c].mean(0) for c in range(5)])
    assert distortion == pytest.approx(((points - centres[labels]) ** 2).sum(1).mean())
    assert ratio == pytest.approx(metrics.calinski_harabasz_score(points, labels))
    assert similarity == pytest.approx(metrics.davies_bouldin_score(points, labels))
    two = np.stack([labels, (labels > 1).astype(np.int32)])
    expected = [metrics.silhouette_score(points, row) for row in two]
    np.testing.assert_allclose(indices.silhouettes(points, two), expected)
    assert indices.rand_index(*two) == pytest.approx(metrics.adjusted_rand_score(*two))
    assert indices.rand_index(two[0], two[0]) == 1


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_choose_k_prints_and_stores_its_indices(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "k.json"
    assert main(["choose-k", str(example), "--kmax", "5", "--out", str(out), "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert chosen == json.loads(out.read_text())
    assert chosen["k"] == [2, 3, 4, 5]
    indices = ("distortion", "calinski_harabasz", "davies_bouldin", "silhouette", "stability")
    assert all(len(chosen[name]) == len(chosen[f"{name}_spread"]) == 4 for name in indices)
    assert chosen["recommended"] in (None, 2, 3, 4, 5)
    assert chosen["reason"]
