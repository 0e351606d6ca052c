import csv
from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

import engine
from engine.__main__ import main
from engine.errors import FileError
from engine.simulate import databars, sem_detector
from engine.simulate.morphologies import MORPHOLOGIES
from engine.simulate.relief import Relief, View, cells, flat, lay, noise, polyhedron, put, straight
from engine.simulate.sem import CLASSES, COLUMNS, Sem

KINDS = [pytest.param(label, kind, id=kind.__name__) for label, m in MORPHOLOGIES.items() for kind in m.kinds]


def test_an_image_is_the_same_for_the_same_seed_and_number_however_many_others_are_made():
    picture = Sem(size=64, seed=3, n_images=20).image(17)
    again = Sem(size=64, seed=3, n_images=20_000).image(17)
    np.testing.assert_array_equal(picture.image, again.image)
    assert (picture.label, picture.parent, picture.pixel_size) == (
        again.label,
        again.parent,
        again.pixel_size,
    )
    assert (Sem(size=64, seed=4).image(17).image != picture.image).any()
    assert (Sem(size=64, seed=3).image(27).image != picture.image).any()


def test_all_ten_classes_are_there_in_balance_and_a_sample_has_several_images_of_one_class():
    simulator = Sem(size=64, images_per_parent=3, databar=False, seed=1)
    pictures = [simulator.image(number) for number in range(60)]
    assert Counter(p.label for p in pictures) == dict.fromkeys(CLASSES, 6)
    labels, numbers = defaultdict(set), Counter(p.parent for p in pictures)
    for picture in pictures:
        labels[picture.parent].add(picture.label)
    assert set(numbers.values()) == {3}
    assert all(len(found) == 1 for found in labels.values())
    assert len(numbers) == 20


@pytest.mark.parametrize(("label", "kind"), KINDS)
def test_two_images_of_a_sample_differ_and_every_kind_is_finite_at_any_zoom_and_turn(label, kind):
    for zoom, turn in ((0.6, 0.0), (1.0, 2.1), (1.7, 5.5)):
        view = View((96, 96), zoom * 96 / 256, turn)
        first, second = (
            kind(view, np.random.default_rng(1), np.random.default_rng(place)) for place in (2, 3)
        )
        for relief in (first, second):
            assert np.isfinite(relief.height).all()
            assert (relief.material > 0).all()
            assert relief.height.dtype == relief.material.dtype == np.float32
            assert relief.height.shape == relief.material.shape
            assert relief.height.shape[1] == 96
            assert relief.height.shape[0] >= 96
        assert first.tilt == second.tilt, "what a sample's images share is drawn from the sample"
        assert (first.height != second.height).any()


@pytest.mark.parametrize("style", databars.STYLES)
def test_a_bar_is_a_strip_of_one_level_with_letters_and_a_scale_of_the_length_it_says(style):
    facts = databars.Facts(10.0, databars.magnification(10.0, 256), 5.0, "SE2", 4.2)
    bar = databars.bar(facts, style, n_columns=256)
    assert bar.shape == (26, 256)
    level = np.bincount(bar.ravel()).argmax()
    assert 0.02 < (bar != level).mean() < 0.4
    if style == "zeiss":  # 48 units are 480 nm: the scale is 200 nm, 20 pixels
        row = np.flatnonzero(bar[19, :60] != level)
        assert row[-1] - row[0] == pytest.approx(20, abs=1)


def test_an_image_without_its_bar_is_the_one_with_it_cut():
    with_bar, without = (Sem(size=64, seed=2, databar=bar).image(5) for bar in (True, False))
    assert with_bar.image.shape == (64 + with_bar.n_bar_rows, 64)
    assert (with_bar.n_bar_rows, without.n_bar_rows) == (26, 0)
    np.testing.assert_array_equal(with_bar.image[:64], without.image)


def test_twice_the_size_is_the_same_sample_with_half_the_pixel_size():
    small, large = (Sem(size=size, seed=2).image(5) for size in (64, 128))
    assert large.pixel_size == pytest.approx(small.pixel_size / 2)
    assert large.magnification == pytest.approx(small.magnification)
    assert small.magnification == pytest.approx(127e6 / (64 * small.pixel_size))


def test_a_slope_is_brighter_than_level_ground_and_the_side_of_the_detector_brighter_than_the_other():
    height = np.maximum(20 - np.abs(np.arange(160) - 80), 0).astype(np.float32) * np.ones(
        (160, 1), np.float32
    )
    relief = Relief(height, np.ones_like(height))
    settings = sem_detector.Detector(0.0, 0.1, 0.5, 0.0, 0.0, 0.0, "SE2", 5.0)
    exposure = sem_detector.Exposure(0.5, 0.0, 0.0, 1e5, 0.0, 0.0, 1.0, 0.0, 0.0)
    image = sem_detector.form_image(relief, settings, exposure, np.random.default_rng(0), size=144).astype(
        float
    )
    level, away, towards = image[:, 10:40].mean(), image[:, 58:68].mean(), image[:, 76:86].mean()
    slope, side = 0.5 * (np.sqrt(2) - 1), 0.1 * np.sqrt(0.5)  # at 45 degrees, the detector at large x
    assert (away - level) / (towards - level) == pytest.approx((slope - side) / (slope + side), rel=0.03)
    assert away > level


