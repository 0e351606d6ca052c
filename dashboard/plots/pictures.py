"""A picture with what speaks for its class, and against it, laid over in colour."""

import numpy as np
import numpy.typing as npt

from dashboard import theme

Colour = npt.NDArray[np.uint8]


def evidence_over(picture: npt.NDArray[np.uint8], evidence: npt.NDArray[np.floating]) -> Colour:
    """A grey picture in which one colour marks what speaks for the class and another what speaks against it.

    Parameters
    ----------
    picture : ndarray (y, x), uint8
    evidence : ndarray (y, x)
        Of the same square in fewer parts; positive speaks for the class, NaN says nothing.

    Returns
    -------
    ndarray (y, x, 3), uint8
    """
    from PIL import Image

    grey = np.repeat(picture[..., np.newaxis].astype(np.float64), 3, axis=2)
    told = np.nan_to_num(np.asarray(evidence, np.float32))
    strongest = float(np.abs(told).max())
    if strongest == 0:
        return grey.astype(np.uint8)
    size = (picture.shape[1], picture.shape[0])
    smooth = np.asarray(Image.fromarray(told / strongest).resize(size, Image.Resampling.BICUBIC))
    strength = np.clip(np.abs(smooth), 0, 1)[..., np.newaxis] * theme.EVIDENCE_ALPHA
    colors = [np.array(_rgb(color), float) for color in (theme.EVIDENCE_FOR, theme.EVIDENCE_AGAINST)]
    color = np.where(smooth[..., np.newaxis] > 0, *colors)
    return np.asarray((1 - strength) * grey + strength * color, np.uint8)


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[n : n + 2], 16) for n in (1, 3, 5))
    return red, green, blue
