"""The example: segmented once, shown to whoever comes without asking for anything else."""

from collections.abc import Callable, Mapping
from typing import Final

from dashboard.workspace.workspace import Workspace, Result, Stack
from dashboard.pages.nanoparticles.state import open_collection
from dashboard.pages.image_classes.state import open_image_folder
from engine import catalogue, pipeline
from engine.analysis import shipped_model
from engine.errors import MapstackError
from engine.runtime import jobs

OPENED: Final[Mapping[str, Callable[[Workspace, str], Stack]]] = {
    "particles": open_collection,
    "micrographs": open_image_folder,
}
"""How the data of an analysis are opened, where that is not the library's own way."""


def open_data(workspace: Workspace, analysis: str, address: str) -> Stack:
    """Open data as the page of an analysis shows them."""
    return OPENED.get(analysis, Workspace.stack)(workspace, address)


def open_example(workspace: Workspace, analysis: str) -> tuple[Stack, Result]:
    """Return the example and its segmentation, map stacks into the recommended number of classes.

    Raises
    ------
    MapstackError
        If nothing in the served folders can be opened, there is no model for it, or its job failed.
    """
    if catalogue.find("analyses", analysis).needs_labels and shipped_model(analysis) is None:
        raise MapstackError("there is no model to show an example with; open your own data and train one")
    address = workspace.example(analysis)
    if address is None:
        raise MapstackError("no example in the served folders can be opened; open your own data")
    stack = open_data(workspace, analysis, address)
    recommended = workspace.choice_of_k(stack).recommended if analysis == "kmeans" else None
    settings = {} if recommended is None else {"n_clusters": recommended}
    recipe = pipeline.make_recipe(analysis, stack.source, **settings)
    job = jobs.submit(recipe, home=workspace.home, owner="example", pool=workspace.pool)
    job = jobs.wait(job.id, workspace.home)
    if job.error is not None:
        raise MapstackError(job.error)
    return stack, workspace.open_result(job.id)
