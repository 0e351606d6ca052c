"""Clustering of map stacks: k-means, the number of clusters, and components. NaN-, mask- and weight-aware."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.cluster.analysis import KMeans
    from engine.cluster.decomposition import decompose
    from engine.cluster.model import KMeansModel
    from engine.cluster.number_of_clusters import ChoiceOfK, choose_k
    from engine.cluster.specks import remove_specks

__all__ = ["ChoiceOfK", "KMeans", "KMeansModel", "choose_k", "decompose", "remove_specks"]

_HOMES: Final = {
    "ChoiceOfK": "number_of_clusters",
    "choose_k": "number_of_clusters",
    "decompose": "decomposition",
    "KMeans": "analysis",
    "KMeansModel": "model",
    "remove_specks": "specks",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that naming the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
