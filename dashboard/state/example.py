"""The example: segmented once, shown to whoever comes without asking for anything else."""

from collections.abc import Callable

from dashboard.state.library import Library, Result, Stack
from engine import pipeline
from engine.errors import MapstackError
from engine.recipe import Step
from engine.runtime import jobs


def example_segmentation(
    library: Library, analysis: str, load: Callable[[str, tuple[Step, ...]], Stack] | None = None
) -> tuple[Stack, Result]:
    """Return the example and its segmentation, map stacks into the recommended number of classes.

    Parameters
    ----------
    load
        Opens the data at an address; as the library does where not given.

    Raises
    ------
    MapstackError
        If nothing in the served folders can be opened, or its job failed.
    """
    address = library.example(analysis)
    if address is None:
        raise MapstackError("no example in the served folders can be opened; open your own data")
    stack = (load or library.stack)(address, ())
    recommended = library.choice_of_k(stack).recommended if analysis == "kmeans" else None
    settings = {} if recommended is None else {"n_clusters": recommended}
    recipe = pipeline.make_recipe(analysis, stack.source, **settings)
    job = jobs.submit(recipe, home=library.home, owner="example", pool=library.pool)
    job = jobs.wait(job.id, library.home)
    if job.error is not None:
        raise MapstackError(job.error)
    return stack, library.segmentation(job.id)
