"""Tests of `engine.export.streaming`."""

from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from engine.export import store, streaming, tables

STEM = "hBN_µ-map_2"


NAMES = ["SiO₂, dünn", "=SUM(A1)\"'; <b>$x_1$", "two\nlines\t#{%}"]


def test_clustershot_holds_mean_and_spread_of_each_cluster(result: xr.DataTree, tmp_path: Path) -> None:
    shot, pixels = tables.write_dat(result, tmp_path)
    assert [p.name for p in (shot, pixels)] == [f"{STEM}_clustershot.dat", f"{STEM}_coordinates.dat"]
    lines = shot.read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert header[0].startswith("# recipe: {")
    assert header[-1].split("\t") == [
        "# wavelength",
        *(f"{v}{s}_cluster_{i}" for i in (1, 3, 7) for v in ("delta", "psi") for s in ("", "_std")),
    ]
    assert any("cluster 1: SiO₂, dünn" in line for line in header)
    assert any("wavelength: nm, delta: deg, psi: deg" in line for line in header)
    values = np.loadtxt(shot)
    spectra = streaming.in_memory(result)["spectra"]
    np.testing.assert_allclose(values[:, 0], [400.0, 500.5, 633.0])
    column = 1
    for label in (1, 3, 7):
        for variable in ("delta", "psi"):
            for statistic in ("mean", "std"):
                expected = spectra[f"{variable}_{statistic}"].sel(label=label)
                np.testing.assert_allclose(values[:, column], expected, rtol=1e-6)
                column += 1
    assert column == values.shape[1]


def test_csv_tables_hold_the_values_and_no_formula(result: xr.DataTree, tmp_path: Path) -> None:
    classes, spectra = (
        pd.read_csv(path, comment="#", encoding="utf-8") for path in tables.write_csv(result, tmp_path)
    )
    expected = tables.classes_frame(streaming.in_memory(result))
    assert expected["name"].tolist() == NAMES
    assert classes["name"].tolist() == [NAMES[0], "'" + NAMES[1], NAMES[2]]
    pd.testing.assert_frame_equal(
        classes.drop(columns="name"), expected.drop(columns="name"), check_dtype=False, check_exact=True
    )
    assert spectra.columns[:4].tolist() == ["label", "name", "wavelength", "variable"]
    row = spectra.query("label == 3 and wavelength == 633 and variable == 'psi'").squeeze()
    of_class = streaming.in_memory(result)["spectra"].to_dataset().sel(label=3, wavelength=633)
    for statistic in ("mean", "std", "median", "mad", "q05", "q95", "count"):
        assert row[statistic] == pytest.approx(float(of_class[f"psi_{statistic}"]), rel=1e-12)


def test_parquet_tables_are_the_frames(result: xr.DataTree, tmp_path: Path) -> None:
    whole = streaming.in_memory(result)
    classes, spectra = (pd.read_parquet(path) for path in tables.write_parquet(result, tmp_path))
    pd.testing.assert_frame_equal(classes, tables.classes_frame(whole))
    pd.testing.assert_frame_equal(spectra, tables.spectra_frame(whole))


def test_plain_images_have_one_row_a_class(result: xr.DataTree, tmp_path: Path) -> None:
    whole = streaming.in_memory(result)
    plain = whole["spectra"].to_dataset().isel(wavelength=0, drop=True)
    whole = xr.DataTree.from_dict({"/": whole.to_dataset(), "/classes": whole["classes"], "/spectra": plain})
    assert tables.spectra_frame(whole)["channel"].tolist() == [0] * 6
    values = np.loadtxt(tables.write_dat(whole, tmp_path)[0])
    np.testing.assert_allclose(values[1], plain["delta_mean"][0], rtol=1e-6)


def test_netcdf_holds_the_whole_result(result: xr.DataTree, tmp_path: Path) -> None:
    result.attrs["odd"] = {"a": [1, None]}
    result.attrs["none"] = None
    (path,) = store.write_netcdf(result, tmp_path)
    with xr.open_datatree(path, engine="h5netcdf") as again:
        assert again.attrs.pop("odd") == '{"a": [1, null]}'
        expected = streaming.in_memory(result)
        del expected.attrs["odd"], expected.attrs["none"]
        xr.testing.assert_identical(again.load().map_over_datasets(lambda d: d), expected)


@pytest.mark.parametrize(
    ("rows", "columns", "tile"),
    [
        ((2048, 2048, 5), (3000,), (1024, 1024)),
        ((700, 700, 1), (900, 900), (700, 900)),
        ((100,) * 20, (64,), (1024, 64)),
        ((10, 500, 30), (7,), (540, 7)),
        ((2063, 2063), (8,), (1024, 8)),
    ],
)
def test_no_two_writers_share_a_stored_tile(
    rows: tuple[int, ...], columns: tuple[int, ...], tile: tuple[int, int]
) -> None:
    aligned = streaming.align_to_tiles(
        da.zeros((sum(rows), sum(columns)), chunks=(rows, columns), dtype="u1")
    )
    stored = streaming.encoding(aligned)["chunks"]
    assert stored == tile
    for sizes, edge in zip(aligned.chunks, stored, strict=True):
        assert all(size % edge == 0 for size in sizes[:-1])
