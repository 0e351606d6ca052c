"""Tests of `engine.export.fits_tables`: tables of a result as binary tables of FITS, with units."""

import json
from pathlib import Path

import numpy as np
import tifffile
import xarray as xr
from astropy.io import fits

from engine.export.rasters import write_fits, write_tiff

NAMES = ["SiO₂, dünn", "=SUM(A1)\"'; <b>$x_1$", "two\nlines\t#{%}"]


def test_fits_holds_the_maps_classes_and_pixel_size(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    (path,) = write_fits(result, tmp_path)
    with fits.open(path, checksum=True) as units:
        units.verify("exception")
        np.testing.assert_array_equal(units[0].data, labels)
        np.testing.assert_array_equal(units["CONFIDENCE"].data, result["confidence"])
        header = units[0].header
        assert [header[f"CVAL{n}"] for n in (1, 2, 3)] == [1, 3, 7]
        assert [json.loads(f'"{header[f"CNAME{n}"]}"') for n in (1, 2, 3)] == NAMES
        assert header["CCOLOR2"] == "#E69F00"
        assert (header["CRVAL1"], header["CRPIX1"], header["CDELT1"], header["CUNIT1"]) == (0, 0.5, 0.5, "um")


def test_labels_of_16_bits_survive_fits_and_tiff(result: xr.DataTree, tmp_path: Path) -> None:
    result["labels"] = result["labels"].astype("u2") * 9000
    expected = np.asarray(result["labels"])
    assert expected.max() == 63000
    np.testing.assert_array_equal(tifffile.imread(write_tiff(result, tmp_path)[0]), expected)
    with fits.open(write_fits(result, tmp_path)[0]) as units:
        np.testing.assert_array_equal(units[0].data, expected)
