"""The Results page: the library of stored results, with search, open, delete, and disk use."""

from collections.abc import Mapping
from typing import Any, Final

from dashboard.pages.base import Page, PageContext
from dashboard.views.result_list import ResultList

BODY: Final = """
<div class="sheet"><div>
  <h1>Results</h1>
  <p>Everything that was computed on this server; nothing is computed twice.</p>
  {{ embed(roots.search) }}
  {{ embed(roots.listing) }}
  <p></p>
  {{ embed(roots.disk) }}
</div></div>
"""


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    results = ResultList(context.workspace, context.work)
    return {"search": results.search, "listing": results.listing, "disk": results.disk}


PAGE: Final = Page(slug="results", title="Results", body=BODY, build=build)
