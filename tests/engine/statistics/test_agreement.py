""""""

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics

from engine.errors import InputError
from engine.schema import label_map
from engine.statistics import agreement


def mapped(values, names=None):
    array = xr.DataArray(np.asarray(values), dims=("y", "x"))
    return label_map(array, names) if names else array


def random_maps(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, (31, 23)).astype(np.uint8)
    labels = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 4, truth.shape)).astype(np.uint8)
    return labels, truth


def test_indices_and_scores_are_those_of_scikit_learn():
    labels, truth = random_maps()
    labels += 1
    truth += 1
    score = agreement(mapped(labels), mapped(truth))
    flat = truth.ravel(), labels.ravel()
    assert score["accuracy"] == pytest.approx(metrics.accuracy_score(*flat))
    assert score["ari"] == pytest.approx(metrics.adjusted_rand_score(*flat))
    assert score["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(*flat))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(*flat)
    iou = metrics.jaccard_score(*flat, average=None)
    for row, *expected in zip(score["classes"], precision, recall, f1, iou, support, strict=True):
        assert [row[s] for s in ("precision", "recall", "f1", "iou", "support")] == pytest.approx(expected)
    assert [row["name"] for row in score["classes"]] == ["1", "2", "3", "4"]


def test_the_score_does_not_depend_on_the_chunks():
    labels, truth = random_maps()
    lazy = agreement(mapped(labels).chunk({"y": 4, "x": 5}), mapped(truth).chunk({"y": 7}))
    assert lazy == agreement(mapped(labels), mapped(truth))


def test_the_pixels_of_several_images_are_counted_together():
    labels, truth = random_maps()
    stacks = [
        xr.DataArray(np.stack([part, part[::-1], part[:, ::-1]]), dims=("image", "y", "x"))
        for part in (labels, truth)
    ]
    expected = agreement(mapped(np.concatenate([*stacks[0]])), mapped(np.concatenate([*stacks[1]])))
    assert agreement(*stacks) == expected
    assert agreement(stacks[0].chunk({"image": 1}), stacks[1].chunk({"image": 2, "y": 9})) == expected


def test_clusters_that_were_renamed_keep_their_name_and_the_others_are_matched():
    labels = mapped(np.array([[1, 1, 2, 2, 3]], np.uint8), {1: "oxide", 2: "cluster_2", 3: "cluster_3"})
    score = agreement(labels, mapped([[8, 8, 6, 6, 4]]), names={4: "dirt", 6: "flake", 8: "oxide"})
    assert score["accuracy"] == 1


def test_names_in_order_are_those_of_the_values_that_count():
    labels = mapped(np.array([[1, 1, 2, 2, 3]], np.uint8), {1: "oxide", 2: "flake", 3: "dirt"})
    truth = mapped([[8, 8, 6, 6, 4]])
    score = agreement(labels, truth, names=["flake", "oxide"], ignore=[4])
    assert [row["name"] for row in score["classes"]] == ["flake", "oxide"]
    assert score["accuracy"] == 1
    with pytest.raises(InputError, match=r"2 names .* for 3 values of the truth"):
        agreement(labels, truth, names=["flake", "oxide"])


def test_names_may_also_be_those_of_all_values_that_the_truth_names():
    labels = mapped(np.array([[1, 1, 3, 4]], np.uint8), {1: "sky", 2: "glow", 3: "hot", 4: "track"})
    truth = mapped(np.array([[0, 0, 2, 3]], np.uint8), {0: "a", 1: "b", 2: "c", 3: "d"})
    score = agreement(labels, truth, names=["sky", "glow", "hot", "track"])
    assert score["accuracy"] == 1
    assert [row["name"] for row in score["classes"]] == ["sky", "hot", "track"]
    with pytest.raises(InputError, match=r"2 names .* for 3 values of the truth"):
        agreement(labels, truth, names=["sky", "hot"])


def test_a_value_that_the_truth_does_not_name_is_reported_by_its_number():
    labels = mapped(np.array([[1, 1, 2]], np.uint8), {1: "sky", 2: "glow"})
    truth = mapped(np.array([[0, 1, 255]], np.uint8), {0: "sky", 1: "glow"})
    rows = agreement(labels, truth)["classes"]
    assert [(row["name"], row["recall"]) for row in rows] == [("sky", 1), ("glow", 0), ("255", 0)]
    assert [row["name"] for row in agreement(labels, truth, ignore=[255])["classes"]] == ["sky", "glow"]


def test_label_0_is_a_miss_even_where_the_truth_is_0():
    score = agreement(mapped([[0, 0, 1, 1]]), mapped([[0, 0, 1, 1]]))
    assert score["accuracy"] == 0.5
    assert score["classes"][0]["recall"] == 0


def test_ignored_values_do_not_count():
    score = agreement(mapped([[0, 2, 1, 1]]), mapped([[0, 0, 1, 1]]), ignore=[0])
    assert score["accuracy"] == 1
    assert [row["support"] for row in score["classes"]] == [2]


def test_values_far_apart_are_compared_too():
    labels, truth = random_maps()
    near = agreement(mapped(labels + 1), mapped(truth))
    far = agreement(mapped((labels + 1).astype(np.int64) * 10_000_019), mapped(truth))
    assert far["ari"] == near["ari"]


def test_pixels_without_truth_do_not_count():
    score = agreement(mapped([[1, 2, 1]]), mapped(np.array([[1, np.nan, 1]])))
    assert score["accuracy"] == 1
    assert score["classes"][0]["support"] == 2


def test_one_class_on_both_sides_agrees_fully():
    score = agreement(mapped([[1, 1]]), mapped([[1, 1]]))
    assert (score["ari"], score["nmi"]) == (1, 1)


@pytest.mark.parametrize(
    ("labels", "truth", "ignore", "message"),
    [
        ([[1, 1]], [[1]], (), r"shape \(1, 2\), the truth \(1, 1\)"),
        ([[1, 1]], [[0, 0]], (0,), "left to compare"),
        ([[1, 1]], [[0.5, 1]], (), "truth hold values between whole numbers"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(labels, truth, ignore, message):
    with pytest.raises(InputError, match=message):
        agreement(mapped(labels), mapped(truth), ignore=ignore)
