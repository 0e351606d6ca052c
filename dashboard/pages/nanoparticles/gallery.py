"""Crops of particles, those in most doubt first; choosing one, going through them, giving them classes."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from dashboard.kit import Work, png_source
from dashboard.pages.nanoparticles.state import grey_range, read_crop
from dashboard.views.gallery import ObjectGallery
from dashboard.workspace.datasets import Stack
from dashboard.workspace.object_table import ObjectSelection
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine.nanoparticles.crops import grey
from engine.schema import columns as c


class ParticleGallery(ObjectGallery):
    """One page of crops at a time; `go` is called with the row of a particle that is chosen here."""

    what: ClassVar[str] = "particle"
    page_size: ClassVar[int] = 36
    nothing: ClassVar[str] = "No particles yet: press Run on the left."
    none_left: ClassVar[str] = "No particle is of this kind."

    def __init__(
        self,
        session: Session,
        objects: ObjectSelection,
        workspace: Workspace,
        work: Work,
        *,
        go: Callable[[dict[str, Any]], None],
    ) -> None:
        self.workspace, self.go = workspace, go
        super().__init__(session, objects, work)

    def reveal(self, row: dict[str, Any]) -> None:
        """Show where a particle is."""
        self.go(row)

    def picture_key(self, row: dict[str, Any]) -> Any:
        """Return micrograph and box of a particle."""
        stack = self.session.stack
        return None if stack is None else (stack.identity, row["object"], *picture_key(row))

    def draw(self, rows: list[dict[str, Any]]) -> Mapping[str, str]:
        """Return the crops as images' sources."""
        stack = self.session.stack
        if stack is None:
            return {}
        return {str(row["object"]): picture(self.workspace, stack, row) for row in rows}

    def tile(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the tile of a particle."""
        return tile(row)


def picture(workspace: Workspace, stack: Stack, row: dict[str, Any]) -> str:
    """Return the crop of a particle as an image's source; reads its micrograph: call it in a thread.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    stack
        The opened data.
    row
        Row of the table of objects or images.

    Returns
    -------
    str
        PNG as a data URL.
    """
    number = int(row["image"])

    def draw_crop() -> str:
        return png_source(grey(read_crop(workspace, stack, row), grey_range(workspace, stack, number)))

    return workspace.cache.pictures.get((stack.identity, *picture_key(row)), draw_crop)


def picture_key(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return micrograph and box of a particle."""
    return tuple(row[name] for name in ("image", "bbox_left", "bbox_top", "bbox_right", "bbox_bottom"))


def tile(row: dict[str, Any]) -> dict[str, Any]:
    """Return the tile of a particle."""
    certain = f"{row['confidence']:.2f}"
    return {
        "object": int(row["object"]),
        "name": str(row[c.NAME]),
        "color": str(row[c.COLOR])[:7],
        "reviewed": bool(row[c.REVIEWED]),
        "said": f"{row[c.NAME]} {certain}",
        "title": f"particle {row['object']}: {row[c.NAME]}, margin {certain}"
        + (", class given by a person" if row[c.REVIEWED] else ""),
    }
