"""The pages, in the order of the navigation; one line here adds one."""

from typing import Final

from dashboard.pages import jobs, maps, results, welcome
from dashboard.pages.base import Page

PAGES: Final[tuple[Page, ...]] = (welcome.PAGE, maps.PAGE, jobs.PAGE, results.PAGE)
