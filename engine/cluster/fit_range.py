"""Facts of the images that a model was fitted on, and a check of other images against them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema import image_variables, spectral_dim


def describe_images(images: xr.Dataset) -> dict[str, Any]:
    """Variables with their units, and the spectral axis, ready for JSON.

    Returns
    -------
    dict
        `variables`: units by name; `spectral`: None or `{dim, units, values}`.
    """
    dim = spectral_dim(images)
    axis = None
    if dim is not None:
        coord = images[dim] if dim in images.coords else None
        values = np.arange(images.sizes[dim]) if coord is None else coord.values
        units = "" if coord is None else str(coord.attrs.get("units", ""))
        axis = {"dim": dim, "units": units, "values": values.tolist()}
    variables = {name: str(images[name].attrs.get("units", "")) for name in image_variables(images)}
    return {"variables": variables, "spectral": axis}


def check_same_kind(fitted: Mapping[str, Any], images: xr.Dataset) -> None:
    """Check that images can be given to a model whose metadata is `fitted`.

    Parameters
    ----------
    fitted : mapping
        Metadata of the model.
    images : Dataset, dims ([spectral,] y, x)
        The images.

    Raises
    ------
    InputError
        Saying what differs: the variables, their units, or the spectral axis.
    """
    given = describe_images(images)
    if set(given["variables"]) != set(fitted["variables"]):
        raise InputError(
            f"the model was fitted on the variables {_join_names(fitted['variables'])}, the images have"
            f" {_join_names(given['variables'])}; give images of the same kind or fit a new model"
        )
    for name, units in fitted["variables"].items():
        if units and given["variables"][name] and given["variables"][name] != units:
            raise InputError(
                f"{name!r} is in {given['variables'][name]}, the model was fitted on {units};"
                " convert it or fit a new model"
            )
    if not _same_axis(fitted["spectral"], given["spectral"]):
        raise InputError(
            f"the model was fitted on {_axis(fitted['spectral'])}, the images have"
            f" {_axis(given['spectral'])}; give images with the same channels or fit a new model"
        )


def _same_axis(fitted: Mapping[str, Any] | None, given: Mapping[str, Any] | None) -> bool:
    if fitted is None or given is None:
        return fitted is given
    alike = all(fitted[key] == given[key] for key in ("dim", "units"))
    if not alike or len(fitted["values"]) != len(given["values"]):
        return False
    if isinstance(fitted["values"][0], str):
        return list(fitted["values"]) == list(given["values"])
    return bool(np.allclose(fitted["values"], given["values"], rtol=1e-4))


def _axis(axis: Mapping[str, Any] | None) -> str:
    if axis is None:
        return "plain images without a spectral axis"
    values = axis["values"]
    return f"{len(values)} channels along {axis['dim']} ({values[0]}…{values[-1]} {axis['units']})".replace(
        " )", ")"
    )


def _join_names(names: Mapping[str, str]) -> str:
    return ", ".join(names)
