""""""

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
from engine.simulate.sem import CLASSES, COLUMNS, Sem


def _features(image):
    """Radial power spectrum and histogram of an image."""
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(len(image)), np.fft.fftfreq(len(image))))
    radial = ndimage.mean(power, np.digitize(k, np.linspace(0, 0.5, 17)), np.arange(1, 17))
    histogram = np.histogram(image, 12, (0, 256))[0] / image.size
    return np.concatenate([np.log(radial + 1), histogram])


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
