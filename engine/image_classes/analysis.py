"""The analysis `micrographs`: what a picture shows, how sure that is, and when not to answer."""

from typing import ClassVar

import param
import xarray as xr

from engine.analysis import LABELLED, Analysis, Model, Settings
from engine.image_classes.model import MicrographsModel
from engine.image_classes.networks import COMPACT, NETWORKS
from engine.image_classes.train import ORIGINS, SPLIT, learn
from engine.schema.kinds import SORTED_IMAGES, ResultKind


class MicrographsTraining(Settings):
    """Settings that only concern the training of `Micrographs`."""

    network = param.Selector(
        objects=list(NETWORKS),
        default=COMPACT,
        doc="compact: fast on processors. small: the baseline of earlier systems. The others are Keras'"
        " networks with a new head, and need a file of weights.",
    )
    weights = param.String(
        "", doc="File of weights (without head) for one of Keras' networks; empty: that in Keras' cache."
    )
    edge = param.Integer(128, bounds=(32, 512), doc="Rows and columns of the squares that the network sees.")
    databar = param.Boolean(False, doc="Leave data bars in the pictures: the network may then read them.")
    magnification = param.Boolean(
        False,
        doc="Tell the network how large what it sees is, where the pixel size is known; compact and small.",
    )
    n_steps = param.Integer(6000, bounds=(1, None), doc="Steps of training, one batch each.")
    minutes = param.Number(
        8.0, bounds=(0.01, None), doc="Time in which training ends at the latest, in minutes."
    )
    n_together = param.Integer(32, bounds=(1, 512), doc="Pictures in a batch.")
    learning_rate = param.Number(3e-3, bounds=(1e-6, 1), doc="Highest learning rate.")
    patience = param.Integer(
        0,
        bounds=(0, None),
        doc="Looks at the validation pictures without gain until training stops; 0: never.",
    )
    balanced = param.Boolean(True, doc="Weight rarer classes up, so that all count alike.")
    judged_by = param.Selector(
        objects=[SPLIT, ORIGINS],
        default=SPLIT,
        doc="split: by a tenth of the originals, held out once. origins: every source, or original where no"
        " sources are told, is held out in turn; for few pictures.",
    )
    logs = param.String("", doc="Folder for logs (CSV and TensorBoard); empty: none.")


class Micrographs(MicrographsTraining, Analysis):
    """Sort micrographs into classes by a network, with confidence, evidence, and "unlike anything seen".

    Without a model given, the one that Mapstack brings is used: it was trained on simulated SEM images of ten
    morphologies and shows what the page does; train one on your own pictures for real work.
    """

    analysis: ClassVar[str] = "micrographs"
    title: ClassVar[str] = "Micrographs"
    kind: ClassVar[ResultKind] = SORTED_IMAGES
    page: ClassVar[str] = "micrographs"
    example: ClassVar[str] = "sem"
    model_class: ClassVar[type[Model]] = MicrographsModel
    training: ClassVar[type[Settings]] = MicrographsTraining
    needs_labels: ClassVar[bool] = True
    takes: ClassVar[str] = LABELLED

    error = param.Number(
        0.02,
        bounds=(0, 1),
        doc="Share of wrong answers that is allowed: below the confidence that keeps it there is no answer.",
        label="wrong at most",
        precedence=2,
    )
    map_tile = param.Integer(
        0,
        bounds=(0, None),
        doc="Rows and columns of the parts of large pictures that are classified each by itself, in pixels,"
        " 32 or more; 0: none are.",
        label="map tile (px)",
        precedence=2,
    )

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> "MicrographsModel":
        """Learn from labelled pictures; judged by originals held out.

        Parameters
        ----------
        images : Dataset, dims (image, y, x)
            With a coordinate `label` (class name, "" for none) unless labels are given; where they are known,
            `parent`, the original that a picture is of, and `origin`, its source.
        labels : DataArray, dims (image,)
            Class numbers from 1, 0 for none, with `flag_meanings`.

        Raises
        ------
        InputError
            If there are fewer than two classes, or too few originals to hold some out.
        FileError
            If weights are asked for that are not there.
        """
        return learn(self, images, labels)
