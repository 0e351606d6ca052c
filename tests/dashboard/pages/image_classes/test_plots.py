"""Pictures painted with evidence."""

import numpy as np

from dashboard.pages.image_classes import state as state
from dashboard.pages.image_classes.plots import paint_evidence


def test_evidence_colours_what_speaks_for_the_class_and_against_it():
    picture = np.full((64, 64), 100, np.uint8)
    evidence = np.zeros((16, 16))
    evidence[:, :4], evidence[:, -4:] = 1.0, -1.0
    drawn = paint_evidence(picture, evidence).astype(int)
    left, middle, right = drawn[32, 4], drawn[32, 32], drawn[32, -4]
    assert left[0] > left[2]
    assert right[2] > right[0]
    assert middle.tolist() == [100, 100, 100]
    assert (paint_evidence(picture, np.full((16, 16), np.nan)) == 100).all()
