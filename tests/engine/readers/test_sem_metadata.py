"""What electron microscopes write into and beside their pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.readers import open_images
from tests.engine.readers.sem_texts import FEI, HITACHI, PIXELS, write

ZEISS = (
    "0\r\n0\r\n0\r\n1.464844e-07\r\n2000.0\r\n6\r\n20000.0\r\n2.478\r\n1.2e-10\r\n0.0076\r\n"
    "DP_SEM\r\nSem = EVO 15\r\nDP_DETECTOR_CHANNEL\r\nSignal A = SE1\r\n"
    "DP_IMAGE_STORE\r\nStore resolution = 32 * 24\r\n"
    "AP_MAG\r\nMag = 2.00 K X\r\nAP_ACTUALKV\r\nEHT = 20.00 kV\r\nAP_WD\r\nWD = 7.61 mm\r\n"
    "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 146.5 nm\r\n"
)


JEOL = (
    "$CM_FORMAT JEOL-SEM\r\n$CM_VERSION 1.0\r\n$CM_INSTRUMENT JSM-7600F\r\n$CM_SIGNAL SEI\r\n$CM_MAG 5000\r\n"
    "$CM_ACCEL_VOLT 15.0\r\n$CM_FULL_SIZE 32 20\r\n$$SM_MICRON_BAR 160\r\n$$SM_MICRON_MARKER 4um\r\n"
    "$$SM_WD 8.2\r\n"
)


def facts(path: Path) -> dict[str, object]:
    """Steps of y and x, units and attrs of an opened picture."""
    images = open_images(path)
    names = ("magnification", "voltage", "working_distance", "detector", "instrument")
    steps = {dim: float(images[dim][1] - images[dim][0]) for dim in ("y", "x")}
    kept = {name: images.attrs[name] for name in names if name in images.attrs}
    return {
        **steps,
        "units": images["x"].attrs["units"],
        **kept,
        "notes": json.loads(images.attrs["warnings"]),
    }


def taken(scale: tuple[float, float], magnification: float, voltage: float, wd: float, *names: str):
    return {
        "y": pytest.approx(scale[0]),
        "x": pytest.approx(scale[1]),
        "units": "nm",
        "magnification": pytest.approx(magnification),
        "voltage": pytest.approx(voltage),
        "working_distance": pytest.approx(wd),
        "detector": names[0],
        "instrument": names[1],
        "notes": [],
    }


def test_the_zeiss_tag_gives_the_exact_pixel_size_not_the_rounded_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", tag=34118, text=ZEISS)
    assert facts(path) == taken((146.4844, 146.4844), 2000.0, 20.0, 7.61, "SE1", "Zeiss EVO 15")


def test_an_old_zeiss_tag_of_numbers_alone_is_enough(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", tag=34118, text=ZEISS.partition("DP_SEM")[0])
    found = facts(path)
    assert found["x"] == pytest.approx(146.4844)
    assert (found["magnification"], found["voltage"]) == (2000.0, 20.0)


@pytest.mark.parametrize("tag", [34680, 34682, 34118])
@pytest.mark.parametrize(
    "text",
    [b"\xff\x00garbage\xfe" * 20, b"", b"[Scan", b"[Scan]\r\nPixelWidth=\r\nPixelHeight=abc\r\n", b"\0" * 64],
)
def test_damaged_metadata_never_makes_opening_fail(tmp_path: Path, tag: int, text: bytes) -> None:
    path = write(tmp_path / "a.tif", tag=tag, text=text or b"\n")
    found = facts(path)
    assert (found["x"], found["units"], len(found["notes"])) == (1.0, "px", 1)
    np.testing.assert_array_equal(open_images(path)["values"], PIXELS)


@pytest.mark.parametrize(
    "text",
    [
        JEOL.replace("BAR 160", "BAR 0"),
        JEOL.replace("4um", "4deg."),
        HITACHI.replace("19.84375", "nan"),
        b"[SemImageFile]\xff\xfe\x00" * 3,
    ],
)
def test_a_damaged_text_never_makes_opening_fail(tmp_path: Path, text: str | bytes) -> None:
    found = facts(write(tmp_path / "a.png", beside=text))
    assert (found["x"], found["units"], len(found["notes"])) == (1.0, "px", 1)


def test_an_impossible_pixel_size_is_told_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", tag=34682, text=FEI.replace("PixelWidth=2e-07", "PixelWidth=-2e-07"))
    found = facts(path)
    assert (found["units"], found["voltage"]) == ("px", 5.0)
    assert "cannot be" in found["notes"][0]


def test_a_resolution_finer_than_any_printer_is_a_pixel_size_and_another_is_none(tmp_path: Path) -> None:
    fine = write(tmp_path / "fine.tif", resolution=(2e5, 1e5), resolutionunit=3)
    coarse = write(tmp_path / "coarse.tif", resolution=(4800, 4800), resolutionunit=2)
    found = facts(fine)
    assert (found["x"], found["y"], found["units"]) == (pytest.approx(50.0), pytest.approx(100.0), "nm")
    assert facts(coarse)["units"] == "px"


def test_a_link_to_a_text_outside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.txt").write_text(HITACHI)
    path = write(tmp_path / "in" / "a.png")
    path.with_suffix(".txt").symlink_to(tmp_path / "a.txt")
    assert facts(path)["units"] == "px"
