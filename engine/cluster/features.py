"""Features by which pixels are compared: the raw values, or values computed from them.

`raw`
    The values themselves.
`standardised`
    Each channel shifted and scaled to mean 0 and standard deviation 1 over the pixels, so that bright or
    strongly varying channels do not drown the others. A channel that varies less than a tenth of the
    root-mean-square deviation of its variable's channels is scaled as if it varied that much: an almost
    empty channel is noise, and one count in it must not outweigh a spectrum.
`angles`
    For ellipsometry: cos 2Ψ, sin 2Ψ cos Δ and sin 2Ψ sin Δ, the Stokes parameters N, C, S of the sample.
    Bounded, without Delta's wrap at 360°, and Delta counts less where Psi makes it uncertain.
`pca`, `nmf`
    The first components of the standardised values, or of the values shifted to be non-negative.

References
----------
N, C, S: H. Fujiwara, Spectroscopic Ellipsometry, Wiley 2007, eq. 4.17 (isotropic sample).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.cluster.projection import project
from engine.cluster.sample import Sample
from engine.errors import InputError
from engine.schema import DELTA, PSI, image_variables, is_ellipsometry

RAW: Final = "raw"
STANDARDISED: Final = "standardised"
ANGLES: Final = "angles"
PCA: Final = "pca"
NMF: Final = "nmf"
AUTO: Final = "auto"
QUIET: Final = 0.1
"""Least deviation by which a channel is scaled, in root-mean-square deviations of its variable."""
KINDS: Final = (AUTO, RAW, STANDARDISED, ANGLES, PCA, NMF)


@dataclass(frozen=True)
class FeatureSpace:
    """Transform from raw values to features; learned from a sample, the same for all tiles.

    Attributes
    ----------
    kind : str
        One of `raw standardised angles pca nmf`.
    variables : tuple of str
        The image variables, in the order in which planes are given.
    offset, scale : ndarray, dims (channel,), float64
        Channels, or for `angles` features, are taken as `(value - offset) * scale`.
    components : ndarray, dims (feature, channel), float64
        For `pca` and `nmf` what the scaled channels are multiplied with; empty otherwise.
    """

    kind: str
    variables: tuple[str, ...]
    offset: np.ndarray = field(repr=False)
    scale: np.ndarray = field(repr=False)
    components: np.ndarray = field(repr=False)

    @property
    def n_features(self) -> int:
        """Number of features of a pixel."""
        return len(self.components) if self.components.size else len(self.offset)

    @property
    def origin(self) -> np.ndarray:
        """Value of a feature of 0: the offset for `raw`, whose centroids have the data's units."""
        return self.offset if self.kind == RAW else np.zeros(self.n_features)

    def apply(self, planes: Sequence[np.ndarray]) -> np.ndarray:
        """Return the features of pixels.

        Parameters
        ----------
        planes : sequence of ndarray, dims (channel, ...)
            Values of each variable.

        Returns
        -------
        ndarray, dims (feature, pixel), float32
            Not finite where a value is missing. With components, a missing value counts as the mean
            of its channel; only pixels without any value have no features.
        """
        flat = [plane.reshape(len(plane), -1) for plane in planes]
        return np.asarray(_TRANSFORMS[self.kind](self, flat))

    @property
    def linear(self) -> np.ndarray:
        """Offsets and scales of `raw` and `standardised` features, dims (2, feature), float32."""
        return np.stack([self.offset, self.scale]).astype(np.float32)

    def is_linear(self, tiles: Sequence[np.ndarray]) -> bool:
        """Return whether features are `(tile - offset) * scale` of one tile, exactly as `apply` computes."""
        if self.kind not in (RAW, STANDARDISED) or len(tiles) != 1 or tiles[0].dtype != np.float32:
            return False
        *_, row, column = tiles[0].strides
        return column == tiles[0].itemsize and row == column * tiles[0].shape[-1]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a model stores."""
        return {"offset": self.offset, "scale": self.scale, "components": self.components}

    @classmethod
    def restored(
        cls, kind: str, variables: Sequence[str], arrays: Mapping[str, np.ndarray]
    ) -> "FeatureSpace":
        """Return the space whose `arrays` were stored.

        Parameters
        ----------
        kind : str
            `raw`, `standardised`, `angles`, `pca` or `nmf`.
        variables : sequence of str
            Names of the image variables.
        arrays : mapping of str to ndarray
            What was learned, by name.
        """
        return cls(kind, tuple(variables), *(arrays[name] for name in ("offset", "scale", "components")))


def fit_features(
    images: xr.Dataset, sample: Sample, *, kind: str = AUTO, n_components: int = 8, seed: int = 0
) -> FeatureSpace:
    """Learn the feature space of images from their sample.

    Parameters
    ----------
    images : Dataset
        Asked for the variables only.
    sample : Sample
        Of these images.
    kind : str
        One of `KINDS`; `auto` is `angles` for ellipsometry and `standardised` otherwise.
    n_components : int
        For `pca` and `nmf`.

    Raises
    ------
    InputError
        If `angles` is asked for images without Delta and Psi, or more components than channels.
    """
    names = image_variables(images)
    kind = resolve_kind(images, kind)
    if kind == ANGLES:
        n_features = 3 * len(sample.planes[names.index(PSI)])
        return FeatureSpace(kind, tuple(names), np.zeros(n_features), np.ones(n_features), np.empty((0, 0)))
    offset, deviation = channel_moments(sample)
    scale = np.ones_like(offset) if kind == RAW else _scales(sample, deviation)
    if kind == NMF:
        offset = np.concatenate([np.nanmin(plane, axis=1) for plane in sample.planes]).astype(np.float64)
    scaled = FeatureSpace(STANDARDISED, tuple(names), offset, scale, np.empty((0, 0)))
    components = _components(scaled, sample, kind, n_components, seed)
    return FeatureSpace(kind, tuple(names), offset, scale, components)


def _scales(sample: Sample, deviation: np.ndarray) -> np.ndarray:
    """Return one over the channels' deviations, those of a variable's quietest channels lifted to `QUIET`."""
    first = np.cumsum([0, *(len(plane) for plane in sample.planes)])
    scales = np.ones_like(deviation)
    for part in map(slice, first[:-1], first[1:]):
        least = QUIET * np.sqrt(np.square(deviation[part]).mean())
        scales[part] = 1 / np.maximum(deviation[part], least) if least > 0 else 1
    return scales


def resolve_kind(images: xr.Dataset, kind: str) -> str:
    """Return the kind of features that `kind` means for these images.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    kind : str
        Kind of features.

    Raises
    ------
    InputError
        If `angles` is asked for images without Delta and Psi.
    """
    if kind == AUTO:
        return ANGLES if is_ellipsometry(images) else STANDARDISED
    if kind == ANGLES and not is_ellipsometry(images):
        raise InputError(
            f"features 'angles' need the variables {DELTA!r} and {PSI!r}, the images have"
            f" {', '.join(image_variables(images))}; choose 'standardised' or 'raw'"
        )
    return kind


def channel_moments(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel over the valid values of a sample, in float64.

    The means are rounded to float32, so that a shift by them is the same in either precision.
    """
    means, deviations = [], []
    for plane in sample.planes:
        for channel in plane:
            valid = channel[~np.isnan(channel)].astype(np.float64)
            means.append(np.float64(np.float32(valid.mean())) if valid.size else 0.0)
            deviations.append(valid.std() if valid.size else 0.0)
    return np.array(means), np.array(deviations)


