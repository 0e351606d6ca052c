"""Tests of `engine.nanoparticles.analysis`."""

from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.nanoparticles.analysis import EMPTY, Particles, classes_of
from engine.readers.labels.label_files import labels_of


def test_classes_are_those_of_the_labels_under_most_of_each_object():
    objects = np.array([[1, 1, 1, 0], [2, 2, 3, 3]])
    labels = np.array([[2, 2, 1, 3], [0, 0, 0, 3]], np.uint8)
    assert classes_of(objects, labels).tolist() == [1, EMPTY, 2]


def test_what_cannot_be_learned_from_is_refused(micrographs: Path):
    images = engine.open(micrographs)
    with pytest.raises(InputError, match="there are none; give the labels"):
        Particles().fit(images)
    with pytest.raises(InputError, match="all particles found are of one class"):
        Particles().fit(images, 0 * labels_of(micrographs))
