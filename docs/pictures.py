"""Make the pictures of the documentation anew: serve the example data, use the page, take screenshots.

python docs/pictures.py          # needs Chromium; writes docs/images/*.png
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).with_name("images")
VIEWPORT = {"width": 1440, "height": 900}


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve the example data on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["serve", str(ROOT / "data_example"), "--port", str(port), "--results", str(home)]
    process = subprocess.Popen([sys.executable, "-m", "dashboard", *words])
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def settled(page: Any) -> None:
    """Wait until classes and curves are drawn and nothing is on its way."""
    page.locator('tr[data-label="6"]').wait_for(timeout=60_000)
    page.locator(".elbow canvas").first.wait_for(timeout=60_000)
    page.locator(".spectra canvas").first.wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def shot(page: Any, name: str, css: str | None = None) -> None:
    """Save the page, or one part of it."""
    target = page if css is None else page.locator(css).first
    target.screenshot(path=IMAGES / f"{name}.png")


def frame(page: Any, url: str) -> None:
    """Show the example frame, segmented."""
    page.goto(f"{url}/mosaics")
    page.locator("tr[data-object]").first.wait_for(timeout=120_000)
    page.wait_for_timeout(1500)


def show_values(page: Any, url: str) -> None:
    """Show the positions of the peaks of the example."""
    page.goto(f"{url}/profile")
    page.locator("#zones table.values").wait_for(timeout=120_000)
    page.locator("#value-map canvas").first.wait_for()
    page.wait_for_timeout(1500)


def draw_lasso(page: Any) -> None:
    """Draw around the middle of the first map."""
    page.locator(".map-raw-0 .bk-tool-icon-lasso-select").click()
    box = page.locator(".map-raw-0 canvas").first.bounding_box()
    x, y = box["x"] + 0.62 * box["width"], box["y"] + 0.62 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((40, 0), (60, 30), (40, 60), (0, 60), (-20, 30), (0, 0)):
        page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()
    page.locator("#region").wait_for()
    page.wait_for_timeout(800)


def show_frame(page: Any, url: str) -> None:
    """Show the example frame with one of its tracks close up."""
    page.goto(f"{url}/mosaics")
    page.locator("tr[data-object]").nth(3).click(timeout=120_000)
    page.locator("#inset img").wait_for()
    page.locator(".reset-view button").click()
    page.wait_for_timeout(1500)


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as url, sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(f"{url}/maps")
        settled(page)
        page.locator('tr[data-label="5"] td.key').click()
        page.wait_for_timeout(800)
        shot(page, "selected")
        draw_lasso(page)
        shot(page, "lasso")
        page.keyboard.press("Escape")
        page.goto(f"{url}/maps")
        settled(page)
        shot(page, "maps-light")
        page.locator(".change-data button").click()
        page.wait_for_timeout(1000)
        shot(page, "picker")
        page.keyboard.press("Escape")
        show_frame(page, url)
        shot(page, "mosaics-light")
        frame(page, url)
        shot(page, "mosaics-light")
        show_values(page, url)
        shot(page, "profile-light")
        for name, address in (("welcome", "/"), ("jobs", "/jobs"), ("results", "/results")):
            page.goto(f"{url}{address}")
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1500)
            shot(page, name)
        page.goto(f"{url}/particles")
        page.locator("[data-crop] img").nth(9).wait_for(timeout=180_000)
        page.locator('[data-image="3"]').click()
        page.wait_for_timeout(1500)
        page.locator("[data-crop]").nth(9).click()
        page.locator("#fft").wait_for()
        page.wait_for_timeout(1500)
        shot(page, "particles-light")
        page.goto(f"{url}/micrographs")
        page.locator("[data-crop] img").nth(9).wait_for(timeout=180_000)
        page.wait_for_timeout(1500)
        shot(page, "micrographs-light")
        dark = browser.new_page(viewport=VIEWPORT, color_scheme="dark")
        dark.goto(f"{url}/maps")
        settled(dark)
        shot(dark, "maps-dark")
        frame(dark, url)
        dark.locator("tr[data-object]").nth(2).click()
        dark.wait_for_timeout(1500)
        shot(dark, "mosaics-dark")
        show_frame(dark, url)
        shot(dark, "mosaics-dark")
        browser.close()


if __name__ == "__main__":
    main()
