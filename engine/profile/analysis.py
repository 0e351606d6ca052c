"""The analysis `profile`: position, width, height and area of the largest peak of each pixel's spectrum."""

from typing import ClassVar, Final

import numpy as np
import param
import xarray as xr

from engine import progress
from engine.analysis import Analysis, Model
from engine.profile import peak_fit
from engine.profile.model import SHAPES, ProfileModel, choose_image, error_inflation, sample_pixels, sort_axis
from engine.profile.result import NAMES
from engine.schema import MASK
from engine.schema.kinds import VALUE_MAP, ResultKind

AUTO: Final = "auto"
N_ROWS: Final = 32
"""Rows of pixels from which the shape of the peaks is chosen."""
N_COLUMNS: Final = 128


class Profile(Analysis):
    """Measure the largest peak of each pixel's spectrum: position, width, height and area, with errors.

    The peak is a Gaussian or a Lorentzian on a constant background. The errors are such that the value ± 1.96
    errors is a 95 % interval, where the noise is independent and the same in all channels and the shape is
    right; with the noise of counting it is too narrow (docs/profile.md).

    References
    ----------
    P. R. Bevington, D. K. Robinson, Data Reduction and Error Analysis for the Physical Sciences, 2003.
    """

    analysis: ClassVar[str] = "profile"
    title: ClassVar[str] = "Profile"
    kind: ClassVar[ResultKind] = VALUE_MAP
    page: ClassVar[str] = "profile"
    example: ClassVar[str] = "spectra/map.nc"
    model_class: ClassVar[type[Model]] = ProfileModel

    variable = param.String("", doc="Variable whose spectra are fitted; empty: the first.", label="variable")
    shape = param.Selector(
        default=AUTO,
        objects=[AUTO, *SHAPES],
        doc="Shape of the peak; auto: the one that fits a sample better.",
        label="shape of the peak",
        precedence=1,
    )
    min_snr = param.Number(
        3.0,
        bounds=(0.0, 1000.0),
        doc="Height of a peak over its standard error, at least; pixels below have no value.",
        label="least signal to noise",
        precedence=1,
    )
    zones = param.String("", doc="Stored class map of the same pixels; values are described per class.")

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> ProfileModel:
        """Choose the shape of the peak by a sample of the pixels.

        Parameters
        ----------
        images : Dataset, dims (spectral, y, x)
        labels
            Not needed.

        Raises
        ------
        InputError
            If there is no spectral dim, no such variable, or too few channels.
        """
        del labels
        image = choose_image(images, self.variable)
        progress.report(0.0, "choosing the shape of the peaks")
        shape = SHAPES.index(self.shape) if self.shape != AUTO else _choose_shape(image, images.get(MASK))
        return ProfileModel(
            analysis=self.analysis,
            settings=self.settings(),
            class_names=(),
            arrays={"shape": np.array(shape)},
            metadata={"shape": SHAPES[shape]},
        )


def _choose_shape(image: xr.DataArray, mask: xr.DataArray | None) -> int:
    """Return the index of the shape that leaves the smaller residual in most pixels of a sample."""
    axis, order = sort_axis(image)
    step = max(1, image.sizes[image.dims[-1]] // N_COLUMNS)
    values = sample_pixels(image, N_ROWS)[:, :, ::step].astype(np.float64)
    excluded = np.zeros(values.shape[1:], bool)
    if mask is not None:
        excluded = sample_pixels(mask.expand_dims("channel"), N_ROWS)[0, :, ::step].astype(bool)
    residuals = []
    for shape in range(len(SHAPES)):
        out = np.empty((len(NAMES), *values.shape[1:]), np.float32)
        values = np.ascontiguousarray(values)
        peak_fit.fit_tile(values, excluded, axis, order, shape, 0.0, error_inflation(), out)
        residuals.append(np.where(out[-1] > 0, out[-2], np.inf))
    gaussian, lorentzian = residuals
    return int((lorentzian < gaussian).sum() > (gaussian < lorentzian).sum())