def test_from_the_front_a_near_wall_hides_what_is_behind_it_and_its_foot_is_where_it_stands():
    height = np.zeros((100, 3), np.float32)
    height[60:70] = 20
    electrons = np.where(height > 0, np.float32(3), np.float32(1))
    electrons[55:60] = 9  # a stripe just behind the wall
    angle = np.deg2rad(45)
    seen = sem_detector.tilt_relief(electrons, height, 45.0, n_rows=60)
    start = (100 * np.cos(angle) - 60) / 2
    top, foot = (np.cos(angle) * 60 - np.sin(angle) * 20 - start, np.cos(angle) * 70 - start)
    assert seen.max() <= 3.001, "the stripe is hidden"
    bright = np.flatnonzero(seen[:, 1] > 1.05)
    assert bright[0] == pytest.approx(top, abs=1.5)
    assert bright[-1] == pytest.approx(foot, abs=1.5)


def test_a_relief_that_is_not_raised_looks_the_same_from_the_front_but_shorter():
    ramp = np.arange(200, dtype=np.float32)[:, np.newaxis] * np.ones((1, 4), np.float32)
    seen = sem_detector.tilt_relief(ramp, np.zeros_like(ramp), 60.0, n_rows=80)
    np.testing.assert_allclose(np.diff(seen[:, 0]), 2.0, atol=1e-3)


def test_noise_has_mean_zero_and_the_deviation_one():
    field = noise((128, 96), np.random.default_rng(0), length=5.0)
    assert field.shape == (128, 96)
    assert field.mean() == pytest.approx(0, abs=1e-5)
    assert field.std() == pytest.approx(1, abs=1e-5)


def test_cells_are_nearest_to_their_own_point_and_touch_where_the_gap_is_none():
    view = View((64, 64), 1.0, 0.0)
    y, x = view.axes(np.random.default_rng(0))
    distance, gap, number = cells(y, x, 12.0, np.random.default_rng(1))
    assert (gap >= 0).all()
    assert distance.max() < 1.5
    border = ndimage.maximum_filter(number, 3) != ndimage.minimum_filter(number, 3)
    assert gap[border].max() < 0.35
    assert gap[~border].mean() > 2 * gap[border].mean()


def test_a_stamp_beyond_the_edge_is_cut_and_a_lower_one_is_hidden():
    relief = flat(View((20, 20), 1.0, 0.0))
    put(relief, np.full((5, 5), 4, np.float32), at=(0, 19), material=2.0)
    assert (relief.height > 0).sum() == (relief.material == 2).sum() > 0
    before = relief.height.copy()
    put(relief, np.full((5, 5), 3, np.float32), at=(0, 19), material=5.0)
    put(relief, np.full((5, 5), 9, np.float32), at=(np.inf, np.inf))
    put(relief, np.full((5, 5), 9, np.float32), at=(-40, 3))
    np.testing.assert_array_equal(relief.height[before > 0], before[before > 0])


def test_a_cube_that_lies_flat_is_a_square_as_high_as_it_is_wide():
    patch = polyhedron(np.vstack([np.eye(3), -np.eye(3)]), np.full(6, 5.0), reach=9.0)
    inside = np.isfinite(patch)
    assert patch[inside].max() == pytest.approx(10, abs=0.1)
    assert inside.sum() == pytest.approx(10 * 10, rel=0.25)


def test_a_strand_is_as_wide_across_as_its_radius_says_and_as_long_as_its_ends():
    relief = flat(View((80, 80), 1.0, 0.0))
    lay(relief, straight(np.array([20.0, 10.0]), np.array([50.0, 70.0]), (4.0, 4.0), 0.0))
    area = (relief.height > 0).sum()
    assert area == pytest.approx(8 * np.hypot(30, 60), rel=0.08)
    assert relief.height.max() == pytest.approx(4, abs=0.1)


def test_files_are_in_a_folder_a_class_with_the_truth_and_open(tmp_path):
    folder = Sem(n_images=20, size=64, images_per_parent=2, seed=1).write(tmp_path / "sem")
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert files == {row["file"] for row in rows}
    assert Counter(row["label"] for row in rows) == dict.fromkeys(CLASSES, 2)
    assert len({row["parent"] for row in rows}) == 10
    for row in rows:
        assert row["file"].startswith(row["label"] + "/")
        assert 2 < float(row["pixel_size_nm"]) < 30_000
    images = engine.open(folder / rows[3]["file"])
    picture = Sem(n_images=20, size=64, images_per_parent=2, seed=1).image(3)
    np.testing.assert_array_equal(np.asarray(next(iter(images.data_vars.values()))).squeeze(), picture.image)


def test_the_command_writes_as_many_images_as_it_is_asked_for(tmp_path):
    words = [
        "simulate",
        "sem",
        "--out",
        str(tmp_path / "s"),
        "--n-images",
        "3",
        "--size",
        "64",
        "--seed",
        "5",
    ]
    assert main(words) == 0
    assert len(list((tmp_path / "s").rglob("*.png"))) == 3


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"cannot write images to .*; give a folder"):
        Sem(n_images=1, size=64).write(tmp_path / "file")


def test_classes_of_unseen_samples_are_told_apart_by_simple_features_but_not_all():
    simulator = Sem(size=96, images_per_parent=2, databar=False, seed=7)
    pictures = [simulator.image(number) for number in range(360)]
    features = np.array([_features(picture.image) for picture in pictures])
    labels = np.array([picture.label for picture in pictures])
    unseen = np.array([picture.parent // len(CLASSES) % 3 == 0 for picture in pictures])
    forest = RandomForestClassifier(200, random_state=0).fit(features[~unseen], labels[~unseen])
    score = f1_score(labels[unseen], forest.predict(features[unseen]), average="macro")
    assert 0.5 < score < 1


def _features(image):
    """Radial power spectrum and histogram of an image."""
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(len(image)), np.fft.fftfreq(len(image))))
    radial = ndimage.mean(power, np.digitize(k, np.linspace(0, 0.5, 17)), np.arange(1, 17))
    histogram = np.histogram(image, 12, (0, 256))[0] / image.size
    return np.concatenate([np.log(radial + 1), histogram])
