"""The pages, in the order of the navigation; one line here adds one."""

from typing import Final

from dashboard.pages.base import Page
from dashboard.pages.image_classes.page import PAGE as IMAGE_CLASSES
from dashboard.pages.job_list import PAGE as JOBS
from dashboard.pages.maps.page import PAGE as MAPS
from dashboard.pages.mosaics.page import PAGE as MOSAICS
from dashboard.pages.nanoparticles.page import PAGE as NANOPARTICLES
from dashboard.pages.stored_results import PAGE as RESULTS
from dashboard.pages.value_maps.page import PAGE as VALUE_MAPS
from dashboard.pages.welcome import PAGE as WELCOME

PAGES: Final[tuple[Page, ...]] = (
    WELCOME,
    MAPS,
    VALUE_MAPS,
    MOSAICS,
    NANOPARTICLES,
    IMAGE_CLASSES,
    JOBS,
    RESULTS,
)
