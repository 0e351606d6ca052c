"""Every format gives back the values and the recipe."""

import csv
import json
import re
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import tifffile
import xarray as xr
from astropy.io import fits
from PIL import Image

from engine import catalogue
from engine.errors import FileError, InputError
from engine.export import figures, provenance, store, streaming, tables
from engine.export.provenance import read_recipe
from engine.export.rasters import pixel_edges, write_fits, write_tiff
from engine.recipe import Recipe

STEM = "hBN_µ-map_2"
OF_PARTICLES = ("figure", "html", "crops")
OF_MAPS = sorted(set(catalogue.EXPORTERS) - set(OF_PARTICLES))
NAMES = ["SiO₂, dünn", "=SUM(A1)\"'; <b>$x_1$", "two\nlines\t#{%}"]


@pytest.mark.parametrize("name", OF_MAPS)
def test_every_file_of_every_format_carries_the_recipe(
    name: str, result: xr.DataTree, recipe: Recipe, tmp_path: Path
) -> None:
    paths = catalogue.find("exporters", name)(result, tmp_path / "new folder")
    assert paths
    assert sorted(paths) == sorted((tmp_path / "new folder").iterdir())
    for path in paths:
        assert path.name.startswith(STEM)
        assert read_recipe(path) == recipe


@pytest.mark.parametrize("name", OF_MAPS)
def test_exporting_again_replaces_the_files(name: str, result: xr.DataTree, tmp_path: Path) -> None:
    write = catalogue.find("exporters", name)
    first = write(result, tmp_path)
    assert write(result, tmp_path) == first
    assert sorted(first) == sorted(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(set(OF_MAPS) - {"json"}))
def test_a_result_without_a_recipe_is_exported_all_the_same(
    name: str, result: xr.DataTree, tmp_path: Path
) -> None:
    del result.attrs["recipe"]
    for path in catalogue.find("exporters", name)(result, tmp_path):
        with pytest.raises(InputError, match="recipe"):
            read_recipe(path)


@pytest.mark.parametrize("name", ["csv", "tiff", "png", "geojson"])
def test_a_failing_export_leaves_nothing_behind(
    name: str, result: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileError, match="the disk is full; free some space"):
        catalogue.find("exporters", name)(result, tmp_path)
    assert not list(tmp_path.iterdir())


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


def test_coordinates_are_the_pixels_of_each_cluster(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    pixels = np.loadtxt(tables.write_dat(result, tmp_path)[1], dtype=int)
    again = np.zeros_like(labels)
    again[pixels[:, 1], pixels[:, 2]] = pixels[:, 0]
    np.testing.assert_array_equal(again, labels)
    assert len(pixels) == np.count_nonzero(labels)
    assert (np.diff(pixels[:, 0]) >= 0).all()


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


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_starts_like_a_formula(start: str, result: xr.DataTree, tmp_path: Path) -> None:
    names = xr.DataArray(np.array([f"{start}cmd|'/c calc'!A0"] * 3), dims="label")
    result["classes/name"] = names
    for path in tables.write_csv(result, tmp_path):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(line for line in file if not line.startswith("#")))
        assert not [cell for row in rows for cell in row if cell.startswith(start) and len(cell) > 9]


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


def test_objects_are_a_table_where_there_are_any(result: xr.DataTree, tmp_path: Path) -> None:
    assert tables.objects_frame(result).empty
    rows = xr.Dataset({"area": ("object", [4.0, 9.0])}, {"object": [1, 2]})
    result["object_table"] = xr.DataTree(rows)
    path = next(path for path in tables.write_csv(result, tmp_path) if path.name.endswith("_objects.csv"))
    assert pd.read_csv(path, comment="#").to_dict("list") == {"object": [1, 2], "area": [4.0, 9.0]}


def test_netcdf_holds_the_whole_result(result: xr.DataTree, tmp_path: Path) -> None:
    result.attrs["odd"] = {"a": [1, None]}
    result.attrs["none"] = None
    (path,) = store.write_netcdf(result, tmp_path)
    with xr.open_datatree(path, engine="h5netcdf") as again:
        assert again.attrs.pop("odd") == '{"a": [1, null]}'
        expected = streaming.in_memory(result)
        del expected.attrs["odd"], expected.attrs["none"]
        xr.testing.assert_identical(again.load().map_over_datasets(lambda d: d), expected)


