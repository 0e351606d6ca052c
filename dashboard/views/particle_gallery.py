"""Crops of particles, those in most doubt first; choosing one, going through them, giving them classes."""

from collections.abc import Callable
from typing import Any, Final

from dashboard.components import Gallery
from dashboard.kit import Work, png_source
from dashboard.state.library import Library, Stack
from dashboard.state.micrographs import crop, limits
from dashboard.state.objects import Objects, link_class
from dashboard.state.session import Session
from engine.export.crops import grey

PAGE: Final = 36
"""Crops that are shown at once."""
NOTHING: Final = "No particles yet: press Run on the left."
NONE_LEFT: Final = "No particle is of this kind."


class ParticleGallery:
    """One page of crops at a time; `go` is called with the row of a particle that is chosen here."""

    def __init__(
        self,
        session: Session,
        objects: Objects,
        library: Library,
        work: Work,
        *,
        go: Callable[[dict[str, Any]], None],
    ) -> None:
        self.session, self.objects, self.library, self.work, self.go = session, objects, library, work, go
        self.what = ""
        self.places: list[tuple[Any, ...]] = []
        """Where what is pictured lies: another result may give the same numbers to other particles."""
        self.gallery = Gallery(
            listener=lambda message: work.post(lambda: self._heard(message)), sizing_mode="stretch_both"
        )
        session.param.watch(lambda event: objects.adopt(event.new), "segmentation")
        session.param.watch(self._choose, "thing")
        link_class(session, objects)
        objects.param.watch(lambda _: self._turn(self.gallery.page), "shown")
        self._turn(0)

    def show_only(self, numbers: list[int], what: str) -> None:
        """Show these particles alone; `what` says what they are."""
        self.what = what if numbers else ""
        self.objects.only = numbers
        self._turn(0)

    def choose(self, number: int) -> None:
        """Choose a particle and show where it is."""
        self.session.thing = number
        row = self.objects.row(number)
        if row is not None:
            self.go(row)

    def step(self, by: int) -> None:
        """Go to the next or previous particle among those shown."""
        numbers = self.objects.shown["object"].tolist()
        if not numbers:
            return
        here = self.objects.place(self.session.thing)
        self.choose(int(numbers[0 if here is None else (here + by) % len(numbers)]))

    def next_in_doubt(self) -> int:
        """The particle after the chosen one among those shown that nobody reviewed; 0 if there is none."""
        shown = self.objects.shown
        here = self.objects.place(self.session.thing)
        after = shown if here is None else shown.iloc[here + 1 :]
        left = after[~after["reviewed"].astype(bool)]
        return int(left["object"].iloc[0]) if len(left) else 0

    def _heard(self, message: Any) -> None:
        if message["do"] == "choose":
            self.choose(int(message["object"]))
        elif message["do"] == "page":
            self._turn(self.gallery.page + int(message["step"]))
        else:
            self.session.select([])
            self.objects.kind = "all classes"
            self.show_only([], "")

    def _choose(self, *_: Any) -> None:
        self.gallery.chosen = self.session.thing
        place = self.objects.place(self.session.thing)
        if place is not None and place // PAGE != self.gallery.page:
            self._turn(place // PAGE)

    def _turn(self, page: int) -> None:
        shown, stack = self.objects.shown, self.session.stack
        pages = -(-len(shown) // PAGE)
        page = min(max(0, page), max(0, pages - 1))
        rows = shown.iloc[page * PAGE : (page + 1) * PAGE].to_dict("records")
        total = len(self.objects.every)
        self.gallery.param.update(
            page=page,
            pages=pages,
            note=f"{len(shown)} of {total} particles, most doubtful first" if total else "",
            clear="show all" if len(shown) < total else "",
            empty=NOTHING if self.session.segmentation is None else NONE_LEFT,
        )
        if self.what:
            self.gallery.note = f"{len(shown)} {self.what}"
        self.gallery.rows = [tile(row) for row in rows]
        places = [] if stack is None else [(stack.identity, row["object"], *place_of(row)) for row in rows]
        if stack is not None and places != self.places:
            self.places, self.gallery.pictures = places, {}
            self.work.run(
                lambda: {str(row["object"]): picture(self.library, stack, row) for row in rows},
                lambda pictures: setattr(self.gallery, "pictures", pictures),
                key="gallery",
            )


def picture(library: Library, stack: Stack, row: dict[str, Any]) -> str:
    """The crop of a particle; reads its micrograph: call it in a thread."""
    number = int(row["image"])

    def made() -> str:
        return png_source(grey(crop(library, stack, row), limits(library, stack, number)))

    return library.pictures.get((stack.identity, *place_of(row)), made)


def place_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """Micrograph and box of a particle."""
    return tuple(row[name] for name in ("image", "bbox_left", "bbox_top", "bbox_right", "bbox_bottom"))


def tile(row: dict[str, Any]) -> dict[str, Any]:
    """What a tile says of a particle."""
    certain = f"{row['confidence']:.2f}"
    return {
        "object": int(row["object"]),
        "name": str(row["name"]),
        "color": str(row["color"])[:7],
        "reviewed": bool(row["reviewed"]),
        "said": f"{row['name']} {certain}",
        "title": f"particle {row['object']}: {row['name']}, margin {certain}"
        + (", class given by a person" if row["reviewed"] else ""),
    }
