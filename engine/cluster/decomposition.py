"""Principal and non-negative components of spectral cubes, as maps and as spectra."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr
from numba import njit

from engine import blocks
from engine.cluster.sample import Sample, draw_sample
from engine.errors import InputError
from engine.schema import CHANNEL, MASK, PERIODS, PIXEL, image_variables, spectral_dim

SCORES: Final = "scores"
SOURCE_CHANNEL: Final = "source_channel"
"""Dim of the components' spectra where the images' own spectral dim is called like the components'."""
NMF_PIXELS: Final = 2**14
SWEEPS: Final = 500
TOLERANCE: Final = 1e-7


@dataclass(frozen=True)
class Components:
    """Layout of the scores; channels of all image variables one after another.

    Attributes
    ----------
    offset : ndarray (channel,)
        Taken off before the projection: the mean spectrum for PCA, 0 for NMF.
    spectra : ndarray (component, channel)
        Of unit length.
    variance, share : ndarray (component,)
        Of the values, explained by each component, and that over the total.
    """

    offset: np.ndarray = field(repr=False)
    spectra: np.ndarray = field(repr=False)
    variance: np.ndarray
    share: np.ndarray


def decompose(images: xr.Dataset, *, method: str = "pca", n_components: int = 8, seed: int = 0) -> xr.Dataset:
    """Components of a cube: their spectra at once, their maps lazily.

    Pixels with a missing value, and excluded ones, are not fitted and have no scores (fill the gaps first
    where that matters). Angles enter PCA as deviations from their circular mean, the short way round.

    Parameters
    ----------
    images : Dataset
    method : {"pca", "nmf"}
        `pca`: eigenvectors of the covariance over all pixels, summed in float64 tile by tile. `nmf`: fitted
        on a spread sample, then each pixel's non-negative least squares; negative values count as 0.
    n_components
        At most the number of channels.
    seed
        Of the start of `nmf`.

    Returns
    -------
    Dataset
        `scores (channel, y, x)`, one channel a component, largest first; for each variable
        `<variable>_component (channel, spectral)` and `<variable>_offset (spectral)`;
        `explained_variance` and `explained_variance_ratio (channel)`. For `nmf`, whose components are not
        orthogonal, they are the mean square of each component's part of the values, which add up to no whole.
        The largest value of a component is positive, so that the same data give the same signs.

    Raises
    ------
    InputError
        If the method is unknown, there are too many components, or too few complete pixels.

    References
    ----------
    PCA: Jolliffe 2002. NMF: Lee & Seung, Nature 401, 788 (1999).
    """
    if method not in FITS:
        raise InputError(f"method {method!r}; expected one of {', '.join(FITS)}")
    periods = _channel_periods(images)
    if not 1 <= n_components <= periods.size:
        raise InputError(
            f"n_components={n_components}; expected 1 to {periods.size}, the number of channels of the images"
        )
    found = FITS[method](images, draw_sample(images), periods, n_components, seed)
    return _as_dataset(images, found, _scores(images, found, periods, method), method)


def _channel_periods(images: xr.Dataset) -> np.ndarray:
    """Return the length of the circle of each channel, 0 for a line."""
    sizes = [int(np.prod(images[name].shape[:-2])) for name in image_variables(images)]
    periods = [PERIODS.get(name, 0.0) for name in image_variables(images)]
    return np.repeat(periods, sizes)


def _complete(sample: Sample) -> np.ndarray:
    """Return the pixels of a sample without missing values, `(channel, pixel)`, float64."""
    values = np.concatenate(sample.planes).astype(np.float64)
    complete = values[:, np.isfinite(values).all(axis=0)]
    if complete.shape[1] < 2:
        raise InputError("fewer than two pixels have a value in every channel; fill the gaps first")
    return complete


