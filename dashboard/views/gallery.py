"""Thumbnails of objects, those in most doubt first; choosing one and going through them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from dashboard.components import Gallery
from dashboard.kit import Work
from dashboard.workspace.object_table import ObjectSelection, link_class
from dashboard.workspace.session import Session
from engine.schema import columns as c


class ObjectGallery:
    """One page of small pictures at a time; what they are of is said by who derives from it."""

    what: ClassVar[str]
    """What one of them is called."""
    page_size: ClassVar[int]
    """How many are shown at once."""
    large: ClassVar[bool] = False
    nothing: ClassVar[str]
    """Said before there is anything."""
    none_left: ClassVar[str]

    def __init__(self, session: Session, objects: ObjectSelection, work: Work) -> None:
        self.session, self.objects, self.work = session, objects, work
        self.said = ""
        self.places: list[Any] = []
        """What is pictured: another result may give the same numbers to other objects."""
        self.gallery = Gallery(
            what=self.what,
            large=self.large,
            listener=lambda message: work.post(lambda: self._act(message)),
            sizing_mode="stretch_both",
        )
        session.param.watch(lambda event: objects.adopt(event.new), "result")
        session.param.watch(self._choose, "object_id")
        link_class(session, objects)
        objects.param.watch(lambda _: self._turn(self.gallery.page), "shown")
        self._turn(0)

    # ------------------------------------------------------------ what those that derive from it say
    def tile(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the tile of an object."""
        raise NotImplementedError

    def picture_key(self, row: dict[str, Any]) -> Any:
        """Return all that a thumbnail depends on; None where there is nothing to show."""
        raise NotImplementedError

    def draw(self, rows: list[dict[str, Any]]) -> Mapping[str, str]:
        """Return thumbnails as images' sources by number as text; called in a thread."""
        raise NotImplementedError

    def reveal(self, row: dict[str, Any]) -> None:
        """Show the region of a chosen object."""

    def widen(self) -> None:
        """Remove every limit of what is shown."""
        self.session.select([])
        self.objects.kind = "all classes"

    # ------------------------------------------------------------ choosing
    def show_only(self, numbers: list[int], said: str) -> None:
        """Show these alone; `said` says what they are.

        Parameters
        ----------
        numbers
            Numbers of the objects.
        said
            Words for them, shown above the gallery.
        """
        self.said = said if numbers else ""
        self.objects.only = numbers
        self._turn(0)

    def choose(self, number: int) -> None:
        """Choose one and show where it is."""
        self.session.object_id = number
        row = self.objects.row(number)
        if row is not None:
            self.reveal(row)

    def step(self, by: int) -> None:
        """Go to the next or previous among those shown."""
        numbers = self.objects.shown["object"].tolist()
        if not numbers:
            return
        here = self.objects.row_index(self.session.object_id)
        self.choose(int(numbers[0 if here is None else (here + by) % len(numbers)]))

    def _act(self, message: Any) -> None:
        if message["do"] == "choose":
            self.choose(int(message["object"]))
        elif message["do"] == "page":
            self._turn(self.gallery.page + int(message["step"]))
        else:
            self.widen()
            self.show_only([], "")

    def _choose(self, *_: Any) -> None:
        self.gallery.chosen = self.session.object_id
        place = self.objects.row_index(self.session.object_id)
        if place is not None and place // self.page_size != self.gallery.page:
            self._turn(place // self.page_size)

    def _turn(self, page: int) -> None:
        shown, size = self.objects.shown, self.page_size
        pages = -(-len(shown) // size)
        page = min(max(0, page), max(0, pages - 1))
        rows = shown.iloc[page * size : (page + 1) * size].to_dict("records")
        total = len(self.objects.every)
        self.gallery.param.update(
            page=page,
            pages=pages,
            note=f"{len(shown)} of {total} {self.what}s, most doubtful first" if total else "",
            clear="show all" if len(shown) < total else "",
            empty=self.nothing if self.session.result is None else self.none_left,
        )
        if self.said:
            self.gallery.note = f"{len(shown)} {self.said}"
        self.gallery.rows = [self.tile(row) for row in rows]
        places = [self.picture_key(row) for row in rows]
        if places != self.places and None not in places:
            self.places, self.gallery.pictures = places, {}
            self.work.run(
                lambda: dict(self.draw(rows)),
                lambda pictures: setattr(self.gallery, "pictures", pictures),
                key="gallery",
            )


def next_in_doubt(objects: ObjectSelection, number: int) -> int:
    """Return the one after another among those shown that nobody reviewed; 0 if there is none.

    Parameters
    ----------
    objects
        The objects of the page and those of them that are shown.
    number
        Number of the chosen one.
    """
    shown, row = objects.shown, objects.row_index(number)
    after = shown if row is None else shown.iloc[row + 1 :]
    left = after[~after[c.REVIEWED].astype(bool)]
    return int(left["object"].iloc[0]) if len(left) else 0
