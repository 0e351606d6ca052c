"""How good the U-Net is that Mapstack brings.

    python benchmarks/unet_accuracy.py [--model DIR] [--frames 20] [--fit]

Simulated frames of seeds that no training saw, 1024 x 1024, easy and hard: precision, recall and F1 of each
class with 95 % intervals over the frames, beside the best that one threshold on the pixels can do for
clusters (chosen with the truth at hand) and the majority class. Frames of real tracks (`semireal_A*`,
where MAPSTACK_SHARED or ../shared has them): F1 of clusters beside a classical baseline (2-D background,
5 sigma, shape rule), and the share of the tracks found. With --fit a model is trained first
(`shipped_unet.py`), timed.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from astropy.io import fits
from scipy import ndimage
from shipped_unet import SHIPPED
from shipped_unet import main as train

import engine
from engine.learning import scores
from engine.simulate.mosaic import CLASSES, Mosaic

SEED = 77
CLUSTER = CLASSES.index("cluster")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.fit:
            options.model = Path(folder) / "model"
            began = time.monotonic()
            train(options.model)
            print(f"simulated and trained in {(time.monotonic() - began) / 60:.1f} min")
        for difficulty in ("easy", "hard"):
            judge_simulated(options.model, difficulty, options.frames)
        for image, truth in semireal():
            judge_semireal(options.model, image, truth)


def judge_simulated(model: Path, difficulty: str, n_frames: int) -> None:
    """Print the figures of one difficulty."""
    simulator = Mosaic(size=1024, difficulty=difficulty, seed=SEED)
    counts, truths, images = [], [], []
    for number in range(n_frames):
        frame = simulator.frame(number)
        counts.append(scores.confusion(frame.labels, labels_of(frame.image, model), n_classes=4))
        truths.append(frame.labels == CLUSTER)
        images.append(frame.image)
    print(f"\nsimulated, {difficulty}, {n_frames} frames of seed {SEED}")
    print(f"{'class':<12} {'precision':>9} {'recall':>7} {'F1':>6}   95 % interval   pixels")
    for row in scores.report(np.stack(counts), CLASSES):
        interval = f"{row['f1_low']:.3f} to {row['f1_high']:.3f}"
        print(
            f"{row['name']:<12} {row['precision']:>9.3f} {row['recall']:>7.3f} {row['f1']:>6.3f}  "
            f"{interval:>15} {row['support']:>8}"
        )
    best = best_threshold(images, truths)
    share = 1 - np.mean(truths)
    print(f"baselines for cluster: best threshold F1 {best:.3f}; majority (never) F1 0, accuracy {share:.4f}")


def labels_of(image: np.ndarray, model: Path) -> np.ndarray:
    """Class numbers from 0."""
    images = xr.Dataset({"image": (("y", "x"), image)})
    return np.asarray(engine.run("unet", images, model=model)["labels"]).astype(int) - 1


def best_threshold(images: list[np.ndarray], truths: list[np.ndarray]) -> float:
    """Highest F1 for clusters of any threshold on all pixels."""
    values, truth = np.concatenate([i.ravel() for i in images]), np.concatenate([t.ravel() for t in truths])
    hits = np.bincount(values[truth], minlength=2**16)[::-1].cumsum()
    called = np.bincount(values, minlength=2**16)[::-1].cumsum()
    return float(np.max(2 * hits / (called + truth.sum())))


def semireal() -> Iterator[tuple[Path, Path]]:
    """Frames composed of real tracks, and their labels."""
    shared = Path(os.environ.get("MAPSTACK_SHARED", Path(__file__).parents[2] / "shared"))
    for image in sorted((shared / "data" / "ccd").glob("semireal_*.fits")):
        if not image.stem.endswith("_label"):
            yield image, image.with_name(f"{image.stem}_label.fits")


def judge_semireal(model: Path, image: Path, truth: Path) -> None:
    """Print the figures of a frame with real tracks."""
    pixels, labels = fits.getdata(image), fits.getdata(truth).astype(int)
    instance = fits.getdata(truth, "INSTANCE")
    labels[labels == 255] = -1
    found = {"U-Net": labels_of(pixels, model), "classical": classical(pixels.astype(np.float64))}
    print(f"\n{image.stem}: real tracks composed into a simulated frame, {instance.max()} tracks")
    for name, classes in found.items():
        counts = scores.confusion(labels, classes, n_classes=4)
        f1 = scores.f1(counts)
        share = tracks_found(classes == CLUSTER, instance, labels)
        told = ", ".join(f"{c} {v:.3f}" for c, v in zip(CLASSES, f1, strict=True))
        print(f"{name:<10} F1 {told}; {share:.3f} of the tracks found")


def tracks_found(called: np.ndarray, instance: np.ndarray, labels: np.ndarray) -> float:
    """Share of the tracks of which at least half of the pixels are called cluster."""
    here = (instance > 0) & (labels >= 0)
    total = np.bincount(instance[here])
    hits = np.bincount(instance[here], called[here], minlength=total.size)
    there = total > 0
    return float(np.mean(hits[there] >= total[there] / 2))


def classical(pixels: np.ndarray) -> np.ndarray:
    """Classes by 2-D background, 5 sigma and shape: lines and single pixels hot, large at an edge glow."""
    level = background_2d(pixels)
    noise = 1.4826 * np.median(np.abs(pixels - level))
    objects, _ = ndimage.label(pixels - level > 5 * noise, np.ones((3, 3)))
    classes = np.zeros(pixels.shape, int)
    for number, box in enumerate(ndimage.find_objects(objects), start=1):
        height, width = (s.stop - s.start for s in box)
        part = objects[box] == number
        at_edge = any(s.start == 0 or s.stop == size for s, size in zip(box, pixels.shape, strict=True))
        if min(height, width) == 1 and (max(height, width) == 1 or max(height, width) >= 4):
            kind = CLASSES.index("hot_pixel")
        elif at_edge and part.sum() > 2000:
            kind = CLASSES.index("glowing")
        else:
            kind = CLUSTER
        classes[box][part] = kind
    return classes


def background_2d(pixels: np.ndarray, box: int = 64) -> np.ndarray:
    """Medians of boxes, filtered by a median of 3 x 3 boxes and interpolated."""
    rows, columns = (-(-n // box) for n in pixels.shape)
    short = [(0, rows * box - pixels.shape[0]), (0, columns * box - pixels.shape[1])]
    boxes = np.pad(pixels, short, mode="edge").reshape(rows, box, columns, box).swapaxes(1, 2)
    medians = np.median(boxes.reshape(rows, columns, -1), axis=2)
    medians = ndimage.median_filter(medians, 3)
    y, x = ((np.arange(n) + 0.5) / box - 0.5 for n in pixels.shape)
    return ndimage.map_coordinates(medians, np.meshgrid(y, x, indexing="ij"), order=1, mode="nearest")


if __name__ == "__main__":
    main()
