"""Model of a U-Net: its network, the classes it was trained on, and the range of values of its training."""

import xarray as xr

from engine.analysis import DIGEST, Model
from engine.errors import InputError
from engine.unet.runtimes import Network


class UNetModel(Model):
    """A trained U-Net, the classes it knows, and the range of values that it saw."""

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Classify every pixel of a frame and catalogue its objects.

        The frame is segmented and its objects are counted at once, tile by tile into temporary files; what is
        returned reads them.

        Raises
        ------
        InputError
            If the images are no single frame.
        """
        from engine.unet.predict import segment_frame

        return segment_frame(
            images,
            self.to_network(),
            settings=self.settings,
            names=self.names,
            trained=self.metadata["range"],
        )

    def to_network(self) -> Network:
        """Return the network as tasks take it.

        Raises
        ------
        InputError
            If the model has no network.
        """
        if self.network is None:
            raise InputError("this model has no network; load it from its folder")
        facts = self.metadata
        return Network(str(self.network), str(facts[DIGEST]), int(facts["halo"]), int(facts["step"]))
