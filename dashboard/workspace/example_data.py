"""The example: analysed once, shown to whoever comes without asking for anything else."""

from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.image_collection import open_data
from dashboard.workspace.workspace import Workspace
from engine import catalogue, pipeline
from engine.analysis import find_shipped_model
from engine.errors import MapstackError


def open_example(workspace: Workspace, analysis: str) -> tuple[Stack, Result]:
    """Return the example and its result, map stacks in the recommended number of classes.

    Parameters
    ----------
    workspace
        In whose roots the example is looked for.
    analysis
        Name of the analysis in the catalogue.

    Returns
    -------
    tuple of Stack and Result
        The data, opened, and the result of a job that is run if there is none yet.

    Raises
    ------
    MapstackError
        If nothing in the served folders can be opened, there is no model for it, or its job failed.
    """
    if catalogue.find("analyses", analysis).needs_labels and find_shipped_model(analysis) is None:
        raise MapstackError("there is no model to show an example with; open your own data and train one")
    address = workspace.find_example(analysis)
    if address is None:
        raise MapstackError("no example in the served folders can be opened; open your own data")
    stack = open_data(workspace, analysis, address)
    recommended = workspace.cache.recommend_k(stack).recommended if analysis == "kmeans" else None
    settings = {} if recommended is None else {"n_clusters": recommended}
    return stack, workspace.run(pipeline.make_recipe(analysis, stack.source, **settings))