def test_recipe_as_json_is_readable_text(result: xr.DataTree, recipe: Recipe, tmp_path: Path) -> None:
    (path,) = store.write_json(result, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") > 10
    assert "dünn" in json.dumps(NAMES, ensure_ascii=False)
    assert json.loads(text)["edits"][0]["author"] == "Jörg"


def test_tiff_holds_the_maps_classes_and_pixel_size(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    paths = write_tiff(result, tmp_path)
    assert [p.name for p in paths] == [f"{STEM}_labels.tif", f"{STEM}_confidence.tif"]
    np.testing.assert_array_equal(tifffile.imread(paths[0]), labels)
    confidence = tifffile.imread(paths[1])
    assert confidence.dtype == np.float32
    np.testing.assert_array_equal(confidence, result["confidence"])
    with tifffile.TiffFile(paths[0]) as file:
        page = file.pages.first
        assert [row["name"] for row in json.loads(page.description)["classes"]] == NAMES
        assert page.tags["XResolution"].value[0] / page.tags["XResolution"].value[1] == 20000  # 0.5 µm
        assert page.tags["ResolutionUnit"].value == 3


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


def test_png_shows_each_pixel_in_its_class_colour(
    result: xr.DataTree, labels: np.ndarray, tmp_path: Path
) -> None:
    (path,) = figures.write_png(result, tmp_path)
    with Image.open(path) as image:
        picture = np.asarray(image.convert("RGB"))
    scale = 800 // 24
    drawn = picture[40 : 40 + 16 * scale, 40 : 40 + 24 * scale]
    expected = figures.label_image(labels, {1: "#0072B2", 3: "#E69F00", 7: "#009E73"})
    np.testing.assert_array_equal(drawn[scale // 2 :: scale, scale // 2 :: scale], expected)
    np.testing.assert_array_equal(drawn, np.kron(expected, np.ones((scale, scale, 1), np.uint8)))


def test_large_maps_are_thinned_out_for_pictures(result: xr.DataTree, tmp_path: Path) -> None:
    large = np.ones((10, 9000), np.uint8)
    root = xr.Dataset({"labels": (("y", "x"), large)})
    tree = xr.DataTree.from_dict({"/": root, "/classes": result["classes"].to_dataset(inherit=False)})
    (path,) = figures.write_png(tree, tmp_path)
    with Image.open(path) as image:
        assert image.width < 4096 + 400


def test_svg_is_well_formed_and_names_the_classes_as_text(result: xr.DataTree, tmp_path: Path) -> None:
    from defusedxml import ElementTree

    (path,) = figures.write_svg(result, tmp_path)
    texts = "".join(
        node.text or "" for node in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    )
    assert "SiO₂, dünn" in texts
    assert "two lines" in texts
    assert "<b>$x_1$" in texts
    assert "µm" in texts


@pytest.mark.parametrize("name", OF_MAPS)
def test_any_class_name_can_be_exported_without_a_warning(
    name: str, result: xr.DataTree, tmp_path: Path
) -> None:
    result["classes/name"] = xr.DataArray(np.array(["日本", "$x^{2", "_\0\x1b" + "long " * 20]), dims="label")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert catalogue.find("exporters", name)(result, tmp_path)


def test_pictures_leave_matplotlib_as_it_was(result: xr.DataTree, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    figures.write_png(result, tmp_path)
    assert dict(mpl.rcParams) == before


def test_pixel_edges_lie_half_a_pixel_around_the_centres(result: xr.DataTree) -> None:
    edges, unit = pixel_edges(result, "x")
    np.testing.assert_allclose(edges, 0.5 * np.arange(25))
    assert unit == "µm"
    bare, unit = pixel_edges(xr.DataTree(xr.Dataset({"labels": (("y", "x"), np.ones((2, 3), "u1"))})), "x")
    assert bare.tolist() == [-0.5, 0.5, 1.5, 2.5]
    assert unit == "px"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("a\0b\nc", "a_b_c"),
        ("C:\\x|y?*", "C_x_y"),
        ("  ", "mapstack"),
        ("...", "mapstack"),
        ("Größe 5 µm", "Größe_5_µm"),
        ("長" * 200, "長" * 33),
    ],
)
def test_file_names_are_safe_whatever_the_title_is(title: str, expected: str) -> None:
    assert provenance.stem(xr.DataTree(xr.Dataset(attrs={"title": title}))) == expected


def test_files_are_named_after_the_source_without_a_title() -> None:
    tree = xr.DataTree(xr.Dataset(attrs={"source": "measured/stack.h5::/entry/data"}))
    assert provenance.stem(tree) == "stack"
    assert provenance.stem(tree, xr.Dataset(attrs={"title": "Flake 3"})) == "Flake_3"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.dat"),
        (b"1,2,3\n", "foreign.csv"),
        (b"{}", "foreign.json"),
        (b"[1]", "list.json"),
        (b'{"schema": 1}', "half.json"),
        (b"\x89PNG\r\n\x1a\n broken", "broken.png"),
        (b"II*\0 broken", "broken.tif"),
        (b"SIMPLE  =  broken", "broken.fits"),
        (b"PAR1 broken", "broken.parquet"),
        (b"\x89HDF broken", "broken.nc"),
        (b"<?xml version='1.0'?><svg", "broken.svg"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "bomb.svg"),
        (b"# recipe: {broken\n", "broken.dat"),
        (b"\xff\xfe\0\0", "bytes.bin"),
    ],
)
def test_a_file_without_a_recipe_is_named(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(str(path))):
        read_recipe(path)


def test_a_missing_file_and_a_foreign_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.json is not there; give a recipe, a result or an export"):
        read_recipe(tmp_path / "gone.json")
    with pytest.raises(InputError, match=r"no recipe in .*; give a recipe, a result or an export"):
        read_recipe(tmp_path)


@pytest.mark.parametrize("name", OF_PARTICLES)
def test_what_is_of_particles_is_refused_for_maps(name: str, result: xr.DataTree, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"is for populations of particles.*and the result is one of maps of classes"
    ):
        catalogue.find("exporters", name)(result, tmp_path)
    assert not list(tmp_path.iterdir())
