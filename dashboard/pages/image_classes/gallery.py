"""Pictures that were sorted, as a gallery and as a table, those in most doubt first."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np

from dashboard.components import ObjectTable
from dashboard.kit import Work, png_source
from dashboard.pages.image_classes.state import EVERY, ImageSelection, read_thumbnails
from dashboard.views.gallery import ObjectGallery
from dashboard.workspace.session import Session
from engine.schema import columns as c

ROWS: Final = 60
"""Rows of the table that are sent at once."""
COLUMNS: Final = [
    {"name": "object", "title": "#", "long": "number", "number": True},
    {"name": "file", "title": "file", "long": "file"},
    {"name": "name", "title": "class", "long": "class"},
    {"name": "confidence", "title": "conf.", "long": "confidence", "number": True},
    {"name": "said", "title": "doubt", "long": "doubt"},
    {"name": "second_name", "title": "or", "long": "second best class"},
    {"name": "truth_name", "title": "labelled", "long": "class that it came with"},
    {"name": "novelty", "title": "novelty", "long": "how unlike all seen, 1 is the limit", "number": True},
    {"name": "pixel_size", "title": "nm/px", "long": "size of a pixel", "number": True},
]
SORTED_BY: Final = {"said": "certainty"}
"""Columns that are sorted by another."""
NOTHING: Final = "No answers yet: open a folder of pictures and press Run on the left, or drop pictures here."
NONE_LEFT: Final = "No picture is of this kind: choose another class or kind above, or “show all”."


class ImageGallery(ObjectGallery):
    """One page of pictures with class, confidence, and what is doubtful about them."""

    what: ClassVar[str] = "picture"
    page_size: ClassVar[int] = 60
    large: ClassVar[bool] = True
    nothing: ClassVar[str] = NOTHING
    none_left: ClassVar[str] = NONE_LEFT
    objects: ImageSelection

    def widen(self) -> None:
        """Show pictures of all classes and kinds."""
        super().widen()
        self.objects.state = EVERY

    def picture_key(self, row: dict[str, Any]) -> Any:
        """Return data and number of a picture."""
        stack = self.session.stack
        return None if stack is None else (stack.identity, row["object"])

    def draw(self, rows: list[dict[str, Any]]) -> Mapping[str, str]:
        """Return the thumbnails that the result keeps."""
        result = self.session.result
        if result is None:
            return {}
        small = read_thumbnails(result, [int(row["object"]) for row in rows])
        return {str(number): png_source(np.asarray(values)) for number, values in small.items()}

    def tile(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the tile of a picture."""
        said, kind = badge(row)
        return {
            "object": int(row["object"]),
            "name": str(row[c.NAME]),
            "color": str(row[c.COLOR])[:7],
            "reviewed": bool(row[c.REVIEWED]),
            "said": str(row[c.NAME]),
            "share": "" if row[c.REVIEWED] else _percent(row["first_share"]),
            "badge": said,
            "kind": kind,
            "title": f"{row[c.FILE]}: {row[c.NAME]} {_percent(row['first_share'])}"
            + (f", {said}" if said else "")
            + (", class given by a person" if row[c.REVIEWED] else ""),
        }


class ImageTable:
    """The same pictures as rows."""

    def __init__(self, session: Session, pictures: ImageSelection, work: Work, gallery: ImageGallery) -> None:
        self.session, self.pictures, self.gallery = session, pictures, gallery
        self.table = ObjectTable(
            columns=COLUMNS,
            listener=lambda message: work.post(lambda: self._act(message)),
            sizing_mode="stretch_both",
        )
        session.param.watch(self._choose, "object_id")
        pictures.param.watch(lambda _: self._turn(0), "shown")
        self._turn(0)

    def _act(self, message: Any) -> None:
        if message["do"] == "choose":
            self.gallery.choose(int(message["object"]))
        elif message["do"] == "page":
            self._turn(self.table.page + int(message["step"]))
        else:
            asked = str(message["column"])
            column = SORTED_BY.get(asked, asked)
            turned = not self.pictures.descending if column == self.pictures.sort else False
            self.pictures.param.update(sort=column, descending=turned)

    def _choose(self, *_: Any) -> None:
        self.table.chosen = self.session.object_id
        place = self.pictures.row_index(self.session.object_id)
        if place is not None and place // ROWS != self.table.page:
            self._turn(place // ROWS)

    def _turn(self, page: int) -> None:
        shown, total = self.pictures.shown, len(self.pictures.every)
        pages = -(-len(shown) // ROWS)
        page = min(max(0, page), max(0, pages - 1))
        asked = {column: name for name, column in SORTED_BY.items()}
        self.table.param.update(
            rows=[_row(row) for row in shown.iloc[page * ROWS : (page + 1) * ROWS].to_dict("records")],
            page=page,
            pages=pages,
            sort=asked.get(self.pictures.sort, self.pictures.sort),
            descending=self.pictures.descending,
            note=f"{len(shown):,} of {total:,} pictures" if total else "",
            empty=NOTHING if self.session.result is None else NONE_LEFT,
        )


def badge(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is doubtful about a picture, in words and as a kind; empty where nothing is."""
    if row[c.REVIEWED]:
        return "", ""
    if row[c.UNLIKE]:
        return "unlike all seen", "unlike"
    return ("not sure", "unsure") if row[c.ABSTAINED] else ("", "")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    size = float(row[c.PIXEL_SIZE])
    return {
        "object": int(row["object"]),
        "file": str(row[c.FILE]),
        "name": str(row[c.NAME]),
        "color": str(row[c.COLOR])[:7],
        "confidence": f"{row['confidence']:.2f}",
        "second_name": str(row["second_name"]),
        "novelty": f"{row[c.NOVELTY]:.2f}" if np.isfinite(row[c.NOVELTY]) else "–",
        "said": "✓ reviewed" if row[c.REVIEWED] else badge(row)[0],
        "truth_name": str(row["truth_name"]),
        "pixel_size": f"{size:.4g}" if np.isfinite(size) else "–",
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if np.isfinite(share) else ""
