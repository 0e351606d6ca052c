"""Model of a clustering: centroids and the feature space they are in."""

from typing import Final

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import schema
from engine.analysis import Model
from engine.cluster.features import FeatureSpace
from engine.cluster.fit_range import check_same_kind
from engine.cluster.passes import PixelFeatures, label_pixels
from engine.cluster.specks import remove_specks
from engine.schema import PIXEL

DROP: Final = "drop"


class KMeansModel(Model):
    """Centroids of clusters and the feature space they are in."""

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Label every pixel with its nearest cluster; lazy.

        Confidence is (d2 - d1) / (d2 + d1) from the distances to the nearest and the second centre.

        Raises
        ------
        InputError
            If the images have other variables or another spectral axis than those of the fit.
        """
        from engine.statistics import describe

        check_same_kind(self.metadata, schema.check(images))
        space = FeatureSpace.restored(
            self.metadata["features"], list(self.metadata["variables"]), self.arrays
        )
        smoothed = _smooth_images(images, self.settings["smooth"])
        pixels = PixelFeatures.of(smoothed, space, drop=self.settings["missing"] == DROP)
        centroids = np.asarray(self.arrays["centroids"] - space.origin, np.float32)
        labels, confidence = label_pixels(smoothed, pixels, centroids)
        if self.settings["min_area"] > 1:
            labels = _remove_specks(labels, self.settings["min_area"])
        coords = {name: coord for name, coord in images.coords.items() if set(coord.dims) <= set(PIXEL)}
        return describe(
            images,
            xr.DataArray(labels, dims=PIXEL, coords=coords),
            xr.DataArray(confidence, dims=PIXEL, coords=coords),
            names=self.names,
        )


def _smooth_images(images: xr.Dataset, sigma: float) -> xr.Dataset:
    if sigma == 0:
        return images
    from engine.preprocess.smooth import smooth

    smoothed: xr.Dataset = smooth(images, sigma=sigma)
    return smoothed


def _remove_specks(labels: da.Array, min_area: int) -> da.Array:
    """Return the whole map in one task, so that a speck is the same speck for any chunking; lazy."""
    whole = dask.delayed(remove_specks)(labels.rechunk(-1), min_area=min_area)
    return da.from_delayed(whole, labels.shape, labels.dtype).rechunk(labels.chunks)
