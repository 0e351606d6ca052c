"""The pages, in the order of the navigation; one line here adds one."""

from typing import Final

from dashboard.pages.base import Page
from dashboard.pages.jobs import PAGE as JOBS
from dashboard.pages.maps import PAGE as MAPS
from dashboard.pages.micrographs import PAGE as MICROGRAPHS
from dashboard.pages.mosaics import PAGE as MOSAICS
from dashboard.pages.particles import PAGE as PARTICLES
from dashboard.pages.results import PAGE as RESULTS
from dashboard.pages.welcome import PAGE as WELCOME

PAGES: Final[tuple[Page, ...]] = (WELCOME, MAPS, MOSAICS, PARTICLES, MICROGRAPHS, JOBS, RESULTS)
