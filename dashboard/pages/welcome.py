"""The welcome page: the example one click away, your own data, recent results, disk use."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from dashboard.kit import escape, markup
from dashboard.pages.base import Page, PageContext
from dashboard.views.picker import describe_stack, thumbnail
from dashboard.views.result_list import ResultList
from dashboard.workspace.datasets import Stack
from dashboard.workspace.image_collection import open_data
from engine import catalogue

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


TITLES: Final = {
    "kmeans": "Maps: zones of a stack",
    "unet": "Mosaics: tracks on a frame",
    "particles": "Particles: defects in a lattice",
    "micrographs": "Micrographs: what a picture shows",
}
"""Headings of the cards, by analysis; each has an example and a page of its own."""


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    results = ResultList(context.workspace, context.work, limit=6)
    cards = {f"example_{n}_{analysis}": _card(analysis, context) for n, analysis in enumerate(TITLES)}
    return cards | {
        "own": markup(OWN),
        "how": markup(HOW),
        "recent": results.listing,
        "disk": results.disk,
    }


def _card(analysis: str, context: PageContext) -> Any:
    """Return the card of an example, filled once that is opened."""
    card, workspace = markup(card_html(analysis, None)), context.workspace

    def find() -> Stack | None:
        address = workspace.find_example(analysis)
        return None if address is None else open_data(workspace, analysis, address)

    def show(stack: Stack | None) -> None:
        card.object = card_html(analysis, stack)

    context.work.run(find, show, key=f"example-{analysis}")
    return card


def card_html(analysis: str, stack: Stack | None) -> str:
    """Return the HTML of a card; without data it leads to the page all the same.

    Parameters
    ----------
    analysis
        Name in the catalogue.
    stack
        The example, opened; None until it is.

    Returns
    -------
    str
        A link to the page of the analysis.
    """
    page = catalogue.find("analyses", analysis).page
    art, lines, query = "<span class='art'>▦</span>", "", ""
    if stack is not None:
        art = f"<img src='{thumbnail(stack)}' alt='preview'>"
        lines = "".join(f"<p>{escape(line)}</p>" for line in (stack.title, *describe_stack(stack)))
        query = "?" + escape(urlencode({"data": stack.address}))
    return (
        f"<a class='welcome' id='open-{page}' href='/{page}{query}'>{art}"
        f"<div><h3>{TITLES[analysis]}</h3>{lines}</div></a>"
    )


PAGE: Final = Page(slug="", title="Welcome", layout="welcome.html", build=build, in_navigation=False)
