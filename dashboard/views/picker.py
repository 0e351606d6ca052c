"""Open data: a card that says what is open, and a dialog that walks through the served folders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from dashboard.components import Browser
from dashboard.format import format_bytes
from dashboard.kit import Work, escape, markup, png_source
from dashboard.workspace.datasets import Stack
from dashboard.workspace.workspace import Workspace, is_openable
from engine.errors import MapstackError
from engine.readers import split_key
from engine.readers.collection import PIXEL_SIZE
from engine.runtime.paths import resolve
from engine.schema import IMAGE, X, Y

THUMBNAIL: Final = (320, 220)
HIDDEN: Final = (".", "__")
MAX_ENTRIES: Final = 500


class Picker:
    """The data card with its dialog; `on_open` gets the address of what the user opens, `load` opens it."""

    def __init__(
        self,
        workspace: Workspace,
        work: Work,
        on_open: Callable[[str], None],
        *,
        load: Callable[[str], Stack] | None = None,
    ) -> None:
        self.workspace, self.work, self.on_open, self.load = (
            workspace,
            work,
            on_open,
            load or workspace.open_stack,
        )
        self.card = markup(nothing_open())
        self.browser = Browser(listener=lambda message: work.post(lambda: self._receive(message)))
        self.here: Path | None = None

    def open_dialog(self) -> None:
        """Show the dialog, at the place it was left."""
        if self.here is None:
            self._go(self.workspace.roots[0] if len(self.workspace.roots) == 1 else None)
        self.browser.shown = True

    def show(self, stack: Stack | None) -> None:
        """Say what is open."""
        self.card.object = nothing_open() if stack is None else card_of(stack)

    def _receive(self, message: Any) -> None:
        name = str(message.get("name", ""))
        actions: dict[str, Callable[[], None]] = {
            "close": lambda: setattr(self.browser, "shown", False),
            "look": lambda: self._look(name),
            "enter": lambda: self._go(self._below(name)),
            "up": lambda: self._up(int(message["depth"])),
            "open": lambda: self._open(name),
        }
        actions[message["do"]]()

    def _below(self, name: str) -> Path:
        if self.here is None:
            return next(root for root in self.workspace.roots if str(root) == name or root.name == name)
        return Path(resolve(str(self.here / name), self.workspace.roots))

    def _go(self, folder: Path | None) -> None:
        self.here = folder
        roots = self.workspace.roots
        self.browser.param.update(
            crumbs=self._crumbs(), chosen="", preview={}, openable=False, note="looking …", entries=[]
        )

        def show(entries: list[dict[str, str]]) -> None:
            note = f"the first {MAX_ENTRIES} entries" if len(entries) == MAX_ENTRIES else ""
            self.browser.param.update(entries=entries, note=note)

        self.work.run(lambda: entries_of(folder, roots), show, key="browse")

    def _crumbs(self) -> list[str]:
        if self.here is None:
            return ["served folders"]
        root = next(root for root in self.workspace.roots if self.here.is_relative_to(root))
        several = ["served folders"] if len(self.workspace.roots) > 1 else []
        return [*several, root.name, *self.here.relative_to(root).parts]

    def _up(self, depth: int) -> None:
        crumbs = self._crumbs()
        if len(self.workspace.roots) > 1 and depth == 0:
            self._go(None)
            return
        folder = self.here
        for _ in range(len(crumbs) - 1 - depth):
            folder = folder.parent if folder is not None else None
        self._go(folder)

    def _look(self, name: str) -> None:
        path = self._below(name)
        self.browser.param.update(chosen=name, openable=False, note="opening …", preview={})

        def show(preview: dict[str, Any]) -> None:
            self.browser.param.update(preview=preview, openable="problem" not in preview, note="")

        self.work.run(lambda: preview_of(self.workspace, path, self.load), show, key="preview")

    def _open(self, name: str) -> None:
        address = self.workspace.find_address(str(self._below(name)))
        self.browser.shown = False
        self.on_open(address)


def entries_of(folder: Path | None, roots: list[Path]) -> list[dict[str, str]]:
    """Return what can be entered or opened in a folder; without one, the roots.

    Parameters
    ----------
    folder
        The folder; None: the roots.
    roots
        Folders that may be opened.
    """
    if folder is None:
        return [{"name": root.name, "kind": "folder", "note": ""} for root in roots]
    found = sorted(folder.iterdir(), key=lambda p: (not p.is_dir(), p.name.lower()))
    shown = [path for path in found if not path.name.startswith(HIDDEN)][:MAX_ENTRIES]
    return [_entry(path) for path in shown]


def _entry(path: Path) -> dict[str, str]:
    if path.is_dir():
        stack = any(path.glob("*.ds.dat")) or (path / "zarr.json").exists()
        return {
            "name": path.name,
            "kind": "stack" if stack else "folder",
            "note": "measurement" if stack else "",
        }
    return {"name": path.name, "kind": "file", "note": format_bytes(path.stat().st_size)}


def preview_of(workspace: Workspace, path: Path, load: Callable[[str], Stack]) -> dict[str, Any]:
    """Return the thumbnail and the reader's facts of what lies at a path, or why it cannot be opened."""
    try:
        if path.is_dir() and not is_openable(path):
            return {"title": path.name, "problem": "A folder without a measurement of its own; go into it."}
        stack = load(workspace.find_address(str(path)))
    except MapstackError as error:
        return {"title": path.name, "problem": str(error)}
    return {
        "title": stack.title,
        "image": thumbnail(stack),
        "lines": describe_stack(stack),
        "warnings": stack.warnings,
    }


