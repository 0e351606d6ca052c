"""Metadata that electron microscopes write, and pictures that carry it."""

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 255, (24, 32)).astype(np.uint8)


FEI = """[User]\r\nDate=10/27/2016\r\n\r\n[System]\r\nSystemType=Helios G4\r\nDisplayWidth=0.4\r\n
[Beam]\r\nHV=5000\r\nBeam=EBeam\r\nScan=EScan\r\n\r\n[EBeam]\r\nHV=5000\r\nHFW=6.4e-06\r\nWD=0.0041\r\n
[Scan]\r\nPixelWidth=2e-07\r\nPixelHeight=2.5e-07\r\nHorFieldsize=6.4e-06\r\n
[Image]\r\nResolutionX=32\r\nResolutionY=20\r\n\r\n[Detectors]\r\nNumber=1\r\nName=TLD\r\nMode=SE\r\n"""


HITACHI = (
    "[SemImageFile]\r\nInstructName=SU8010\r\nImageName=a.tif\r\nDataSize=32x24\r\nMagnification=5000\r\n"
    "PixelSize=19.84375\r\nSignalName=SE(U)\r\nAcceleratingVoltage=15000 Volt\r\nWorkingDistance=8100 um\r\n"
)


def write(path: Path, *, tag: int = 0, text: str | bytes = "", beside: str | bytes = "", **options) -> Path:
    """A picture with a text in a tag, or beside it."""
    stored = text if isinstance(text, bytes) else text.encode("cp1252")
    extra = [(tag, "B", len(stored), stored, True)] if tag else None
    if path.suffix == ".tif":
        tifffile.imwrite(path, PIXELS, extratags=extra, metadata=None, **options)
    else:
        Image.fromarray(PIXELS).save(path)
    if beside:
        path.with_suffix(".txt").write_bytes(beside if isinstance(beside, bytes) else beside.encode())
    return path
