"""Pictures under colours: what speaks for their class and against it, and what their parts show."""

import numpy as np
import numpy.typing as npt

from dashboard import theme

Colour = npt.NDArray[np.uint8]


def paint_evidence(picture: npt.NDArray[np.uint8], evidence: npt.NDArray[np.floating]) -> Colour:
    """Paint what speaks for a class in one colour over a grey picture, and what speaks against it in another.

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


def paint_parts(
    picture: npt.NDArray[np.uint8],
    colors: npt.NDArray[np.str_],
    top: npt.NDArray[np.floating],
    left: npt.NDArray[np.floating],
    tile: tuple[float, float],
) -> Colour:
    """Paint the parts of a grey picture in the colours of their classes.

    Parameters
    ----------
    picture : ndarray (y, x), uint8
    colors : ndarray (tile_row, tile_column), str
        Empty: none.
    top : ndarray (tile_row,)
        Where the rows of parts begin, in shares of the picture.
    left : ndarray (tile_column,)
    tile
        Rows and columns of a part, in shares of the picture. Where parts overlap the later one is seen.

    Returns
    -------
    ndarray (y, x, 3), uint8
    """
    painted = np.repeat(picture[..., np.newaxis].astype(np.float64), 3, axis=2)
    covered = painted.copy()
    size = np.array(picture.shape)
    for row, line in zip(top, colors, strict=True):
        for column, color in zip(left, line, strict=True):
            y, x = np.round(np.array([row, column]) * size).astype(int)
            height, width = np.ceil(np.array(tile) * size).astype(int)
            here = slice(y, y + height), slice(x, x + width)
            own = painted[here]
            paint = np.array(_rgb(color)) if color else own
            covered[here] = (1 - theme.PARTS_ALPHA) * own + theme.PARTS_ALPHA * paint
    return np.asarray(covered, np.uint8)


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[n : n + 2], 16) for n in (1, 3, 5))
    return red, green, blue
