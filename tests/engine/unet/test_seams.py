"""Tests of `engine.unet.seams`: seams: pixels where two tilings of a frame give different labels."""

import xarray as xr

from engine.analysis import find_shipped_model, load_model
from engine.simulate.mosaic import Mosaic
from engine.unet.seams import seam_report


def test_two_tilings_of_one_frame_differ_at_most_where_two_classes_tie():
    image = Mosaic(size=512, seed=9).frame(0).image
    images = xr.Dataset({"image": (("y", "x"), image)})
    report = seam_report(load_model(find_shipped_model("unet")), images, tiles=(512, 128))
    assert report.n_pixels == image.size
    assert report.largest_margin < 1e-4
    assert report.share <= 1e-6 * 4  # one pixel of so small a frame
    assert len(report.positions) == report.n_different
