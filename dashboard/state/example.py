"""The example: segmented once, shown to whoever comes without asking for anything else."""

from collections.abc import Callable, Mapping
from typing import Final

from dashboard.state.library import Library, Result, Stack
from dashboard.state.micrographs import collection
from dashboard.state.pictures import opened_pictures
from engine import catalogue, pipeline
from engine.analysis import shipped_model
from engine.errors import MapstackError
from engine.runtime import jobs

OPENED: Final[Mapping[str, Callable[[Library, str], Stack]]] = {
    "particles": collection,
    "micrographs": opened_pictures,
}
"""How the data of an analysis are opened, where that is not the library's own way."""


def opened(library: Library, analysis: str, address: str) -> Stack:
    """Open data as the page of an analysis shows them."""
    return OPENED.get(analysis, Library.stack)(library, address)


def example_segmentation(library: Library, analysis: str) -> tuple[Stack, Result]:
    """Return the example and its segmentation, map stacks into the recommended number of classes.

    Raises
    ------
    MapstackError
        If nothing in the served folders can be opened, there is no model for it, or its job failed.
    """
    if catalogue.find("analyses", analysis).needs_labels and shipped_model(analysis) is None:
        raise MapstackError("there is no model to show an example with; open your own data and train one")
    address = library.example(analysis)
    if address is None:
        raise MapstackError("no example in the served folders can be opened; open your own data")
    stack = opened(library, analysis, address)
    recommended = library.choice_of_k(stack).recommended if analysis == "kmeans" else None
    settings = {} if recommended is None else {"n_clusters": recommended}
    recipe = pipeline.make_recipe(analysis, stack.source, **settings)
    job = jobs.submit(recipe, home=library.home, owner="example", pool=library.pool)
    job = jobs.wait(job.id, library.home)
    if job.error is not None:
        raise MapstackError(job.error)
    return stack, library.segmentation(job.id)