def _fit_pca(
    images: xr.Dataset, sample: Sample, periods: np.ndarray, n_components: int, _seed: int
) -> Components:
    """Covariance of all complete pixels about a fixed place, the sample's mean: one pass, no cancellation."""
    place = _centre(_complete(sample), periods)
    arrays = _tiles(images)
    summed = blocks.reduce_tiles(_tile_moments, _add_moments, *arrays, place=place, periods=periods)
    (moments,) = blocks.compute(summed, doing="finding components")
    count, total, products = moments
    mean = total / count
    covariance = (products - count * np.outer(mean, mean)) / max(1.0, count - 1)
    values, vectors = np.linalg.eigh(covariance)
    variance = np.maximum(values[::-1], 0.0)
    whole = variance.sum() or 1.0
    spectra = _fix_signs(vectors.T[::-1][:n_components])
    offset = np.where(periods > 0, (place + mean) % np.where(periods > 0, periods, 1), place + mean)
    return Components(offset, spectra, variance[:n_components], variance[:n_components] / whole)


def _centre(values: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the mean of each channel, on circles the direction of the mean."""
    turn = np.where(periods > 0, periods, 1.0)[:, None]
    radian = values * (2 * np.pi / turn)
    direction = np.arctan2(np.sin(radian).mean(axis=1), np.cos(radian).mean(axis=1)) / (2 * np.pi)
    return np.asarray(np.where(periods > 0, direction * turn[:, 0], values.mean(axis=1)))


def _fix_signs(spectra: np.ndarray) -> np.ndarray:
    """Return each spectrum with its largest part positive."""
    largest = np.abs(spectra).argmax(axis=1)
    signs = np.sign(spectra[np.arange(len(spectra)), largest])
    return np.asarray(spectra * np.where(signs == 0, 1, signs)[:, None])


def _fit_nmf(
    _images: xr.Dataset, sample: Sample, _periods: np.ndarray, n_components: int, seed: int
) -> Components:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    values = np.maximum(_complete(sample), 0.0)
    values = values[:, :: -(-values.shape[1] // NMF_PIXELS)].T
    init = "nndsvda" if n_components <= min(values.shape) else "random"
    fitted = NMF(n_components, init=init, random_state=seed, max_iter=500, tol=1e-4)
    with warnings.catch_warnings():  # where it stops at the last sweep it is still the same for a seed
        warnings.simplefilter("ignore", ConvergenceWarning)
        abundances = fitted.fit_transform(values)
    length = np.linalg.norm(fitted.components_, axis=1)
    spectra = fitted.components_ / np.where(length > 0, length, 1)[:, None]
    power = (abundances**2).mean(axis=0) * length**2
    order = np.argsort(-power, kind="stable")
    whole = float((values**2).sum(axis=1).mean()) or 1.0
    return Components(np.zeros(values.shape[1]), spectra[order], power[order], power[order] / whole)


FITS: Final = {"pca": _fit_pca, "nmf": _fit_nmf}


def _tiles(images: xr.Dataset) -> list[da.Array]:
    """Return the tiles of all image variables, and of the mask where there is one."""
    names = [*image_variables(images), *([MASK] if MASK in images else [])]
    return [blocks.as_tiles(images[name]) for name in names]


def _pixels(tiles: Sequence[np.ndarray], n_channels: int) -> np.ndarray:
    """Return values `(channel, pixel)` in float64, all NaN for a pixel that is incomplete or excluded."""
    n_pixels = tiles[0].shape[-2] * tiles[0].shape[-1]
    flat = np.concatenate([np.asarray(t, dtype=np.float64).reshape(-1, n_pixels) for t in tiles])
    values, mask = flat[:n_channels], flat[n_channels:]
    values[:, ~np.isfinite(values).all(axis=0) | mask.any(axis=0)] = np.nan
    return values


def _deviations(values: np.ndarray, place: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the values less a place, the short way round on circles."""
    values -= place[:, None]
    for channel in np.flatnonzero(periods):
        turn = periods[channel]
        values[channel] -= turn * np.floor(values[channel] / turn + 0.5)
    return values


def _tile_moments(*tiles: np.ndarray, place: np.ndarray, periods: np.ndarray) -> list[Any]:
    values = _pixels(tiles, place.size)
    values = _deviations(values[:, np.isfinite(values[0])], place, periods)
    return [float(values.shape[1]), values.sum(axis=1), values @ values.T]


def _add_moments(parts: list[list[Any]]) -> list[Any]:
    return [sum(terms[1:], start=terms[0]) for terms in zip(*parts, strict=True)]


def _scores(images: xr.Dataset, found: Components, periods: np.ndarray, method: str) -> da.Array:
    kernel = {"pca": _project_tile, "nmf": _abundances}[method]
    return blocks.map_tiles(
        kernel,
        *_tiles(images),
        dtype=np.float32,
        leading=(len(found.spectra),),
        found=found,
        periods=periods,
    )


def _project_tile(*tiles: np.ndarray, found: Components, periods: np.ndarray) -> np.ndarray:
    values = _deviations(_pixels(tiles, periods.size), found.offset, periods)
    scores = np.asarray(found.spectra @ values, np.float32)
    return scores.reshape(-1, *tiles[0].shape[-2:])


def _abundances(*tiles: np.ndarray, found: Components, periods: np.ndarray) -> np.ndarray:
    values = np.maximum(_pixels(tiles, periods.size), 0.0)
    gram = found.spectra @ found.spectra.T
    weights = nonnegative_least_squares(gram, found.spectra @ values, SWEEPS, TOLERANCE)
    return np.asarray(weights, np.float32).reshape(-1, *tiles[0].shape[-2:])


@njit(cache=True, nogil=True, error_model="numpy")
def nonnegative_least_squares(gram, projections, n_sweeps, tolerance):  # type: ignore[no-untyped-def]
    """Non-negative weights of each pixel by coordinate descent (Franc, Hlavac & Navara, CAIP 2005).

    `gram (component, component)` of the spectra, `projections (component, pixel)` of the pixels on them;
    NaN in, NaN out.
    """
    n_components, n_pixels = projections.shape
    weights = np.zeros((n_components, n_pixels))
    for p in range(n_pixels):
        if np.isnan(projections[0, p]):
            weights[:, p] = np.nan
            continue
        for _ in range(n_sweeps):
            change = 0.0
            largest = 0.0
            for k in range(n_components):
                if gram[k, k] == 0:
                    continue
                slope = -projections[k, p]
                for j in range(n_components):
                    slope += gram[k, j] * weights[j, p]
                new = max(0.0, weights[k, p] - slope / gram[k, k])
                change = max(change, abs(new - weights[k, p]))
                weights[k, p] = new
                largest = max(largest, new)
            if change <= tolerance * largest:
                break
    return weights


def _as_dataset(images: xr.Dataset, found: Components, scores: da.Array, method: str) -> xr.Dataset:
    names = image_variables(images)
    units = {images[name].attrs.get("units", "1") for name in names}
    unit = units.pop() if len(units) == 1 else "1"
    spectral = spectral_dim(images)
    dim = SOURCE_CHANNEL if spectral == CHANNEL else spectral
    described = {"units": unit, "long_name": f"{method.upper()} score"}
    variables: dict[str, Any] = {SCORES: ((CHANNEL, *PIXEL), scores, described)}
    start = 0
    for name in names:
        part = slice(start, start := start + int(np.prod(images[name].shape[:-2])))
        where = (dim,) if dim else ()
        shape = tuple(images.sizes[spectral] for _ in where)
        spectra = found.spectra[:, part].reshape(-1, *shape)
        variables[f"{name}_component"] = ((CHANNEL, *where), spectra, {"units": "1"})
        offset = found.offset[part].reshape(shape)
        variables[f"{name}_offset"] = (where, offset, {"units": images[name].attrs.get("units", "1")})
    variables["explained_variance"] = (CHANNEL, found.variance, {"units": f"{unit}²" if unit != "1" else "1"})
    variables["explained_variance_ratio"] = (CHANNEL, found.share, {"units": "1"})
    coords: dict[str, Any] = {d: images.coords[d] for d in PIXEL if d in images.coords}
    coords[CHANNEL] = (
        CHANNEL,
        np.arange(1, len(found.spectra) + 1),
        {"units": "1", "long_name": "component"},
    )
    if spectral in images.coords:
        axis = images.coords[str(spectral)]
        coords[str(dim)] = (str(dim), axis.values, dict(axis.attrs))
    return xr.Dataset(variables, coords, dict(images.attrs))
