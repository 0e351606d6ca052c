"""The welcome page: the example one click away, your own data, recent results, disk use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from dashboard.kit import escape, markup
from dashboard.pages.base import Page, Visit
from dashboard.state.example import opened
from dashboard.state.library import Stack
from dashboard.views.picker import facts_of, thumbnail
from dashboard.views.result_list import ResultList

BODY: Final = """
<div class="sheet"><div>
  <h1>Maps, frames and micrographs</h1>
  <p>Open a measurement, get its zones, tracks or particles, see what each is like, export them.</p>
  <div class="cards">{{ embed(roots.maps) }}{{ embed(roots.frame) }}{{ embed(roots.micrographs) }}
    {{ embed(roots.pictures) }}{{ embed(roots.own) }}{{ embed(roots.how) }}</div>
  <h1>Recent results</h1>
  {{ embed(roots.recent) }}
  <p></p>
  {{ embed(roots.disk) }}
</div></div>
"""
HOW: Final = (
    "<div class='welcome'><div><h3>How it goes</h3>"
    "<p>1. Open a folder or file: the reader says what it holds.</p>"
    "<p>2. Press Run; for maps, take the suggested number of classes or another.</p>"
    "<p>3. Click a class or an object anywhere: it is selected everywhere; tidy up, export.</p></div></div>"
)
OWN: Final = (
    "<div class='welcome' id='open-own'><span class='art'>▦</span><div><h3>Open my data</h3>"
    "<p><a href='/maps?open=1'>Maps</a>: measurement folders, image stacks, HDF5, NetCDF, Zarr,"
    " TIFF, MATLAB.</p>"
    "<p><a href='/mosaics?open=1'>Frames</a> of a CCD: FITS, PNG.</p>"
    "<p><a href='/particles?open=1'>Micrographs of particles</a>: DM, SER, EMD, MRC, TIFF, PNG.</p>"
    "<p><a href='/micrographs?open=1'>Pictures to sort</a>: PNG, JPEG, TIFF, BMP, in folders or dropped.</p>"
    "</div></div>"
)


@dataclass(frozen=True)
class Example:
    """A card that leads to an example: its id on the page, what it is of, and the page that shows it."""

    id: str
    analysis: str
    page: str
    title: str


MAPS: Final = Example("open-example", "kmeans", "maps", "Maps: zones of a stack")
FRAME: Final = Example("open-frame", "unet", "mosaics", "Mosaics: tracks on a frame")
MICROGRAPHS: Final = Example("open-micrographs", "particles", "particles", "Particles: defects in a lattice")
PICTURES: Final = Example("open-pictures", "micrographs", "micrographs", "Micrographs: what a picture shows")


def build(visit: Visit) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    results = ResultList(visit.library, visit.work, limit=6)
    return {
        "maps": _card(MAPS, visit),
        "frame": _card(FRAME, visit),
        "micrographs": _card(MICROGRAPHS, visit),
        "pictures": _card(PICTURES, visit),
        "own": markup(OWN),
        "how": markup(HOW),
        "recent": results.listing,
        "disk": results.disk,
    }


def _card(example: Example, visit: Visit) -> Any:
    """The card of an example, filled once that is found."""
    card, library = markup(card_html(example, None)), visit.library

    def find() -> Stack | None:
        address = library.example(example.analysis)
        return None if address is None else opened(library, example.analysis, address)

    def show(stack: Stack | None) -> None:
        card.object = card_html(example, stack)

    visit.work.run(find, show, key=example.id)
    return card


def card_html(example: Example, stack: Stack | None) -> str:
    """HTML of a card; without data it leads to the page all the same."""
    art, lines, query = "<span class='art'>▦</span>", "", ""
    if stack is not None:
        art = f"<img src='{thumbnail(stack)}' alt='preview'>"
        lines = "".join(f"<p>{escape(line)}</p>" for line in (stack.title, *facts_of(stack)))
        query = "?" + escape(urlencode({"data": stack.address}))
    return (
        f"<a class='welcome' id='{example.id}' href='/{example.page}{query}'>{art}"
        f"<div><h3>{example.title}</h3>{lines}</div></a>"
    )


PAGE: Final = Page(slug="", title="Welcome", body=BODY, build=build, in_navigation=False)
