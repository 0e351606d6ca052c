"""k-means clustering of the pixels of a map stack by their spectra."""

from typing import ClassVar, Final

import numpy as np
import param
import xarray as xr

from engine import progress, schema
from engine.analysis import Analysis, Model, Settings
from engine.cluster.centroids import FINE, Grids, Totals
from engine.cluster.features import AUTO, KINDS, FeatureSpace, fit_features
from engine.cluster.fit_range import describe_images
from engine.cluster.minibatch import refine_in_batches
from engine.cluster.model import KMeansModel, _smooth_images
from engine.cluster.passes import PixelFeatures, incomplete, sum_clusters
from engine.cluster.sample import Sample, draw_sample
from engine.cluster.search import cluster_pixels
from engine.errors import InputError
from engine.schema.kinds import CLASS_MAP, ResultKind

SAMPLED: Final = "sampled"
MINIBATCH: Final = "minibatch"
LLOYD: Final = "lloyd"
IGNORE: Final = "ignore"
FILL: Final = "fill"
DROP: Final = "drop"

MAX_PASSES: Final = 100
SETTLED: Final = 1e-4
"""`sampled` stops once another pass would lower the inertia by less than this share."""


class KMeansTraining(Settings):
    """Settings that only concern the training of `KMeans`."""

    n_clusters = param.Integer(4, bounds=(1, 64), doc="Number of clusters.", label="classes", precedence=1)
    n_restarts = param.Integer(
        12, bounds=(1, 100), doc="How often the search starts from new centres; the best result is kept."
    )
    algorithm = param.Selector(
        objects=[SAMPLED, MINIBATCH, LLOYD],
        default=SAMPLED,
        doc="sampled: centres from a spread sample, then exact passes over all pixels until they hardly move."
        " minibatch: centres moved by random batches of rows. lloyd: exact passes until nothing moves.",
    )
    features = param.Selector(
        objects=list(KINDS),
        default=AUTO,
        doc="What pixels are compared by. raw: the values. standardised: each channel scaled to mean 0 and"
        " standard deviation 1. angles: Psi and Delta without the wrap at 360°. pca, nmf: the first"
        " components. auto: angles for ellipsometry, standardised otherwise.",
        precedence=2,
    )
    n_components = param.Integer(8, bounds=(1, 256), doc="Number of components for pca and nmf.")


class KMeans(KMeansTraining, Analysis):
    """Group the pixels of a stack into clusters of similar spectra.

    Pixels are compared by their `features`; spectra and exports are of the raw values all the same.
    Clusters are numbered by falling number of pixels in the images they were learned from.

    References
    ----------
    S. P. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982) 129. Missing values:
    partial distances, J. K. Dixon, IEEE Trans. Syst. Man Cybern. 9 (1979) 617.
    """

    analysis: ClassVar[str] = "kmeans"
    title: ClassVar[str] = "Maps"
    kind: ClassVar[ResultKind] = CLASS_MAP
    page: ClassVar[str] = "maps"
    example: ClassVar[str] = "maps"
    model_class: ClassVar[type[Model]] = KMeansModel
    training: ClassVar[type[Settings]] = KMeansTraining

    missing = param.Selector(
        objects=[IGNORE, FILL, DROP],
        default=IGNORE,
        doc="Pixels with missing values. ignore: compared by the values they have. fill: holes are filled"
        " from their neighbours to find the centres. drop: left out, without a label.",
        precedence=2,
    )
    smooth = param.Number(
        0.0,
        bounds=(0, 50),
        doc="Width (standard deviation, in pixels) of a Gaussian that smooths the images first; 0: none.",
    )
    min_area = param.Integer(
        0, bounds=(0, None), doc="Specks of fewer pixels than this take the label around them; 0: none do."
    )

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> "KMeansModel":  # noqa: ARG002
        """Find the clusters of images; eager.

        Parameters
        ----------
        images : Dataset
            Dims (y, x) or (spectral, y, x), NaN or infinite = missing; `mask` and `weights` are honoured.
        labels
            Not used: clusters are found without examples.

        Raises
        ------
        InputError
            If no pixel has a value, or there are fewer different pixels than clusters.
        """
        prepared = self._prepared(schema.check(images))
        with progress.stage(0.0, 0.25):
            sample = draw_sample(prepared)
        if self.missing == DROP:
            sample = _complete(sample)
        space = fit_features(
            prepared, sample, kind=self.features, n_components=self.n_components, seed=self.seed
        )
        centroids, totals = self._centroids(prepared, sample, space)
        order = np.argsort(-totals.counts, kind="stable")
        return KMeansModel(
            analysis=self.analysis,
            settings=self.settings(),
            class_names=tuple(f"cluster {number}" for number in range(1, self.n_clusters + 1)),
            arrays={"centroids": centroids[order] + space.origin, **space.arrays()},
            metadata={
                "features": space.kind,
                **describe_images(images),
                "counts": totals.counts[order].tolist(),
                "inertia": float(totals.inertia.sum()),
            },
        )

    def _prepared(self, images: xr.Dataset) -> xr.Dataset:
        if self.missing == FILL:
            from engine.preprocess.gaps import fill_gaps

            images = fill_gaps(images)
        return _smooth_images(images, self.smooth)

    def _centroids(
        self, images: xr.Dataset, sample: Sample, space: FeatureSpace
    ) -> tuple[np.ndarray, Totals]:
        """Centroids in the feature space, and the sums over the pixels nearest to them."""
        values = space.apply(sample.planes)
        weights = np.empty(0, np.float32) if sample.weights is None else sample.weights
        grids = Grids.of(values, weights)
        with progress.stage(0.25, 0.5):
            centroids = cluster_pixels(
                values, weights, n_clusters=self.n_clusters, n_restarts=self.n_restarts, seed=self.seed
            )
        pixels = PixelFeatures.of(images, space, drop=self.missing == DROP)
        begun = 0.5
        if self.algorithm == MINIBATCH:
            begun = 0.9
            with progress.stage(0.5, begun):
                centroids = refine_in_batches(images, pixels, centroids, seed=self.seed)
        elif sample.is_all and sample.weights is None:
            return centroids, Totals.of(values, weights, centroids, grids=grids)
        with progress.stage(begun, 1.0):
            return self._passes(images, pixels, centroids, grids)

    def _passes(
        self, images: xr.Dataset, pixels: PixelFeatures, centroids: np.ndarray, grids: Grids
    ) -> tuple[np.ndarray, Totals]:
        """Exact passes until the centroids are settled; the sums are those of the centroids returned."""
        tolerance = {SAMPLED: SETTLED, MINIBATCH: np.inf, LLOYD: FINE}[self.algorithm]
        for number in range(1, MAX_PASSES + 1):
            with progress.stage(1 - 2.0 ** (1 - number), 1 - 2.0**-number):
                totals = sum_clusters(
                    images, pixels, centroids, grids=grids, doing=f"clustering, pass {number}"
                )
            if totals.gain(centroids) <= tolerance:
                break
            centroids = totals.centroids(centroids)
        return centroids, totals


def _complete(sample: Sample) -> Sample:
    """Return the sample without the pixels that miss a value.

    Raises
    ------
    InputError
        If none is left.
    """
    kept = ~incomplete(sample.planes)
    if not kept.any():
        raise InputError(
            "missing='drop', but every pixel of the images misses a value in some channel;"
            " choose missing='ignore' or leave out the empty channels"
        )
    if kept.all():
        return sample
    planes = tuple(np.compress(kept, plane, axis=1) for plane in sample.planes)
    return Sample(planes, None if sample.weights is None else sample.weights[kept], sample.is_all)
