"""The welcome page: the example one click away, your own data, recent results, disk use."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from dashboard.kit import escape, markup
from dashboard.pages.base import Page, Visit
from dashboard.state.library import Stack
from dashboard.views.picker import facts_of, thumbnail
from dashboard.views.result_list import ResultList

BODY: Final = """
<div class="sheet"><div>
  <h1>Map stacks, segmented</h1>
  <p>Open a measurement, get its zones in seconds, see each zone's spectra, export them.</p>
  <div class="cards">{{ embed(roots.example) }}{{ embed(roots.own) }}{{ embed(roots.how) }}</div>
  <h1>Recent results</h1>
  {{ embed(roots.recent) }}
  <p></p>
  {{ embed(roots.disk) }}
</div></div>
"""
HOW: Final = (
    "<div class='welcome'><div><h3>How it goes</h3>"
    "<p>1. Open a folder or file: the reader says what it holds.</p>"
    "<p>2. Take the suggested number of classes, or another, and press Run.</p>"
    "<p>3. Click a class on a map, a curve or the table; rename, merge, split; export.</p></div></div>"
)
OWN: Final = (
    "<a class='welcome' id='open-own' href='/maps?open=1'><span class='art'>▦</span>"
    "<div><h3>Open my data</h3>"
    "<p>Measurement folders, image stacks, HDF5, NetCDF, Zarr, TIFF, MATLAB.</p></div></a>"
)


def build(visit: Visit) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    library = visit.library
    card = markup(_card(None))

    def find() -> Stack | None:
        address = library.example()
        return None if address is None else library.stack(address)

    def show(stack: Stack | None) -> None:
        card.object = _card(stack)

    visit.work.run(find, show, key="example")
    results = ResultList(library, visit.work, limit=6)
    return {
        "example": card,
        "own": markup(OWN),
        "how": markup(HOW),
        "recent": results.listing,
        "disk": results.disk,
    }


def _card(stack: Stack | None) -> str:
    if stack is None:
        return (
            "<a class='welcome' href='/maps'><span class='art'>▦</span>"
            "<div><h3>Example</h3><p>Opening …</p></div></a>"
        )
    lines = "".join(f"<p>{escape(line)}</p>" for line in facts_of(stack))
    return (
        f"<a class='welcome' id='open-example' href='/maps?{escape(urlencode({'data': stack.address}))}'>"
        f"<img src='{thumbnail(stack)}' alt='preview'><div><h3>{escape(stack.title)}</h3>{lines}</div></a>"
    )


PAGE: Final = Page(slug="", title="Welcome", body=BODY, build=build, in_navigation=False)
