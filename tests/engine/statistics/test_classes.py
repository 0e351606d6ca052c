"""Tests of `engine.statistics.classes`."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.schema import label_map
from engine.statistics import agreement, describe
from engine.statistics.corrected import correct_fractions
from engine.statistics.intervals import (
    Fractions,
    bootstrap_fractions,
    class_fractions,
    difference,
    difference_of,
    wilson,
)


def test_corrected_fractions_are_the_inverse_matrix_applied_to_those_found():
    # found = truth @ rates: 0.3 · (0.9, 0.1) + 0.7 · (0.2, 0.8) = (0.41, 0.59)
    held_out = [[[90, 10], [20, 80]]] * 3
    found = correct_fractions([[41, 59]] * 6, held_out)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)
    assert ((found.low < found.fraction) & (found.fraction < found.high)).all()


def test_corrected_fractions_never_leave_0_to_1():
    found = correct_fractions([[5, 95]] * 6, [[[90, 10], [20, 80]]] * 3)
    assert found.fraction == pytest.approx([0, 1], abs=1e-3)
    assert found.low[0] == 0
    assert 0.01 < found.high[0] < 0.3
    assert found.high[1] == 1


@pytest.mark.parametrize(
    ("counts", "confusion", "message"),
    [
        ([[1, 2, 3]], [[[9, 1], [2, 8]]] * 2, "counts have 3 found classes, the confusion matrices 2"),
        ([[1, 2]], [[[9, 1], [0, 0]], [[9, 1], [2, 8]]], "class 1 is in 1 parents of the held-out"),
        ([[1], [2]], [[[9], [8]]] * 2, "a column for each true class"),
        ([[1, 2], [2, 1]], [[[5, 5], [5, 5]]] * 2, "does not tell the classes apart"),
        ([[1, 2], [2, 1]], [[9, 1], [2, 8]], r"dims \(parent, truth, found\)"),
    ],
)
def test_tables_that_do_not_allow_a_correction_are_refused(counts, confusion, message):
    with pytest.raises(InputError, match=message):
        correct_fractions(counts, confusion)


def test_without_finds_there_are_no_corrected_fractions_and_one_parent_says_nothing_of_others():
    held_out, present = [np.eye(3, dtype=int)] * 2, np.ones((2, 3), int)
    assert np.isnan(correct_fractions(np.zeros((0, 3), int), held_out)).all()
    assert np.isnan(correct_fractions(np.zeros((4, 3), int), held_out, present=present)).all()
    found = correct_fractions([[1, 2, 1]], held_out, present=present)
    assert found.fraction == pytest.approx([0.25, 0.5, 0.25])
    assert (found.low.tolist(), found.high.tolist()) == ([0, 0, 0], [1, 1, 1])


def drawn(rng, n_parents, shares, *, correlation=0.1, n_objects=25):
    """Counts (parent, class) whose parents differ more than chance makes them: Dirichlet-multinomial."""
    of_parents = rng.dirichlet(np.array(shares) * (1 - correlation) / correlation, size=n_parents)
    sizes = np.maximum(1, rng.negative_binomial(2, 2 / (2 + n_objects), size=n_parents))
    return np.stack([rng.multinomial(size, p) for size, p in zip(sizes, of_parents, strict=True)])


@pytest.mark.parametrize("counts", [[1, 2], [[0.5, 1]], [[-1, 2]], [[np.nan, 2]]])
def test_tables_that_are_no_counts_are_refused(counts):
    with pytest.raises(InputError, match=r"dims \(parent, class\)"):
        class_fractions(counts)


def test_the_difference_of_single_fractions_is_that_of_newcombe_1998():
    # Table II, method 10 without continuity correction: 56/70 and 48/80: 0.0524 to 0.3339
    first, second = [
        np.array([np.full(1, n) for n in (k / m, *wilson(k, m))]) for k, m in ((56, 70), (48, 80))
    ]
    found = difference_of(Fractions(*first), Fractions(*second))
    assert found.fraction == pytest.approx([0.2])
    assert (found.low[0], found.high[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_difference_of_other_classes_is_refused():
    with pytest.raises(InputError, match="2 and 3 classes"):
        difference([[1, 2]] * 3, [[1, 2, 3]] * 3)


def test_drawing_parents_again_gives_fractions_and_intervals_like_wilsons_where_parents_are_many():
    counts = drawn(np.random.default_rng(8), 150, (0.6, 0.3, 0.1))
    again, wilsons = bootstrap_fractions(counts), class_fractions(counts)
    assert again.fraction == pytest.approx(wilsons.fraction)
    assert again.low == pytest.approx(wilsons.low, abs=0.02)
    assert again.high == pytest.approx(wilsons.high, abs=0.02)


def mapped(values, names=None):
    array = xr.DataArray(np.asarray(values), dims=("y", "x"))
    return label_map(array, names) if names else array


def test_clusters_are_matched_to_the_classes_that_they_share_most_pixels_with():
    truth = np.array([[0, 0, 0, 5, 5, 9]])
    labels = mapped(np.array([[3, 3, 1, 1, 1, 2]], np.uint8), {i: f"cluster_{i}" for i in (1, 2, 3)})
    score = agreement(labels, mapped(truth), names={0: "substrate", 5: "flake", 9: "dirt"})
    assert score["accuracy"] == pytest.approx(5 / 6)
    assert [row["name"] for row in score["classes"]] == ["substrate", "flake", "dirt"]
    assert [row["recall"] for row in score["classes"]] == pytest.approx([2 / 3, 1, 1])
    assert score["classes"][1]["precision"] == pytest.approx(2 / 3)


def test_classes_are_matched_by_name_whatever_their_numbers():
    labels = mapped(np.array([[1, 1, 2, 2]], np.uint8), {1: "thin flake", 2: "substrate"})
    score = agreement(labels, mapped([[7, 7, 7, 4]]), names={4: "thin flake", 7: "Substrate"})
    assert score["accuracy"] == pytest.approx(0.25)


def test_named_classes_are_matched_by_number_to_a_truth_without_names():
    labels = mapped(np.array([[1, 1, 2, 2]], np.uint8), {1: "background", 2: "glowing"})
    assert agreement(labels, mapped([[2, 2, 1, 1]]))["accuracy"] == 0


NAMES = {1: "substrate", 2: "thin flake", 7: "thick"}


def dataset(variables, *, unit="px", step=1.0):
    """Images `{name: array (channel, y, x)}` over wavelength, in degrees."""
    n, height, width = next(iter(variables.values())).shape
    coords = {
        "wavelength": ("wavelength", 400.0 + 10 * np.arange(n), {"units": "nm"}),
        "y": ("y", step * np.arange(height), {"units": unit}),
        "x": ("x", step * np.arange(width), {"units": unit}),
    }
    return xr.Dataset(
        {v: (("wavelength", "y", "x"), a, {"units": "deg", "long_name": v}) for v, a in variables.items()},
        coords,
    )


def scene(seed=0, shape=(3, 37, 29)):
    """Random images with holes, labels 0, 1, 2, 7 and confidences."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 7], size=shape[1:]).astype(np.uint8)
    psi = (rng.normal(40, 6, shape) + labels).astype(np.float32)
    delta = (rng.normal(5, 30, shape) % 360).astype(np.float32)
    psi[rng.random(shape) < 0.1] = np.nan
    delta[0, 0, 0] = np.inf
    images = dataset({"delta": delta, "psi": psi})
    pixels = {d: images.coords[d] for d in ("y", "x")}
    confidence = rng.random(shape[1:]).astype(np.float32)
    return (
        images,
        xr.DataArray(labels, pixels, ("y", "x")),
        xr.DataArray(confidence, pixels, ("y", "x")),
    )


