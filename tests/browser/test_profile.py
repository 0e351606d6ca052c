"""The Profile page in Chromium: the example is measured, shown whole, and another value can be chosen."""

import re
from typing import Any

import pytest

from engine.simulate.spectra import FILE, Spectra
from tests.browser.conftest import wait_for

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def spectra(simulated: Any) -> str:
    """Address of a map with a peak in each pixel."""
    Spectra(n_regions=3, size=64, n_channels=32, seed=2).write(simulated / "spectra")
    return f"spectra/{FILE}"


def test_a_run_shows_the_positions_of_the_peaks_whole(page: Any, server: Any, spectra: str) -> None:
    page.goto(f"{server.url}/profile?data={spectra}")
    page.locator("button:not([disabled])", has_text="Run").first.click(timeout=40_000)
    page.locator("#zones table.values").wait_for(timeout=60_000)
    assert page.locator(".value-of select").input_value() == "position"
    median = float(page.locator("#zones td").nth(2).inner_text())
    assert 620 < median < 680
    card, canvas = page.locator("#value-map"), page.locator("#value-map canvas").first
    canvas.wait_for()
    inside, drawn = card.bounding_box(), canvas.bounding_box()
    assert drawn["width"] > 300
    assert drawn["x"] + drawn["width"] <= inside["x"] + inside["width"]
    page.locator(".value-of select").select_option("width")
    page.wait_for_url(re.compile(r"value=width"))
    wait_for(lambda: 7 < float(page.locator("#zones td").nth(2).inner_text()) < 17)