def describe_stack(stack: Stack) -> list[str]:
    """Return a description of the open data in a few short lines."""
    images, facts = stack.images, stack.description
    size = f"{images.sizes[Y]} × {images.sizes[X]} px"
    edges = np.unique(images[PIXEL_SIZE].values) if PIXEL_SIZE in images.coords else np.zeros(0)
    lines = []
    if stack.spectral is not None:
        coordinate = images[stack.spectral]
        units = str(coordinate.attrs.get("units", "1"))
        ends = f", {float(coordinate[0]):.6g}–{float(coordinate[-1]):.6g} {units}" if units != "1" else ""
        what = "images" if stack.spectral == IMAGE else f"× {stack.spectral}{ends}"
        lines.append(f"{coordinate.size} {what}")
    holes = facts.get("nan_share")
    if edges.size == 1 and np.isfinite(edges[0]):
        size += f" of {edges[0]:.4g} nm"
    share = _share(holes)
    lines.append(size + (f" · {share:.1%} without data" if share else ""))
    return lines


def _share(holes: Any) -> float:
    """Largest share of missing values; readers give one number or one a variable."""
    if isinstance(holes, dict):
        return max((float(v) for v in holes.values()), default=0.0)
    return float(holes or 0.0)


def thumbnail(stack: Stack) -> str:
    """First variable, where there is most to see, as a PNG, ready for an image's `src`."""
    pyramid = stack.pyramids[stack.variables[0]]
    channel = stack.first_plane
    x0, y0, x1, y1 = pyramid.bounds
    values, _ = pyramid.view((x0, x1), (y0, y1), *THUMBNAIL, channel=channel)
    _, low, high, _ = pyramid.limits(channel, percent=99.0)
    grey = np.nan_to_num((values - low) / (high - low) * 255, nan=0).clip(0, 255).astype("uint8")
    return png_source(grey)


def card_of(stack: Stack) -> str:
    """HTML of the data card."""
    lines = "".join(f"<span>{escape(line)}</span>" for line in describe_stack(stack))
    warnings = "".join(f'<p class="warning">{escape(line)}</p>' for line in stack.warnings)
    return (
        f'<div class="data"><img src="{thumbnail(stack)}" alt="preview"><div>'
        f'<b id="data-title" title="{escape(stack.address)}">{escape(stack.title)}</b>{lines}</div></div>'
        f"{warnings}"
    )


def nothing_open() -> str:
    """HTML of the data card before anything is open."""
    return '<p class="empty">Nothing is open yet: choose a measurement folder or a file.</p>'


__all__ = ["Picker", "describe_stack", "preview_of", "split_key", "thumbnail"]
