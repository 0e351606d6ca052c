"""Tests of `engine.simulate.ep4`."""

import struct
import zlib

import defusedxml.ElementTree
import numpy as np

from engine.simulate import ep4
from engine.simulate.ellipsometry_maps import Maps


def chunks(path):
    """Kind and content of each chunk of a PNG, its CRC checked."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        kind, data = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        assert struct.unpack(">I", raw[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        found.append((kind, data))
        at += 12 + length
    return found


def float_chunk(path):
    return next(data for kind, data in chunks(path) if kind == b"tEXt" and data.startswith(ep4.KEYWORD))


def test_files_hold_the_maps_of_memory_bit_by_bit_behind_the_layout_of_the_instrument(tmp_path):
    maps = Maps(size=24, n_wavelengths=3, seed=9)
    folder = maps.write(tmp_path / "maps")
    images, truth = maps.images()
    table = (folder / "simulated_maps.ds.dat").read_text("latin-1").splitlines()
    for i, row in enumerate(table[2:]):
        for file, name in zip(row.split("\t")[-2:], ("delta", "psi"), strict=True):
            data = float_chunk(folder / file)
            start = len(ep4.KEYWORD) + 1
            (n,) = struct.unpack(">H", data[start : start + 2])
            assert struct.unpack(">III", data[start + n : start + n + 12]) == (24 * 24 * 4 + 8, 24, 24)
            floats = np.frombuffer(data[start + n + 12 :], ">f4").reshape(24, 24)
            np.testing.assert_array_equal(floats, images[name].values[i])
    with np.load(folder / "truth.npz") as stored:
        np.testing.assert_array_equal(stored["labels"], truth["labels"])
        assert stored["labels"].dtype == np.uint8
        assert stored["names"].tolist() == truth["name"].values.tolist()
        np.testing.assert_array_equal(stored["delta"], truth["delta"])
        np.testing.assert_array_equal(stored["wavelength"], images["wavelength"])


def test_the_type_descriptor_the_table_and_the_columns_are_those_of_a_real_measurement(tmp_path, shared):
    real = shared / "data" / "hyperspectral" / "hBN_test"
    Maps(size=16, n_wavelengths=11, holes=0).write(tmp_path)
    start = len(ep4.KEYWORD) + 1
    theirs, ours = (float_chunk(next(folder.glob("*_001.png"))) for folder in (real, tmp_path))
    assert ours[: start + 40] == theirs[: start + 40]
    shown = [kind for kind, _ in chunks(next(tmp_path.glob("*_001.png")))]
    rest = iter(kind for kind, _ in chunks(next(real.glob("*_001.png"))))
    assert all(kind in rest for kind in shown)  # a subsequence: the same order
    tables = [next(folder.glob("*.ds.dat")).read_bytes().split(b"\n") for folder in (real, tmp_path)]
    assert tables[0][:2] == tables[1][:2]
    assert [row.split(b"\t")[0] for row in tables[0]] == [row.split(b"\t")[0] for row in tables[1]]
    # like the instrument's, the description has bytes that are not UTF-8 and does not say so
    ours_xml = defusedxml.ElementTree.fromstring(next(tmp_path.glob("*.dsinfo.xml")).read_text("latin-1"))
    columns = [prop.findtext("label") for prop in ours_xml.iter("col_props")]
    assert "#" + "\t".join(columns) == tables[0][0].decode()
