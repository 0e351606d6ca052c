""""""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label

from engine.errors import InputError
from engine.objects import connect, connect_classes

CONNECTIVITIES = {4: 1, 8: 2}
"""scikit-image's number of steps by ours of neighbours."""


def frame(values: np.ndarray, chunks: object = None) -> xr.DataArray:
    mask = xr.DataArray(values, dims=("y", "x"))
    return mask if chunks is None else mask.copy(data=da.from_array(values, chunks=chunks))


def cut(data: st.DataObject, size: int) -> tuple[int, ...]:
    """Lengths that add up to `size`."""
    ends = data.draw(st.sets(st.integers(1, size - 1)) if size > 1 else st.just(set()))
    return tuple(np.diff([0, *sorted(ends), size]).tolist())


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=14)),
    connectivity=st.sampled_from((4, 8)),
    data=st.data(),
)
def test_objects_are_those_of_scikit_image_in_its_order_for_any_chunking(
    values: np.ndarray, connectivity: int, data: st.DataObject
) -> None:
    chunks = tuple(cut(data, size) for size in values.shape)
    objects = connect(frame(values, chunks), connectivity=connectivity)
    assert objects.data.chunks == chunks
    np.testing.assert_array_equal(objects.values, label(values, connectivity=CONNECTIVITIES[connectivity]))


@pytest.mark.parametrize("density", [0.3, 0.41, 0.6])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_objects_that_percolate_through_many_tiles_are_joined(density: float, connectivity: int) -> None:
    values = np.random.default_rng(0).random((300, 257)) < density
    objects = connect(frame(values, (41, 16)), connectivity=connectivity)
    np.testing.assert_array_equal(objects.values, label(values, connectivity=CONNECTIVITIES[connectivity]))


def test_pixels_that_touch_over_the_corner_of_four_tiles_are_one_object_of_eight_and_two_of_four() -> None:
    for values in (np.eye(2, dtype=bool), np.eye(2, dtype=bool)[::-1]):
        mask = frame(values, 1)
        assert connect(mask).values.max() == 1
        assert connect(mask, connectivity=4).values.max() == 2


def test_numbers_follow_the_first_pixel_also_where_it_lies_in_a_tile_that_comes_late() -> None:
    values = np.array([[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]], bool)
    expected = [[0, 0, 0, 1], [2, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    np.testing.assert_array_equal(connect(frame(values, 2)).values, expected)


def test_nothing_is_an_empty_map_and_everything_one_object() -> None:
    assert connect(frame(np.zeros((9, 7), bool), 3)).values.sum() == 0
    assert (connect(frame(np.ones((9, 7), bool), 3)).values == 1).all()
    assert connect(frame(da.zeros((0, 5), bool, chunks=2).compute(), 2)).shape == (0, 5)


def test_a_mask_in_memory_gives_a_lazy_map_of_the_data_model_with_its_coordinates() -> None:
    mask = frame(np.eye(4, dtype=np.uint8) * 3).assign_coords(y=[1.0, 2, 3, 4])
    objects = connect(mask)
    assert isinstance(objects.data, da.Array)
    assert objects.name == "objects"
    assert objects.dtype == np.uint32
    assert objects.attrs["units"] == "1"
    xr.testing.assert_equal(objects["y"], mask["y"])
    np.testing.assert_array_equal(objects.values, np.eye(4))


@pytest.mark.real
def test_real_timepix_frames_have_as_many_clusters_as_their_makers_found(
    timepix: dict[str, np.ndarray],
) -> None:
    found = [int(connect(frame(values, 100)).max()) for values in timepix["frames"]]
    assert found == timepix["n_clusters"].tolist()
    assert sum(found) == 536


def test_wrong_dims_and_connectivities_are_refused() -> None:
    with pytest.raises(InputError, match=r"expected \(y, x\)"):
        connect(xr.DataArray(np.zeros((2, 2, 2), bool), dims=("channel", "y", "x")))
    with pytest.raises(InputError, match="connectivity is 6; expected one of 4"):
        connect(frame(np.zeros((2, 2), bool)), connectivity=6)


def lazy(values: np.ndarray, chunks: object = 64) -> xr.DataArray:
    return xr.DataArray(da.from_array(values.astype(np.uint8), chunks=chunks), dims=("y", "x"))


@settings(max_examples=50, deadline=None)
@given(
    values=hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 4)
    ),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
)
def test_components_of_classes_are_those_of_scikit_image_for_any_chunking(values, rows, columns):
    found = connect_classes(lazy(values, (rows, columns)), classes=[2, 3, 4]).values
    expected = label(np.where(values >= 2, values, 0), background=0, connectivity=2)
    assert (found > 0).sum() == (values >= 2).sum()
    pairs = np.unique(np.stack([found[found > 0], expected[found > 0]]), axis=1)
    assert pairs.shape[1] == found.max(initial=0) == expected.max(initial=0)
    first = [np.flatnonzero(found.ravel() == n)[0] for n in range(1, found.max(initial=0) + 1)]
    assert first == sorted(first)