def _components(scaled: FeatureSpace, sample: Sample, kind: str, n_components: int, seed: int) -> np.ndarray:
    """Return the matrix that turns scaled channels into components; empty for the kinds without."""
    if kind not in (PCA, NMF):
        return np.empty((0, 0))
    values = np.nan_to_num(scaled.apply(sample.planes)).astype(np.float64)
    if n_components > min(values.shape):
        raise InputError(
            f"n_components={n_components}, but the images have {values.shape[0]} channels"
            f" and the sample {values.shape[1]} pixels; ask for at most {min(values.shape)}"
        )
    if kind == PCA:
        return _principal_axes(values)[:n_components]
    from sklearn import decomposition

    thinned = values[:, :: max(1, values.shape[1] // 2**14)]
    parts = decomposition.NMF(n_components, init="nndsvda", random_state=seed, max_iter=400).fit(thinned.T)
    # The pseudo-inverse gives the least-squares abundances without a search per pixel.
    return np.asarray(np.linalg.pinv(parts.components_).T)


def _principal_axes(values: np.ndarray) -> np.ndarray:
    """Eigenvectors of the channels' covariance, largest first, each with its largest part positive."""
    _, vectors = np.linalg.eigh(np.cov(values))
    axes = vectors.T[::-1]
    largest = np.abs(axes).argmax(axis=1)
    return np.asarray(axes * np.sign(axes[np.arange(len(axes)), largest])[:, None])


def _scale_tile(space: FeatureSpace, planes: list[np.ndarray]) -> np.ndarray:
    """Shift and scale each channel into one float32 array, without another copy of the values."""
    out = np.empty((len(space.offset), planes[0].shape[1]), np.float32)
    start = 0
    for plane in planes:
        part = slice(start, start + len(plane))
        kind = plane.dtype if plane.dtype.kind == "f" else np.dtype(np.float64)
        np.subtract(plane, space.offset[part, None].astype(kind), out=out[part], casting="same_kind")
        start += len(plane)
    if space.kind != RAW:
        out *= space.scale[:, None].astype(np.float32)
    return out


def _angles(space: FeatureSpace, planes: list[np.ndarray]) -> np.ndarray:
    """N = cos 2Ψ, C = sin 2Ψ cos Δ, S = sin 2Ψ sin Δ of every channel, each a third of the features."""
    psi, delta = (planes[space.variables.index(name)] for name in (PSI, DELTA))
    psi, delta = (np.radians(angle, dtype=np.float32) for angle in (2 * psi, delta))
    across = np.sin(psi)
    return np.concatenate([np.cos(psi), across * np.cos(delta), across * np.sin(delta)])


def _project_tile(space: FeatureSpace, planes: list[np.ndarray]) -> np.ndarray:
    """Components of the scaled channels; a missing value counts as its channel's offset."""
    values = _scale_tile(space, planes)
    missing = ~np.isfinite(values)
    values[missing] = 0
    features: np.ndarray = project(values, space.components.astype(np.float32))
    features[:, missing.all(axis=0)] = np.nan
    return features


_TRANSFORMS: Final[Mapping[str, Any]] = {
    RAW: _scale_tile,
    STANDARDISED: _scale_tile,
    ANGLES: _angles,
    PCA: _project_tile,
    NMF: _project_tile,
}
