"""How much of a score comes from leaks: a readable data bar, and copies of pictures on both sides of a split.

    python benchmarks/micrographs_leaks.py [--quick]

The pictures are simulated powders, and their two classes are drawn by lot: there is nothing to learn, and an
honest accuracy is 0.5. First the class decides which microscope wrote the data bar: with the bar in the
picture the network reads it. Then every picture is there several times, turned, as augmentation on disk
leaves it: a split that takes the copies apart lets the network remember them.
"""

import argparse

import numpy as np
import xarray as xr

import engine
from engine.image_classes import train
from engine.simulate import databars
from engine.simulate.sem import CLASSES, Sem

SEED = 7970
POWDER = CLASSES.index("Powder")
N_COPIED = 60
"""Pictures that are there eight times: turned and mirrored."""
SETTINGS = {"edge": 48, "n_together": 32, "learning_rate": 3e-3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    n_pictures, n_steps = (120, 400) if options.quick else (240, 1500)
    pictures, classes = powders(n_pictures)
    barred = np.stack([with_bar(one, kind) for one, kind in zip(pictures, classes, strict=True)])
    print("accuracy on pictures held out; there is nothing to learn but leaks: 0.5 is honest")
    settings = {**SETTINGS, "n_steps": n_steps, "minutes": 4.0}
    print(f"data bar in the picture: {accuracy(barred, classes, databar=True, **settings):.3f}")
    print(f"data bar masked:         {accuracy(barred, classes, databar=False, **settings):.3f}")
    turned = [np.rot90(pictures[:N_COPIED], n, axes=(1, 2)) for n in range(4)]
    copies = np.concatenate([*turned, *(one[:, :, ::-1] for one in turned)])
    same = np.tile(classes[:N_COPIED], 8)
    honest = train.examples.without_copies
    train.examples.without_copies = lambda read, **_: (read, 0)
    print(f"copies taken apart:      {accuracy(copies, same, **settings):.3f}")
    train.examples.without_copies = honest
    print(f"copies kept together:    {accuracy(copies, same, **settings):.3f}")


def powders(n_pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures `(image, y, x)` of as many samples, and classes that mean nothing."""
    simulator = Sem(size=96, images_per_parent=1, databar=False, seed=SEED)
    pictures = [simulator.image(POWDER + len(CLASSES) * n).image for n in range(n_pictures)]
    return np.stack(pictures), np.random.default_rng(SEED).integers(0, 2, n_pictures)


def with_bar(picture: np.ndarray, microscope: int) -> np.ndarray:
    """A picture above the data bar of one of two microscopes."""
    style = databars.draw_style(np.random.default_rng((SEED, microscope)))
    facts = databars.Facts(10.0, 5000.0, 10.0, "SE2", 8.0)
    bar = databars.bar(facts, style, n_columns=3 * picture.shape[1])
    wide = np.kron(picture, np.ones((3, 3), np.uint8))
    return np.vstack([wide[: 2 * len(wide) // 3], bar])


def accuracy(pictures: np.ndarray, classes: np.ndarray, **settings: object) -> float:
    """Share of pictures held out whose class is found."""
    labels = ("label", np.where(classes, "B", "A"))
    images = xr.Dataset(
        {"intensity": (("image", "y", "x"), pictures.astype(np.float32))}, {"label": ("image", labels[1])}
    )
    model = engine.fit("micrographs", images, **settings)
    return float(model.metadata["accuracy"])


if __name__ == "__main__":
    main()
