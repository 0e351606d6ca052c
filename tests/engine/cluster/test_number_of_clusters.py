"""Tests of `engine.cluster.number_of_clusters`."""

import json

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics

from engine.cluster import choose_k
from engine.errors import InputError
from engine.simulate.ellipsometry_maps import Maps

INDICES = ("distortion", "calinski_harabasz", "davies_bouldin", "silhouette", "stability")


def blobs(*, n_points, centres, seed=0, scale=0.1):
    """Points around centres, (point, feature), and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centres), n_points).astype(np.int32)
    return np.asarray(centres, float)[labels] + scale * rng.standard_normal(
        (n_points, len(centres[0]))
    ), labels


def stack_of(points, *, size):
    """Images with one channel a feature from points in raster order."""
    values = points.T.reshape(-1, size, size).astype(np.float32)
    return xr.Dataset({"counts": (("channel", "y", "x"), values)})


SQUARE = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 3, 0, 0), (3, 3, 0, 1)]


@pytest.mark.parametrize(("n_regions", "expected"), [(1, None), (3, 3), (6, 6)])
def test_simulated_maps_at_their_defaults_get_their_number_of_zones(n_regions, expected):
    images, _ = Maps(n_regions=n_regions, seed=11).images()
    choice = choose_k(images)
    assert choice.recommended == expected
    assert choice.features == "angles"
    assert choice.reason.startswith("no clear k" if expected is None else f"k = {expected} is the largest")


def test_the_document_holds_every_index_with_its_spread_for_every_k_and_is_json(four):
    document = choose_k(four[0], k=range(2, 7)).to_dict()
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["k"] == [2, 3, 4, 5, 6]
    assert again["recommended"] == 4
    assert isinstance(again["reason"], str)
    for name in INDICES:
        assert len(again[name]) == len(again[f"{name}_spread"]) == 5
    assert again["elbow"] == 4


def test_indices_of_a_stack_that_is_all_sampled_equal_those_of_scikit_learn(four):
    images, points, labels = four
    choice = choose_k(images, k=[4], features="raw")
    at_four = [getattr(choice, name)[0] for name in INDICES]
    points = points.astype(np.float32).astype(float)
    centres = np.array([points[labels == c].mean(0) for c in range(4)])
    assert at_four[0] == pytest.approx(((points - centres[labels]) ** 2).sum(1).mean(), rel=1e-6)
    assert at_four[1] == pytest.approx(metrics.calinski_harabasz_score(points, labels), rel=1e-6)
    assert at_four[2] == pytest.approx(metrics.davies_bouldin_score(points, labels), rel=1e-6)
    # half of the pixels are drawn for the silhouette
    assert at_four[3] == pytest.approx(metrics.silhouette_score(points, labels), abs=2e-3)
    assert at_four[4] == pytest.approx(1)


def test_calinski_harabasz_is_estimated_for_the_whole_stack():
    points, labels = blobs(n_points=200**2, centres=SQUARE, scale=0.5)
    choice = choose_k(stack_of(points, size=200), k=[4], features="raw")
    assert choice.n_pixels == 2**14
    expected = metrics.calinski_harabasz_score(points, labels)
    assert choice.calinski_harabasz[0] == pytest.approx(expected, rel=0.03)


def test_excluded_pixels_do_not_count_as_a_cluster(four):
    images, _, labels = four
    excluded = (labels == 0).reshape(64, 64)
    masked = images.assign(mask=(("y", "x"), excluded))
    assert choose_k(masked, k=range(2, 7)).recommended == 3


def test_channels_that_most_pixels_lack_are_left_out_and_the_clusters_still_found(four):
    images = four[0].copy(deep=True)
    images["counts"][3, :, :50] = np.nan
    images["counts"][0, :5] = np.nan
    assert choose_k(images, k=range(2, 7)).recommended == 4


def test_images_without_any_contrast_have_no_clear_k():
    flat = stack_of(np.ones((32**2, 3)), size=32)
    choice = choose_k(flat, k=range(2, 5))
    assert choice.recommended is None
    json.dumps(choice.to_dict(), allow_nan=False)


def test_the_largest_k_tried_is_said_to_be_the_largest_tried(four):
    choice = choose_k(four[0], k=range(2, 5))
    assert choice.recommended == 4
    assert "it is the largest tried" in choice.reason


@pytest.mark.parametrize(
    ("arguments", "named"), [({"k": []}, "k ="), ({"k": [1, 2]}, "k ="), ({"n_repeats": 1}, "n_repeats")]
)
def test_wrong_arguments_are_refused_with_what_to_give(four, arguments, named):
    with pytest.raises(InputError, match=rf"{named}.*give"):
        choose_k(four[0], **arguments)


def test_too_few_pixels_are_refused():
    with pytest.raises(InputError, match="only 16 pixels"):
        choose_k(stack_of(np.arange(48.0).reshape(16, 3), size=4))


def test_the_real_hbn_sample_splits_into_substrate_and_flakes(hbn):
    from engine.readers import open_images

    choice = choose_k(open_images(hbn))
    assert choice.recommended == 2
    assert choice.elbow in range(3, 8)
