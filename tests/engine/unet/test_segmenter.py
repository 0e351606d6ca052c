"""The analysis `unet`: it learns from labelled frames, brings a model, and gives what the contract names."""

import json
from pathlib import Path

import engine


def test_the_runtime_that_auto_stands_for_is_recorded(frames: Path):
    result = engine.run("unet", engine.open(frames / "frame_000.fits"))
    assert json.loads(result.attrs["recipe"])["runtime"] in ("openvino", "openvino-bfloat16", "keras")
