"""Planted copies and indices are found, and objects that are only alike are not taken for copies."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from engine.errors import InputError
from engine.learning.leaks import check, duplicates, index_like, refuse

SIDES = np.repeat([0, 1, 2], [70, 30, 20])


SYMMETRIES = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]


def particles(n=120, *, size=64, fringes=0.0, noise=8.0, seed=0):
    """Discs in the middle of their crops, some of the same radius, with lattice fringes and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    crops = []
    for _ in range(n):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        disc = 1 / (1 + np.exp((np.hypot(y, x) - rng.uniform(0.2, 0.4) * size) / 1.5))
        waves = np.cos(2 * np.pi * (y * np.sin(angle) + x * np.cos(angle)) / 6 + phase)
        crops.append(60 + disc * (100 + fringes * waves) + rng.normal(0, noise, (size, size)))
    return np.array(crops)


def pairs(found):
    return list(zip(found.first.tolist(), found.second.tolist(), strict=True))


def copied(crop, turns, mirrored):
    return np.rot90(crop[:, ::-1] if mirrored else crop, turns)


@pytest.mark.parametrize(("turns", "mirrored"), SYMMETRIES)
def test_copies_are_found_under_each_symmetry_of_the_square(turns, mirrored):
    crops = particles()
    crops[100] = copied(crops[7], turns, mirrored)
    found = duplicates(crops, SIDES)
    assert pairs(found) == [(7, 100)]
    assert found.correlation[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("fringes", [0, 30])
def test_copies_of_other_brightness_contrast_and_noise_are_found_and_only_they(fringes):
    crops = particles(fringes=fringes)
    rng = np.random.default_rng(1)
    planted = []
    for n, (turns, mirrored) in enumerate(SYMMETRIES):
        changed = 0.8 * copied(crops[n], turns, mirrored) + 25 + rng.normal(0, 0.8 * 6, crops[n].shape)
        crops[80 + n] = changed
        planted.append((n, 80 + n))
    assert sorted(pairs(duplicates(crops, SIDES))) == planted


@pytest.mark.parametrize(("fringes", "noise"), [(0, 8), (30, 8), (30, 2)])
def test_different_objects_of_one_kind_are_no_copies(fringes, noise):
    crops = particles(200, fringes=fringes, noise=noise, seed=2)
    found = duplicates(crops, np.arange(200) % 3)
    assert pairs(found) == []


def test_the_same_object_taken_again_with_other_noise_is_found_if_its_details_are_stronger_than_the_noise():
    rng = np.random.default_rng(3)
    crops = gaussian_filter(rng.normal(size=(40, 64, 64)), (0, 1.5, 1.5))
    crops /= crops.std()
    crops[30] = crops[2]
    crops += rng.normal(0, 0.2, crops.shape)
    assert pairs(duplicates(crops, np.repeat([0, 1], 20))) == [(2, 30)]


def test_copies_within_one_part_are_no_leak():
    crops = particles()
    crops[8] = crops[7]
    assert pairs(duplicates(crops, SIDES)) == []


def test_copies_are_found_between_any_two_parts_in_whatever_order_the_rows_are():
    crops = particles()
    crops[75], crops[115] = crops[3].T, crops[90][::-1]
    order = np.random.default_rng(4).permutation(120)
    place = np.argsort(order)
    found = duplicates(crops[order], SIDES[order])
    expected = [sorted((place[3], place[75])), sorted((place[90], place[115]))]
    assert sorted(pairs(found)) == sorted(map(tuple, np.array(expected).tolist()))


def test_crops_of_several_sizes_are_compared_and_nan_is_no_content():
    crops = list(particles(30)) + list(particles(30, size=80, seed=5))
    crops[45] = copied(crops[50], 1, False)
    crops[12] = np.pad(crops[12][:40], ((0, 24), (0, 0)), constant_values=np.nan)
    crops[33] = copied(crops[12], 3, True)
    parts = [0] * 40 + [1] * 20
    parts[12] = 1
    parts[45] = 0
    assert sorted(pairs(duplicates(crops, parts))) == [(12, 33), (45, 50)]


def test_missing_pixels_count_as_the_mean_of_the_crop():
    crops = particles()
    crops[100] = copied(crops[7], 1, True)
    crops[100, ::9, ::7] = np.nan
    assert pairs(duplicates(crops, SIDES)) == [(7, 100)]


def test_flat_crops_are_no_copies_and_nothing_has_none():
    assert pairs(duplicates(np.full((4, 16, 16), 7), [0, 0, 1, 1])) == []
    assert pairs(duplicates(np.empty((0, 16, 16)), [])) == []
    assert pairs(duplicates(particles(3), [0, 0, 0])) == []


def test_features_that_count_rows_are_found_and_measured_ones_are_not():
    rng = np.random.default_rng(6)
    n = 400
    classes = np.repeat([0, 1], n // 2)
    table = {
        "area": rng.lognormal(size=n),
        "row": np.arange(n),
        "falling": 1e6 - 3 * np.arange(n),
        "time": np.arange(n) + rng.normal(0, 5, n),
        "telling": classes * 10 + rng.normal(size=n),
        "constant": np.ones(n),
        "frame": np.arange(n) // 4,
        "number in class": np.tile(np.arange(n // 2), 2),
        "missing": np.where(rng.random(n) < 0.1, np.nan, rng.random(n)),
    }
    features = np.column_stack(list(table.values()))
    assert index_like(features, list(table)) == ("row", "falling", "time")
    within = ("row", "falling", "time", "frame", "number in class")
    assert index_like(features, list(table), classes=classes) == within


def test_few_rows_in_order_are_chance():
    assert index_like(np.arange(9.0)[:, None], ["a"]) == ()
    assert index_like(np.arange(10.0)[:, None], ["a"]) == ("a",)


def test_a_split_without_leaks_is_not_refused():
    features = np.random.default_rng(7).random((120, 2))
    leaks = check(particles(), SIDES, features=features, names=["area", "length"])
    assert leaks.sentences == ()
    refuse(leaks)


def test_leaks_are_refused_with_how_many_copies_there_are_and_what_to_do():
    crops = particles()
    crops[80] = crops[81] = crops[3].T
    leaks = check(crops, SIDES, features=np.arange(120.0)[:, None], names=["id"])
    assert leaks.n_copied == 3
    with pytest.raises(
        InputError, match=r"3 of 120 crops are copies.*numbers 3 and 8\d.*keep the copies"
    ) as error:
        refuse(leaks)
    assert "the features id follow the order of the rows" in str(error.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: duplicates(particles(3), [0, 1]), r"3 crops, the parts have the shape \(2,\)"),
        (lambda: duplicates([[1, 2], [3, 4]], [0, 1]), r"crop 0 has the shape \(2,\)"),
        (lambda: index_like([[1, 2]], ["a"]), r"shape \(1, 2\) and 1 names"),
        (lambda: index_like([[1], [2]], ["a"], classes=[0]), "2 objects, the classes"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


SCRIPT = Path(__file__).parents[3] / "benchmarks" / "particles_leaks.py"


ROW = re.compile(
    r"^(?P<name>[a-f])  .*?(?P<accuracy>\d\.\d+) \(.*?\)\s+(?P<f1>\d\.\d+) \(.*?\)\s+"
    r"(?P<found>\d+) of (?P<pairs>\d+), (?P<false>\d+) false\s+(?P<index>.+)$",
    re.MULTILINE,
)


def test_the_prior_score_falls_as_its_leaks_are_taken_out_and_all_of_them_are_found():
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = {row["name"]: row for row in ROW.finditer(run.stdout)}
    assert list(rows) == ["a", "c", "d", "e", "f"], run.stdout
    for score in ("accuracy", "f1"):
        falling = [float(rows[name][score]) for name in "acde"]
        assert falling == sorted(falling, reverse=True)
        assert falling[0] > falling[1] + 0.02
        assert falling[1] > falling[2] + 0.1
        assert falling[2] > falling[3] + 0.02
    for name in "ac":
        assert int(rows[name]["pairs"]) > 100
        assert int(rows[name]["found"]) >= 0.95 * int(rows[name]["pairs"])
    assert all(int(row["false"]) == 0 for row in rows.values())
    assert all(int(rows[name]["found"]) == 0 for name in "def")
    assert [rows[name]["index"].strip() for name in "acdef"] == ["Unnamed: 0", *["none"] * 4]
