"""The Results page: the library of stored results, with search, open, delete, and disk use."""

from collections.abc import Mapping
from typing import Any, Final

from dashboard.pages.base import Page, PageContext
from dashboard.views.result_list import ResultList


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    results = ResultList(context.workspace, context.work)
    return {"search": results.search, "listing": results.listing, "disk": results.disk}


PAGE: Final = Page(slug="results", title="Results", layout="stored_results.html", build=build)
