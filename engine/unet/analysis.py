"""Segmentation of frames by a U-Net: glow, hot pixels, particle tracks, and a catalogue of every object."""

from typing import ClassVar, Final

import param
import xarray as xr

from engine.analysis import FRAME, Analysis, Model, Settings
from engine.schema.kinds import CLASS_MAP, ResultKind
from engine.unet.losses import LOSSES, PLAIN
from engine.unet.model import UNetModel
from engine.unet.network import LEAN, NETWORKS
from engine.unet.runtimes import AUTO, RUNTIMES

FLOAT32: Final = "float32"
BFLOAT16: Final = "bfloat16"


class UNetTraining(Settings):
    """Settings that only concern the training of `UNet`."""

    network = param.Selector(
        objects=list(NETWORKS),
        default=LEAN,
        doc="lean: fast on processors, 0.4 million weights. classic: the U-Net of 7.2 million weights that"
        " earlier systems used.",
    )
    loss = param.Selector(
        objects=list(LOSSES),
        default=PLAIN,
        doc="What is made small in training. weighted: cross-entropy with the rarer classes weighted up."
        " sum: weighted, focal and Dice together.",
    )
    n_steps = param.Integer(9000, bounds=(1, None), doc="Steps of training, one batch each.")
    minutes = param.Number(
        13.0, bounds=(0.01, None), doc="Time in which training ends at the latest, in minutes."
    )
    n_crops = param.Integer(4, bounds=(1, 256), doc="Crops in a batch.", label="crops a batch")
    crop = param.Integer(256, bounds=(32, 1024), doc="Edge of a crop in pixels.")
    learning_rate = param.Number(3e-3, bounds=(1e-6, 1), doc="Highest learning rate.")
    patience = param.Integer(
        0, bounds=(0, None), doc="Looks at the held-out frames without gain until training stops; 0: never."
    )
    held_out = param.Number(
        0.1, bounds=(0, 0.5), doc="Share of the frames that are held out, to choose and to judge the network."
    )
    class_names = param.String(
        "", doc="Names of the label values in ascending order, with commas; empty: those in the label files."
    )
    precision = param.Selector(
        objects=[AUTO, FLOAT32, BFLOAT16],
        default=AUTO,
        doc="Numbers used in training. auto: bfloat16 where the processor computes with it, else float32.",
    )
    logs = param.String("", doc="Folder for logs (CSV and TensorBoard); empty: none.")


class UNet(UNetTraining, Analysis):
    """Classify every pixel of a frame with a U-Net, and catalogue the objects.

    Without a model given, the one that Mapstack brings is used: it was trained on simulated CCD frames with
    glow, hot pixels and particle tracks.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox, U-Net: convolutional networks for biomedical image segmentation,
    MICCAI 2015, arXiv:1505.04597.
    """

    analysis: ClassVar[str] = "unet"
    title: ClassVar[str] = "Mosaics"
    kind: ClassVar[ResultKind] = CLASS_MAP
    page: ClassVar[str] = "mosaics"
    example: ClassVar[str] = "mosaic/frame_000.fits"
    model_class: ClassVar[type[Model]] = UNetModel
    training: ClassVar[type[Settings]] = UNetTraining
    needs_labels: ClassVar[bool] = True
    takes: ClassVar[str] = FRAME

    rules = param.Boolean(
        True,
        doc="Whether objects that cannot be what their pixels look like get another class.",
        precedence=2,
    )
    min_cluster = param.Integer(
        1,
        bounds=(1, None),
        doc="Clusters of fewer pixels become background; needs the rules.",
        label="least cluster",
        precedence=2,
    )
    electrons_per_adu = param.Number(
        0.0,
        bounds=(0, None),
        doc="Electrons that one unit of a pixel (adu) stands for, for energies; 0: the GAIN of the header.",
        label="electrons / adu",
        precedence=2,
    )
    ev_per_electron = param.Number(
        3.745,
        bounds=(0.1, 100),
        doc="Energy in eV that frees one electron; 3.745 in silicon.",
        label="eV / electron",
    )
    tile = param.Integer(
        1024, bounds=(64, 8192), doc="Longest edge of the tiles in pixels: memory against speed."
    )
    runtime = param.Selector(
        objects=[AUTO, *RUNTIMES],
        default=AUTO,
        doc="What runs the network. auto: OpenVINO where it is installed, else Keras; in bfloat16 only where"
        " the processor is made for it and 99.9 % of the labels stay the same.",
    )

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> "UNetModel":
        """Learn from labelled frames; eager, a matter of minutes.

        Parameters
        ----------
        images : Dataset, dims ([image,] y, x)
            One frame or several.
        labels : DataArray, dims ([image,] y, x)
            Label values of each pixel; with `flag_values` and `flag_meanings` where the classes have names.

        Raises
        ------
        InputError
            If there are no labels, they do not fit the frames, or hold fewer than two classes.
        """
        from engine.unet.train import learn

        return learn(self, images, labels)
