"""Simulated SEM micrographs of ten categories of samples, several images of each sample, and the truth."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import param
import scipy.fft
from numpy.typing import NDArray

from engine import progress
from engine.analysis import Settings
from engine.simulate import databars, sem_detector
from engine.simulate.folders import filling
from engine.simulate.morphologies import MORPHOLOGIES
from engine.simulate.relief import FieldOfView, Relief

CLASSES: Final = tuple(MORPHOLOGIES)
COLUMNS: Final = ("file", "label", "parent", "pixel_size_nm", "magnification")
"""Columns of `truth.csv`; `parent` names the sample that an image shows."""

_SAMPLE, _IMAGE, _MICROSCOPE = range(3)
"""Set the random numbers of what is drawn once a sample apart from those drawn once an image."""
_ZOOM: Final = 1.5
"""Factor by which an image of a sample is closer, or less close, at most, than the sample's middle."""


@dataclass(frozen=True)
class SimulatedPicture:
    """A simulated image and its truth."""

    image: NDArray[np.uint8]
    """(y, x), with the data bar, if any, as last rows."""
    label: str
    parent: int
    """Number of the sample; no two classes share one."""
    pixel_size: float
    """In nm."""
    magnification: float
    n_bar_rows: int
    """Rows of the data bar."""


class Sem(Settings):
    """Simulated SEM micrographs in ten categories: samples, several images of each, with data bars."""

    n_images = param.Integer(100, bounds=(1, 1_000_000), doc="Number of images, of all categories together.")
    size = param.Integer(
        256, bounds=(64, 4096), doc="Rows and columns of an image in pixels, without its bar."
    )
    images_per_parent = param.Integer(4, bounds=(1, 1000), doc="Images of each sample.")
    databar = param.Boolean(True, doc="Write magnification, voltage, detector and scale below each image.")
    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    def image(self, number: int) -> SimulatedPicture:
        """Make one image in memory; it does not depend on how many others are made.

        Images take turns through the categories; `images_per_parent` turns show the same samples.
        """
        turn, category = divmod(number, len(CLASSES))
        parent = turn // self.images_per_parent * len(CLASSES) + category
        label = CLASSES[category]
        rng = np.random.default_rng((self.seed, _IMAGE, number))
        microscope = np.random.default_rng((self.seed, _MICROSCOPE, parent))
        least, most = np.log(MORPHOLOGIES[label].pixel_size)
        zoom = float(np.exp(rng.uniform(-np.log(_ZOOM), np.log(_ZOOM))))
        pixel_size = float(np.exp(microscope.uniform(least, most))) / zoom * 256 / self.size
        settings = sem_detector.draw_detector(microscope)
        relief = self._relief(label, parent, zoom, rng)
        exposure = sem_detector.draw_exposure(rng, size=self.size)
        image = sem_detector.form_image(relief, settings, exposure, rng, size=self.size)
        magnified = databars.magnification(pixel_size, self.size)
        style, distance = databars.draw_style(microscope), float(microscope.uniform(2, 12))
        n_bar_rows = 0
        if self.databar:
            facts = databars.Facts(pixel_size, magnified, settings.voltage, settings.name, distance)
            bar = databars.bar(facts, style, n_columns=self.size)
            image, n_bar_rows = np.vstack([image, bar]), len(bar)
        return SimulatedPicture(image, label, parent, pixel_size, magnified, n_bar_rows)

    def write(self, folder: str | Path) -> Path:
        """Write a folder a category with `sem_00000.png` ..., and `truth.csv`.

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        from PIL import Image

        with filling(folder, what="images") as target:
            for label in CLASSES[: self.n_images]:
                (target / label).mkdir(exist_ok=True)
            with (target / "truth.csv").open("w", newline="", encoding="utf-8") as file:
                table = csv.writer(file)
                table.writerow(COLUMNS)
                for number in range(self.n_images):
                    made = self.image(number)
                    name = f"{made.label}/sem_{number:05d}.png"
                    Image.fromarray(made.image).save(target / name, compress_level=1)
                    parent = f"sample_{made.parent:05d}"
                    table.writerow(
                        [name, made.label, parent, f"{made.pixel_size:.6g}", f"{made.magnification:.6g}"]
                    )
                    progress.report((number + 1) / self.n_images, "writing simulated images")
        return target

    def _relief(self, label: str, parent: int, zoom: float, rng: np.random.Generator) -> Relief:
        """Return what the beam meets in an image of a sample."""
        sample = np.random.default_rng((self.seed, _SAMPLE, parent))
        kinds = MORPHOLOGIES[label].kinds
        kind = kinds[sample.integers(len(kinds))]
        turn = float(sample.uniform(0, 2 * np.pi) + rng.normal(0, 0.5))
        edge = scipy.fft.next_fast_len(self.size + 2 * sem_detector.MARGIN, real=True)
        view = FieldOfView((edge, edge), zoom * self.size / 256, turn)
        return kind(view, sample, rng)
