"""Looking at big rasters: the server's time for a view, and a browser's time from the wheel to the canvas.

    python benchmarks/viewing.py views     pyramid in memory and in Zarr against datashader's Canvas.raster
    python benchmarks/viewing.py zoom      linked maps in Chromium against HoloViews `rasterize` as it comes
    python benchmarks/viewing.py page      the Maps page itself, with a simulated stack, segmented
    python benchmarks/viewing.py           all of it

Everything is measured interleaved in one run. A gesture's latency is the time from the wheel's (or the
release's) event in the page to the last frame in which the canvas changed: until what is seen is final.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

SIZE = 8192
N_CLASSES = 8
FRAME = (700, 600)
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH_JS = """
(css) => {
  const canvases = () => {
    const found = [];
    const walk = (node, within) => {
      within = within || node.matches?.(css);
      if (within && node.tagName === 'CANVAS' && node.width > 200) found.push(node);
      if (node.shadowRoot) walk(node.shadowRoot, within);
      for (const child of node.children) walk(child, within);
    };
    walk(document.body, false);
    return found.filter((canvas) => canvas.parentNode === found[0].parentNode);
  };
  const print = (watched) => {
    const w = 160, h = 120;
    let hash = 0;
    for (const canvas of watched) {
      const x = Math.round(canvas.width / 2 - w / 2), y = Math.round(canvas.height / 2 - h / 2);
      const data = new Uint32Array(canvas.getContext('2d').getImageData(x, y, w, h).data.buffer);
      for (let i = 0; i < data.length; i += 3) hash = (Math.imul(hash, 31) + data[i]) | 0;
    }
    return hash;
  };
  window.settled = (quiet) => new Promise((resolve) => {
    const watched = canvases();
    let known = print(watched), last = performance.now(), changes = 0;
    const end = {time: null};
    const mark = () => { end.time = performance.now(); last = Math.max(last, end.time); };
    window.addEventListener('wheel', mark, {capture: true, passive: true});
    window.addEventListener('pointerup', mark, {capture: true});
    const tick = () => {
      const now = performance.now(), seen = print(watched);
      if (seen !== known) { known = seen; last = now; changes += 1; }
      if (end.time === null || now - last < quiet) return requestAnimationFrame(tick);
      window.removeEventListener('wheel', mark, {capture: true});
      window.removeEventListener('pointerup', mark, {capture: true});
      resolve({latency: last - end.time, changes});
    };
    tick();
  });
}
"""


def scene(size: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Return labels of round zones and noisy values on them, both `size` x `size`."""
    rng = np.random.default_rng(0)
    row = np.arange(size, dtype="float32") / size
    waves = np.sin(9 * row)[:, None] + np.cos(7 * row)[None, :]
    labels = (np.clip((waves + 2) / 4, 0, 0.999) * N_CLASSES).astype("uint8") + 1
    values = labels * np.float32(5) + rng.standard_normal((size, size), dtype="float32")
    values[: size // 50] = np.nan
    position = np.arange(size) + 0.5
    grid = {"dims": ("y", "x"), "coords": {"y": position, "x": position}}
    return (
        xr.DataArray(labels, name="labels", **grid),
        xr.DataArray(values, name="psi", attrs={"units": "deg"}, **grid),
    )


# ---------------------------------------------------------------- the server's side
def median_ms(call: Callable[[], Any], repeats: int = 9) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def views(size: int) -> None:
    """Print ms a view, whole and zoomed, from memory, from Zarr, by datashader."""
    import datashader as ds

    from engine.pyramid import halve_labels, halve_values, label_pyramid, value_pyramid

    labels, values = scene(size)
    for name, halve, array in (("labels", halve_labels, labels), ("values", halve_values, values)):
        print(
            f"build {name} {size}²: {median_ms(lambda h=halve, a=array: all_levels(h, a.values), 3):.0f} ms"
        )
    with tempfile.TemporaryDirectory() as folder:
        memory = {"labels": label_pyramid(labels).build(), "values": value_pyramid(values).build()}
        stored = value_pyramid(
            values.chunk(y=1024, x=1024), cache=Path(folder) / "psi", memory_bytes=0
        ).build()
        for share in (1.0, 0.5, 0.1):
            span = (0.3 * size * (1 - share), 0.3 * size * (1 - share) + share * size)
            canvas = ds.Canvas(plot_width=800, plot_height=600, x_range=span, y_range=span)
            ways = {
                "labels from memory": lambda s=span: memory["labels"].view(s, s, 800, 600),
                "values from memory": lambda s=span: memory["values"].view(s, s, 800, 600),
                "values from Zarr": lambda s=span: stored.view(s, s, 800, 600),
                "Canvas.raster labels (mode)": lambda c=canvas: c.raster(labels, agg=ds.mode()),
                "Canvas.raster values (mean)": lambda c=canvas: c.raster(values, agg=ds.mean()),
            }
            for way in ways.values():
                way()
            took = {name: median_ms(way) for name, way in ways.items()}
            print(
                f"{share:4.0%} of {size}² on 800 × 600: "
                + " · ".join(f"{k} {v:.1f} ms" for k, v in took.items())
            )
            ratio = took["Canvas.raster labels (mode)"] / took["labels from memory"]
            print(f"      labels from memory: {ratio:.0f} × faster than Canvas.raster")


def all_levels(halve: Callable[[np.ndarray], np.ndarray], plane: np.ndarray) -> None:
    while max(plane.shape) > 256:
        plane = halve(plane)


# ---------------------------------------------------------------- the browser's side
def serve(port: int, size: int) -> None:
    """Serve /linked (one map), /four (four linked maps) and /rasterize of the same raster."""
    import holoviews as hv
    import panel as pn
    from holoviews.operation.datashader import rasterize

    from dashboard import theme
    from dashboard.plots.labels import Classes
    from dashboard.views.layers import Layers
    from dashboard.views.linked import LinkedMaps
    from engine.pyramid import label_pyramid, value_pyramid

    theme.install()
    labels, values = scene(size)
    zones, psi = label_pyramid(labels).build(), value_pyramid(values).build()
    numbers = tuple(range(1, N_CLASSES + 1))
    classes = Classes(numbers, tuple(map(str, numbers)), tuple(theme.class_colors(N_CLASSES)))
    layers = Layers(classes, zones, psi, raw={"psi": psi}, means={})
    image = hv.Image(values)

    def pane(plot: Any, *, share: int = 1) -> Any:
        inner = pn.pane.HoloViews(plot, sizing_mode="stretch_both", linked_axes=False)
        return pn.Column(inner, width=FRAME[0] // share, height=FRAME[1] // share, sizing_mode="fixed")

    def linked() -> Any:
        return pane(LinkedMaps(psi.bounds).values(psi, streams={}))

    def four() -> Any:
        maps = LinkedMaps(psi.bounds)
        plots = [maps.labels(layers, streams={}), *(maps.values(psi, streams={}) for _ in range(3))]
        return pn.GridBox(*(pane(plot, share=2) for plot in plots), ncols=2)

    def datashaded() -> Any:
        plain = {"default_tools": ["save", "pan", "wheel_zoom", "box_zoom", "reset"]}
        return pane(rasterize(image).opts(width=FRAME[0], height=FRAME[1], **plain))

    routes = {"linked": linked, "four": four, "rasterize": datashaded}
    pn.serve(routes, port=port, address="127.0.0.1", show=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def gesture(page: Any, number: int, quiet: float, at: tuple[float, float] = (220, 160)) -> dict[str, float]:
    """One wheel step (in and out by turns) or, every fourth time, one pan; its latency in ms."""
    page.bring_to_front()
    page.mouse.move(*at)
    watch = page.evaluate_handle("(quiet) => ({promise: window.settled(quiet)})", quiet)
    if number % 4 == 3:
        page.mouse.down()
        page.mouse.move(at[0] + (40 if number % 8 == 3 else -40), at[1] + 20, steps=6)
        page.mouse.up()
    else:
        page.mouse.wheel(0, -200 if number % 16 < 8 else 300)  # Bokeh: a third in, then as much out
    return dict(page.evaluate("(watch) => watch.promise", watch))


def wait_for(port: int, child: subprocess.Popen[bytes], seconds: float = 120) -> None:
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the benchmark's server did not start")


@contextmanager
def served(root: Path, home: Path) -> Iterator[str]:
    """Serve a folder on a free port; its address."""
    port = free_port()
    words = ["serve", str(root), "--port", str(port), "--results", str(home)]
    command = [sys.executable, "-m", "dashboard", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            wait_for(port, child)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()


def latencies(size: int, n_gestures: int, *, routes: tuple[str, ...], quiet: float) -> dict[str, list[float]]:
    """Latencies of the routes' pages, gesture by gesture in turn, in ms."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    command = [sys.executable, __file__, "serve", "--port", str(port), "--size", str(size)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        try:
            wait_for(port, child)
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                pages = {route: browser.new_page(viewport={"width": 1450, "height": 750}) for route in routes}
                for route, page in pages.items():
                    page.goto(f"http://127.0.0.1:{port}/{route}")
                    page.wait_for_function(
                        "() => window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
                    )
                    page.wait_for_timeout(1500)
                    page.evaluate(WATCH_JS, "body")
                    gesture(page, 0, quiet)
                took: dict[str, list[float]] = {route: [] for route in routes}
                for number in range(n_gestures):
                    for route, page in pages.items():
                        took[route].append(gesture(page, number, quiet)["latency"])
                browser.close()
        finally:
            child.terminate()
    return took


def zoom(size: int, n_gestures: int) -> None:
    """Print median and 95th percentile of the latencies and their ratio to `rasterize`."""
    took = latencies(size, n_gestures, routes=("linked", "four", "rasterize"), quiet=1300)
    summary = {}
    for route, times in took.items():
        pans = times[3::4]
        wheels = [t for i, t in enumerate(times) if i % 4 != 3]
        summary[route] = {"median": np.median(times), "p95": np.percentile(times, 95)}
        print(
            f"{route:10s} median {np.median(times):.0f} ms, p95 {np.percentile(times, 95):.0f} ms"
            f" ({len(wheels)} wheel {np.median(wheels):.0f} ms, {len(pans)} pan {np.median(pans):.0f} ms)"
        )
    ratio = summary["rasterize"]["median"] / summary["linked"]["median"]
    print(f"{size * size / 2**20:.0f} Mpx: linked maps {ratio:.1f} × faster than rasterize")
    print(json.dumps(summary))


def page_zoom(size: int, n_gestures: int) -> None:
    """Print the latencies of the Maps page; of gestures that changed what is seen, and how many those are."""
    from playwright.sync_api import sync_playwright

    from engine import pipeline
    from engine.runtime import jobs
    from engine.simulate.ellipsometry_maps import Maps

    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder) / "data", Path(folder) / "home"
        Maps(n_regions=5, size=size, n_wavelengths=3).write(root / "maps")
        recipe = pipeline.make_recipe("kmeans", root / "maps", n_clusters=5)
        job = jobs.work(jobs.submit(recipe, home=home, start=False).id, home)
        with served(root, home) as url, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}/maps?data=maps&result={job.id}")
            page.locator('tr[data-label="5"]').wait_for(timeout=120_000)
            page.wait_for_timeout(5000)
            page.evaluate(WATCH_JS, ".map-raw-0")
            box = page.locator(".map-raw-0").bounding_box()
            at = (box["x"] + 0.45 * box["width"], box["y"] + 0.45 * box["height"])
            gesture(page, 0, 1300, at)
            seen = [gesture(page, number, 1300, at) for number in range(n_gestures)]
            browser.close()
    times = [each["latency"] for each in seen if each["changes"]]
    print(
        f"Maps page, {size * size / 2**20:.0f} Mpx, four linked maps: median {np.median(times):.0f} ms,"
        f" p95 {np.percentile(times, 95):.0f} ms ({len(times)} of {n_gestures} gestures changed the map)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=["views", "zoom", "page", "serve", "all"], default="all")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--gestures", type=int, default=80)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.what == "serve":
        serve(options.port, options.size)
    if options.what in ("views", "all"):
        views(4096 if options.size == SIZE else options.size)
    if options.what in ("zoom", "all"):
        zoom(options.size, options.gestures)
    if options.what in ("page", "all"):
        page_zoom(options.size, options.gestures)


if __name__ == "__main__":
    main()
