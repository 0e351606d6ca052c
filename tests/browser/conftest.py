"""A server with the real and a simulated stack, and browsers that look at it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import engine

START_SECONDS = 90
VIEWPORT = {"width": 1440, "height": 900}
FRAMES_SEED = 1
WARNING = "This frame is a stand-in."
SKY = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 129.0,
    "CRPIX2": 129.0,
    "CRVAL1": 83.75,
    "CRVAL2": -5.5,
    "CDELT1": -1e-4,
    "CDELT2": 1e-4,
}
"""The 129th pixel of row and column lies at 05h35m, -5°30′."""
FIGURE = """
([css, x, y]) => {
  const within = (element) => {
    for (let node = element; node; node = node.assignedSlot ?? node.parentNode ?? node.host)
      if (node.matches?.(css)) return true
    return false
  }
  const views = []
  const walk = (view) => {
    if (view.model?.type === "Figure" && within(view.el)) views.push(view)
    for (const child of view.child_views ?? []) walk(child)
  }
  for (const root of Bokeh.index.roots) walk(root)
  if (!views.length) return null
  const {frame, canvas} = views[0]
  const box = canvas.el.getBoundingClientRect()
  return {
    x: box.x + frame.x_scale.compute(x), y: box.y + frame.y_scale.compute(y),
    ranges: [frame.x_range.start, frame.x_range.end, frame.y_range.start, frame.y_range.end],
    left: box.x + frame.bbox.left, top: box.y + frame.bbox.top,
    width: frame.bbox.width, height: frame.bbox.height,
  }
}
"""
"""Where a position of a plot lies on the screen."""


def place(page: Any, css: str, x: float = 0, y: float = 0) -> dict[str, Any]:
    return page.evaluate(FIGURE, [css, x, y])


class Served:
    """A running server: its address, its folder of results, what it says about itself."""

    def __init__(self, url: str, roots: list[Path], home: Path, process: subprocess.Popen[bytes]) -> None:
        self.url, self.roots, self.home, self.process = url, roots, home, process

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def wait_until(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        wait_for(lambda: condition(self.health()), what="the server's health")


def wait_for(condition: Callable[[], Any], *, seconds: float = 30, what: str = "it") -> Any:
    """Return what the condition returns as soon as that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def serve(roots: list[Path], home: Path, *options: str) -> Served:
    """Start a server on a free port and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home.mkdir(parents=True, exist_ok=True)
    log = (home / "server.log").open("wb")
    words = ["serve", *map(str, roots), "--port", str(port), "--results", str(home), *options]
    process = subprocess.Popen([sys.executable, "-m", "dashboard", *words], stdout=log, stderr=log)
    served = Served(f"http://127.0.0.1:{port}", roots, home, process)

    def answers() -> bool:
        if process.poll() is not None:
            raise AssertionError((home / "server.log").read_text())
        try:
            return bool(served.health()["well"])
        except OSError:
            return False

    wait_for(answers, seconds=START_SECONDS, what="the server")
    return served


def stop(served: Served) -> int:
    """End a server as an administrator would; return its exit code."""
    served.process.terminate()
    try:
        return served.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        served.process.kill()
        raise


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with simulated `maps`, frames `mosaic`, the first of a known sky, `micrographs`, and `sem`."""
    from astropy.io import fits

    from engine.simulate.ellipsometry_maps import Maps
    from engine.simulate.hrtem import Hrtem
    from engine.simulate.mosaic import Mosaic
    from engine.simulate.sem import Sem

    root = tmp_path_factory.mktemp("served")
    Maps(n_regions=3, size=96, n_wavelengths=6, seed=1).write(root / "maps")
    Mosaic(size=256, n_frames=2, seed=FRAMES_SEED).write(root / "mosaic")
    Hrtem(size=320, n_frames=3, n_particles=5, pixel_size=0.05, empty=0.0, seed=3).write(root / "micrographs")
    Sem(n_images=40, size=96, images_per_parent=1, seed=5).write(root / "sem")
    with fits.open(root / "mosaic" / "frame_000.fits", mode="update") as file:
        file[0].header.update(SKY)
    return root


@pytest.fixture(scope="session")
def server(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests, which forgets unused sessions quickly."""
    real = os.environ.get("MAPSTACK_SHARED") or Path(__file__).parents[3] / "shared"
    hyperspectral = Path(real).resolve() / "data" / "hyperspectral"
    roots = [simulated, *([hyperspectral] if hyperspectral.is_dir() else [])]
    home = tmp_path_factory.mktemp("home")
    served = serve(roots, home, "--unused-session-lifetime", "500", "--check-unused-sessions", "200")
    yield served
    stop(served)


@pytest.fixture(scope="session")
def segmented(server: Served) -> dict[str, str]:
    """The query that shows hBN (or, without the real data, the simulated stack) in three classes."""
    from engine import pipeline
    from engine.runtime import jobs

    root = server.roots[-1]
    name = "hBN_test" if (root / "hBN_test").is_dir() else "maps"
    recipe = pipeline.make_recipe("kmeans", root / name, n_clusters=3)
    job = jobs.submit(recipe, home=server.home, start=False)
    return {"data": name, "result": jobs.work(job.id, server.home).id}


@pytest.fixture(scope="session")
def catalogued(server: Served) -> dict[str, str]:
    """The query that shows the first frame as its truth segments it, objects and all, as if a network had."""
    from engine import pipeline
    from engine.runtime import jobs
    from engine.runtime.job_files import JobFiles
    from engine.simulate.mosaic import Mosaic
    from tests.stand_in import true_result

    address = "mosaic/frame_000.fits"
    recipe = pipeline.make_recipe("unet", server.roots[0] / address, tile=512)  # not the server's own example
    job = jobs.submit(recipe, home=server.home, start=False)
    truth = Mosaic(size=256, seed=FRAMES_SEED).frame(0).labels
    tree = true_result(engine.open(server.roots[0] / address), truth)
    tree.attrs.update(recipe=recipe.to_json(), warnings=json.dumps([WARNING]))
    engine.save(tree, JobFiles(server.home, job.id).result)
    jobs.submit(recipe, home=server.home)
    return {"data": address, "result": job.id}


@pytest.fixture(scope="session")
def population(server: Served) -> dict[str, str]:
    """The query that shows the particles of three simulated micrographs."""
    from engine import pipeline
    from engine.runtime import jobs

    recipe = pipeline.make_recipe("particles", server.roots[0] / "micrographs", certainty=0.01)
    job = jobs.submit(recipe, home=server.home, start=False)
    return {"data": "micrographs", "result": jobs.work(job.id, server.home).id}


@pytest.fixture(scope="session")
def sorted_pictures(server: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The query that shows the pictures of `sem` as a network sorts them that learned for a moment."""
    from engine import pipeline
    from engine.runtime import jobs

    folder = server.roots[0] / "sem"
    images = engine.open(folder, reader="labelled")
    model = tmp_path_factory.mktemp("model") / "sem"
    engine.fit("micrographs", images, n_steps=8, edge=32, minutes=1).save(model)
    recipe = pipeline.make_recipe("micrographs", folder, model=model)
    job = jobs.submit(recipe, home=server.home, start=False)
    return {"data": "sem", "result": jobs.work(job.id, server.home).id}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("Chromium is missing; install it with: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """One tab in a browser of its own; a JavaScript error in it fails the test."""
    context = chromium.new_context(viewport=VIEWPORT, permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.set_default_timeout(15_000)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    context.close()
    assert errors == []
