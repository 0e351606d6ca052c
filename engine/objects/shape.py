"""Shape of objects from their sums of positions: centroid, inertia and the ellipse that has the same [1]_.

The definitions are scikit-image's `regionprops`: pixels are points, so a line one pixel wide has width 0.

References
----------
.. [1] B. Jähne, Spatio-Temporal Image Processing: Theory and Scientific Applications, Springer 1993,
   chapter 8 (tensor methods).
"""

import numpy as np


def centroids(moments: np.ndarray) -> np.ndarray:
    """Return the mean y and x in pixels, `(2, object)`, of `moments` (see `sums`)."""
    return np.asarray(moments[1:3] / moments[0])


def inertia(moments: np.ndarray) -> np.ndarray:
    """Return the central second moments over the area, `(3, object)` in px²: of y, of y and x, of x.

    The moments are first moved to the whole pixel next to the centroid, in integers, so that nothing is lost
    where an object is far from the frame's corner, and then by the rest. Numerators of objects up to some
    600 px across are exact, so that equal ones are seen to be equal.
    """
    n, y, x, yy, yx, xx = moments
    v, u = np.rint(centroids(moments)).astype(np.int64)
    dy, dx = (y - n * v).astype(np.float64), (x - n * u).astype(np.float64)
    about_pixel = (yy - 2 * v * y + n * v * v, yx - v * x - u * y + n * v * u, xx - 2 * u * x + n * u * u)
    area = n.astype(np.float64)
    return np.asarray((area * np.stack(about_pixel) - np.stack([dy * dy, dy * dx, dx * dx])) / area**2)


def axes(yy: np.ndarray, yx: np.ndarray, xx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the long and short axis in px of the ellipse: four times the root of the inertia's eigenvalues.

    Parameters
    ----------
    yy, yx, xx : ndarray (object,)
        Inertia in px².
    """
    large = (yy + xx) / 2 + _half_difference(yy, yx, xx)
    # by the determinant: the difference of the two terms has few digits where the object is thin
    small = np.maximum(yy * xx - yx * yx, 0.0) / np.where(large > 0, large, 1.0)
    return 4 * np.sqrt(large), 4 * np.sqrt(small)


def eccentricity(yy: np.ndarray, yx: np.ndarray, xx: np.ndarray) -> np.ndarray:
    """Return the focal distance over the long axis: 0 for a circle and for a single pixel, 1 for a line.

    Parameters
    ----------
    yy, yx, xx : ndarray (object,)
        Inertia in px².
    """
    half = _half_difference(yy, yx, xx)
    large = (yy + xx) / 2 + half
    return np.asarray(np.sqrt(np.minimum(2 * half / np.where(large > 0, large, 1.0), 1.0)))


def _half_difference(yy: np.ndarray, yx: np.ndarray, xx: np.ndarray) -> np.ndarray:
    """Return half of the difference of the eigenvalues of the inertia."""
    return np.asarray(np.hypot((yy - xx) / 2, yx))


def orientation(yy: np.ndarray, yx: np.ndarray, xx: np.ndarray) -> np.ndarray:
    """Return the angle in rad from the y axis to the long axis, towards x; -pi/4 where no axis is longer.

    Where both axes of the frame have the same inertia, it is a quarter of pi with the sign of the tilt.

    Parameters
    ----------
    yy, yx, xx : ndarray (object,)
        Inertia in px².
    """
    tilt = np.arctan2(2 * yx, yy - xx) / 2
    return np.where(yy == xx, np.where(yx > 0, np.pi / 4, -np.pi / 4), tilt)
