"""The 874 numbers by which the quantum-dot pipeline classified a crop, for comparison.

A centre cut of 20 x 20 pixels and of its local binary pattern [1]_, a histogram of the logarithm of the
spectrum, size and number of blobs (Laplacian of Gaussian), a histogram of the Sobel edges, mean and standard
deviation. They depend on the scale and the orientation of the crop.

References
----------
.. [1] T. Ojala, M. Pietikäinen, T. Mäenpää, Multiresolution gray-scale and rotation invariant texture
   classification with local binary patterns, IEEE Trans. Pattern Anal. Mach. Intell. 24 (2002) 971-987.
"""

from typing import Final

import numpy as np

CUT: Final = 20
N_FEATURES: Final = 874


def prior_features(crop: np.ndarray) -> np.ndarray:
    """Numbers of a crop `(y, x)`, `(874,)` float32; smaller crops than the cut are mirrored at the edges."""
    from skimage.feature import blob_log, local_binary_pattern
    from skimage.filters import sobel

    values = np.asarray(crop, np.float64)
    spread = np.ptp(values)
    values = (values - values.min()) / spread if spread else np.zeros_like(values)
    patterns = local_binary_pattern((255 * values).astype(np.uint8), 8, 1)  # type: ignore[no-untyped-call]
    spectrum = np.log2(np.abs(np.fft.fft2(values)) + 1e-6)
    blobs = blob_log(values, max_sigma=10, num_sigma=5, threshold=0.1)  # type: ignore[no-untyped-call]
    edges = sobel(values)  # type: ignore[no-untyped-call]
    parts = [
        _centre(values),
        _centre(patterns),
        np.histogram(spectrum, 20, density=True)[0],
        [blobs[:, 2].mean() if len(blobs) else 0.0, len(blobs)],
        np.histogram(edges, 50, density=True)[0],
        [values.mean(), values.std()],
    ]
    return np.concatenate([np.ravel(np.asarray(part)) for part in parts]).astype(np.float32)


def _centre(values: np.ndarray) -> np.ndarray:
    short = [max(0, CUT - n) for n in values.shape]
    padded = np.pad(values, [(n // 2, n - n // 2) for n in short], mode="symmetric")
    first = [(n - CUT) // 2 for n in padded.shape]
    return padded[first[0] : first[0] + CUT, first[1] : first[1] + CUT]
