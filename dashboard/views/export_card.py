"""Export the result in a format of the catalogue, and offer the files for download."""

import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from dashboard.components import ExportBar
from dashboard.format import format_bytes
from dashboard.kit import Work
from dashboard.workspace.datasets import Result
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine import catalogue

MAX_FILES: Final = 4
"""More files, and folders, are packed into one archive."""


class ExportCard:
    """Format, Export, and links to what was written."""

    def __init__(self, analysis: str, session: Session, workspace: Workspace, work: Work) -> None:
        self.session, self.workspace, self.work = session, workspace, work
        formats = [name for name in catalogue.EXPORTERS if is_offered(name, analysis)]
        self.bar = ExportBar(formats=formats, format=formats[0], listener=lambda _: work.post(self._export))
        self.folders: list[Path] = []
        session.param.watch(self._ready, "result")
        self._ready()

    def close(self) -> None:
        """Delete what was written for this tab."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _ready(self, *_: Any) -> None:
        self.bar.param.update(reason="Press Run first." if self.session.result is None else "", files=[])

    def _export(self) -> None:
        result = self.session.result
        if result is None or self.bar.busy:
            return
        folder = self.workspace.exports / secrets.token_hex(16)
        self.folders.append(folder)
        self.bar.param.update(busy=True, files=[])

        def show(files: list[Path]) -> None:
            self.bar.param.update(busy=False, files=[_link(file) for file in files])

        name, images = self.bar.format, None if self.session.stack is None else self.session.stack.images
        self.work.run(
            lambda: write(result, name, folder, images),
            show,
            key="export",
            failed=lambda: setattr(self.bar, "busy", False),
        )


def is_offered(name: str, analysis: str) -> bool:
    """Return whether a format is one for results of an analysis.

    Parameters
    ----------
    name
        Of the format.
    analysis
        Name of the analysis in the catalogue.
    """
    return catalogue.find("analyses", analysis).kind.name in catalogue.find("exporters", name).kinds


def write(result: Result, name: str, folder: Path, images: Any) -> list[Path]:
    """Write a result in one format; several files or a folder become one archive.

    Parameters
    ----------
    result
        The result that is shown.
    name
        Name of the format.
    folder
        New folder for the files.
    images : Dataset, optional
        The images that the result was made from.
    """
    folder.mkdir(parents=True)
    files: list[Path] = catalogue.find("exporters", name)(result.tree, folder, images=images)
    if len(files) <= MAX_FILES and all(file.is_file() and file.parent == folder for file in files):
        return files
    archive = folder / f"{name}.zip"
    inside = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in inside:
            packed.write(file, file.relative_to(folder))
    return [archive]


def _link(file: Path) -> dict[str, str]:
    return {
        "name": file.name,
        "url": f"/exports/{file.parent.name}/{quote(file.name)}",
        "size": format_bytes(file.stat().st_size),
    }