def test_the_class_table_counts_and_measures_each_class():
    images, labels, confidence = scene()
    tree = describe(images, labels, confidence, names=NAMES, colors={2: "#123456"}).compute()
    table = tree["classes"].to_dataset(inherit=False)
    inside = labels.values == 7
    row = table.sel(label=7)
    assert table["label"].values.tolist() == [1, 2, 7]
    assert table["name"].values.tolist() == ["substrate", "thin flake", "thick"]
    assert str(table["color"].sel(label=2).item()) == "#123456"
    assert int(row["count"]) == inside.sum()
    assert float(row["fraction"]) == pytest.approx(inside.sum() / (labels.values > 0).sum())
    assert float(row["area"]) == inside.sum()
    assert table["area"].attrs["units"] == "px²"
    assert float(row["confidence"]) == pytest.approx(confidence.values[inside].astype(float).mean())


def test_areas_are_in_square_micrometres_where_the_coordinates_are_in_micrometres():
    images = dataset({"psi": np.ones((1, 4, 4))}, unit="µm", step=0.5)
    labels = xr.DataArray(np.ones((4, 4), np.uint8), {d: images.coords[d] for d in ("y", "x")}, ("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["classes"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["area"][0]) == pytest.approx(16 * 0.25)
    assert table["area"].attrs["units"] == "µm²"
