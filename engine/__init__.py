"""Mapstack's engine: open map stacks lazily, segment them in parallel, store results that explain themselves.

    import engine
    images = engine.open("data_example/maps")
    result = engine.run("kmeans", images, n_clusters=5, seed=0)
    engine.save(result, "out.zarr")

Everything is loaded on first use, so that `import engine` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import engine.runtime.jobs as jobs
    from engine.export.store import write_result as save
    from engine.pipeline import edit, fit, load, run, undo
    from engine.readers import open_images as open  # noqa: A004  (engine.open is the contract's name)

__all__ = ["edit", "fit", "jobs", "load", "open", "run", "save", "undo"]

_FACE = {
    "open": "engine.readers:open_images",
    "save": "engine.export.store:write_result",
    "load": "engine.pipeline:load",
    "fit": "engine.pipeline:fit",
    "run": "engine.pipeline:run",
    "edit": "engine.pipeline:edit",
    "undo": "engine.pipeline:undo",
    "jobs": "engine.runtime.jobs",
}


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    from engine import catalogue

    value = globals()[name] = catalogue.load(_FACE[name])
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
