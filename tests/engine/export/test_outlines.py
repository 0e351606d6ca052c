"""Tests of `engine.export.outlines`."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.path import Path as Outline
from scipy import ndimage

from engine.export.outlines import trace


def signed_area(ring: np.ndarray) -> float:
    """Area of a ring of (x, y) points, positive if counter-clockwise: the shoelace formula."""
    x, y = np.asarray(ring, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def painted(rings: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre is inside an odd number of rings of (x, y) vertices in pixel edges."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    centres = np.column_stack([x.ravel(), y.ravel()])
    inside = [Outline(np.vstack([r, r[:1]]), closed=True).contains_points(centres) for r in rings]
    return (np.sum(inside, axis=0, dtype=int) % 2 == 1).reshape(shape)


masks = hnp.arrays(
    bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=st.booleans()
)


@settings(max_examples=200, deadline=None)
@given(masks)
def test_outlines_give_back_the_mask_and_its_area(mask: np.ndarray) -> None:
    outlines = trace(mask)
    assert len(outlines) == ndimage.label(mask)[1]
    rings = [ring[:, ::-1] for o in outlines for ring in (o.outer, *o.holes)]
    if rings:
        np.testing.assert_array_equal(painted(rings, mask.shape), mask)
    regions = ndimage.label(mask)[0]
    for outline in outlines:
        area = abs(signed_area(outline.outer)) - sum(abs(signed_area(hole)) for hole in outline.holes)
        row, column = outline.outer[-1]  # upper left corner of the first pixel
        assert area == np.count_nonzero(regions == regions[row, column])


def test_a_straight_edge_has_no_vertex_between_its_ends() -> None:
    (outline,) = trace(np.pad(np.ones((3, 5), bool), 2))
    assert outline.outer.tolist() == [[2, 7], [5, 7], [5, 2], [2, 2]]
    assert outline.holes == ()


def test_an_empty_mask_has_no_outline() -> None:
    assert trace(np.zeros((4, 4), bool)) == []
