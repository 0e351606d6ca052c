"""Model of image classes: a network, its reference images, and how good it is on held-out images."""

import xarray as xr

from engine import progress
from engine.analysis import Model
from engine.errors import InputError
from engine.image_classes.category_map import LEAST_TILE, category_maps
from engine.image_classes.predict import answers
from engine.image_classes.result import result_of, threshold
from engine.schema import TILES


class MicrographsModel(Model):
    """A network that tells classes of pictures, what it knows, and how good it is on held-out originals."""

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Classify every picture; eager, some at a time.

        Parameters
        ----------
        images : Dataset, dims ([image,] y, x)

        Returns
        -------
        DataTree
            As `result.result_of` lays it out.

        Raises
        ------
        InputError
            If the images are neither a picture nor a collection, or the parts of a map are too small.
        """
        tile = self.settings["map_tile"]
        if 0 < tile < LEAST_TILE:
            raise InputError(
                f"parts of {tile} pixels are too small to be classified; give map_tile {LEAST_TILE} or more,"
                " or 0 for no map"
            )
        if not tile:
            return result_of(self, images, answers(self, images))
        with progress.stage(0.0, 0.5):
            tree = result_of(self, images, answers(self, images))
        with progress.stage(0.5, 1.0):
            tree[TILES] = xr.DataTree(category_maps(self, images, least=threshold(self)))
        return tree
