"""Parts of reports: figures, tables and pages."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from PIL import Image

from engine.export import sheets

RESULT = xr.DataTree(xr.Dataset(attrs={"recipe": json.dumps({"analysis": "kmeans"}), "source": "a.dat"}))


def draw(_: xr.DataTree, figure: Any) -> None:
    sheets.letter_axes(
        figure.subplots(1, 2).ravel(), [lambda axis: axis.plot([0, 1]), lambda axis: axis.plot([1, 0])]
    )


def test_a_figure_is_written_as_png_and_pdf_with_the_recipe(tmp_path: Path) -> None:
    png, pdf = sheets.save_figure(RESULT, tmp_path, draw)
    with Image.open(png) as picture:
        assert json.loads(picture.info["recipe"])["analysis"] == "kmeans"
    assert pdf.read_bytes().startswith(b"%PDF")


def test_a_table_escapes_text_and_shows_three_digits() -> None:
    html = sheets.html_table(pd.DataFrame({"name": ["<b>"], "value": [0.123456], "none": [float("nan")]}))
    assert "&lt;b&gt;" in html
    assert "0.123" in html
    assert "<b>" not in html


def test_a_page_stands_alone_and_carries_the_recipe(tmp_path: Path) -> None:
    (path,) = [sheets.report_page(RESULT, tmp_path, title="A <page>", body=["<p>hello</p>"])]
    text = path.read_text(encoding="utf-8")
    assert "A &lt;page&gt;" in text
    assert "<p>hello</p>" in text
    assert "# recipe: " in text
