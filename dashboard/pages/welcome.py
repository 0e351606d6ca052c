"""The welcome page: the example one click away, your own data, recent results, disk use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from dashboard.kit import escape, markup
from dashboard.pages.base import Page, PageContext
from dashboard.workspace.example_data import open_data
from dashboard.workspace.workspace import Stack
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
class ExampleCard:
    """A card that leads to an example: its id on the page, what it is of, and the page that shows it."""

    id: str
    analysis: str
    page: str
    title: str


MAPS: Final = ExampleCard("open-example", "kmeans", "maps", "Maps: zones of a stack")
FRAME: Final = ExampleCard("open-frame", "unet", "mosaics", "Mosaics: tracks on a frame")
MICROGRAPHS: Final = ExampleCard("open-micrographs", "particles", "particles", "Particles: defects in a lattice")
PICTURES: Final = ExampleCard("open-pictures", "micrographs", "micrographs", "Micrographs: what a picture shows")


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    results = ResultList(context.workspace, context.work, limit=6)
    return {
        "maps": _card(MAPS, context),
        "frame": _card(FRAME, context),
        "micrographs": _card(MICROGRAPHS, context),
        "pictures": _card(PICTURES, context),
        "own": markup(OWN),
        "how": markup(HOW),
        "recent": results.listing,
        "disk": results.disk,
    }


def _card(example: ExampleCard, context: PageContext) -> Any:
    """The card of an example, filled once that is found."""
    card, workspace = markup(card_html(example, None)), context.workspace

    def find() -> Stack | None:
        address = workspace.example(example.analysis)
        return None if address is None else open_data(workspace, example.analysis, address)

    def show(stack: Stack | None) -> None:
        card.object = card_html(example, stack)

    context.work.run(find, show, key=example.id)
    return card


def card_html(example: ExampleCard, stack: Stack | None) -> str:
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
