"""How well particles of micrographs are found, measured and classified.

    python benchmarks/particles_accuracy.py [--model DIR] [--micrographs 40]

Simulated micrographs of a seed that no training saw: particles found at an overlap (IoU) of 0.5 or more and
of the right class; precision, recall and F1 of the classes on crops with the true outlines, beside a forest
on the 874 features of the quantum-dot pipeline; errors of spacings and orientations. Real micrographs, where
MAPSTACK_SHARED or ../shared has them: overlap with hand-drawn masks, beside Otsu's threshold on the dark side
and on the local variance. Nothing was trained on the real ones.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import xarray as xr
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu

from engine.analysis import find_shipped_model, load_model
from engine.learning import scores
from engine.learning.splits import by_parent
from engine.nanoparticles import classifiers
from engine.nanoparticles.analysis import CLASSES
from engine.nanoparticles.features import features
from engine.nanoparticles.lattice import measure_lattice
from engine.nanoparticles.prior_features import prior_features
from engine.nanoparticles.segmentation import find_particles
from engine.simulate.hrtem import Hrtem

SEED = 9100
SIZE = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=find_shipped_model("particles"))
    parser.add_argument("--micrographs", type=int, default=40)
    options = parser.parse_args()
    judge_simulated(options.model, options.micrographs)
    judge_empty()
    judge_real()


def judge_simulated(folder: Path, n_micrographs: int) -> None:
    """Print how the shipped model does on simulated micrographs."""
    model, simulator = load_model(folder), Hrtem(size=SIZE, seed=SEED, empty=0.05)
    classifier = classifiers.unpack_classifier(model.arrays["classifier"])
    ends, counts, ours, theirs, parents, truth, off = [], [], [], [], [], [], []
    for number in range(n_micrographs):
        made = simulator.frame(number)
        if not made.rows:
            continue
        images = xr.Dataset({"image": (("y", "x"), made.image)})
        result = model.predict(images)
        objects, labels = np.asarray(result["objects"]), np.asarray(result["labels"])
        right = [end_to_end(made, row, objects, labels) for row in made.rows]
        ends.append((sum(right), len(right)))
        for row in made.rows:
            crop, inside = cropped(made, row)
            lattice = measure_lattice(crop, inside)
            ours.append(features(crop, inside, lattice))
            theirs.append(prior_features(crop))
            truth.append(CLASSES.index(row["class"]))
            parents.append(number)
            if row["class"] != "null" and lattice.resolved:
                off.append(errors(made, row, lattice))
    truth, parents, ours = np.array(truth), np.array(parents), np.array(ours)
    found = classifiers.probabilities(classifier, ours, n_classes=4)[:, : len(CLASSES)].argmax(axis=1)
    counts = per_micrograph(truth, found, parents)
    good, n = np.array(ends).T
    low, high = resampled(good, n)
    print(f"simulated, seed {SEED}, {len(ends)} micrographs of {SIZE} x {SIZE}, {n.sum()} particles")
    print(f"found and of the right class: {good.sum() / n.sum():.3f} ({low:.3f} to {high:.3f})")
    table(counts, "crops with the true outlines, shipped classifier")
    part = by_parent(parents, shares=(0.6, 0.4), seed=0, classes=truth)
    for name, numbers in (("our features", ours), ("the prior 874 features", np.array(theirs))):
        fitted = classifiers.CLASSIFIERS[classifiers.FOREST](0).fit(numbers[part == 0], truth[part == 0])
        again = fitted.predict(numbers[part == 1])
        table(
            per_micrograph(truth[part == 1], again, parents[part == 1]), f"a forest on {name}, fitted on 60 %"
        )
    common = np.bincount(truth).max() / truth.size
    print(f"majority class: accuracy {common:.3f}, macro F1 {2 * common / (1 + common) / 3:.3f}")
    spacing, angle = np.array(off).T
    print(f"spacing off by {np.median(spacing):.2%} (median), 90 % within {np.quantile(spacing, 0.9):.2%}")
    print(
        f"orientation off by {np.median(angle):.3f} deg (median), 90 % within {np.quantile(angle, 0.9):.2f}"
    )


def end_to_end(made, row, objects: np.ndarray, labels: np.ndarray) -> bool:
    """Whether a particle is found at an overlap of half or more, and of its class."""
    inside = made.objects == row["object"]
    counts = np.bincount(objects[inside])
    counts[0] = 0
    if not counts.any():
        return False
    best = objects == counts.argmax()
    overlap = (best & inside).sum() / (best | inside).sum()
    return bool(overlap >= 0.5 and labels[best][0] == 1 + CLASSES.index(row["class"]))


def cropped(made, row) -> tuple[np.ndarray, np.ndarray]:
    """A particle with its surroundings, by its true outline."""
    inside = made.objects == row["object"]
    (box,) = ndimage.find_objects(inside.astype(int))
    around = 4 + int(0.25 * max(side.stop - side.start for side in box))
    window = tuple(slice(max(0, side.start - around), side.stop + around) for side in box)
    return made.image[window].astype(np.float32), inside[window]


def errors(made, row, lattice) -> tuple[float, float]:
    """Relative error of the strongest fringes' spacing and error of their angle in degrees."""
    planes = np.array([float(n) for n in row["spacings"].split()]) / made.microscope.pixel_size
    angles = np.deg2rad([float(n) for n in row["angles"].split()])
    true = np.stack([np.sin(angles), np.cos(angles)], axis=1) / planes[:, np.newaxis]
    strongest = lattice.frequencies[0]
    distance = np.minimum(np.hypot(*(true - strongest).T), np.hypot(*(true + strongest).T))
    nearest = int(distance.argmin())
    turned = abs(lattice.angle[0] - angles[nearest]) % np.pi
    return abs(lattice.spacing[0] / planes[nearest] - 1), float(np.rad2deg(min(turned, np.pi - turned)))


def per_micrograph(truth: np.ndarray, found: np.ndarray, parents: np.ndarray) -> np.ndarray:
    return np.stack(
        [scores.confusion(truth[parents == p], found[parents == p], n_classes=3) for p in np.unique(parents)]
    )


def table(counts: np.ndarray, title: str) -> None:
    rows = scores.report(counts, CLASSES)
    print(f"{title}: macro F1 {np.mean([row['f1'] for row in rows]):.3f}")
    for row in rows:
        print(
            f"  {row['name']:<5} precision {row['precision']:.3f} recall {row['recall']:.3f}"
            f" F1 {row['f1']:.3f} ({row['f1_low']:.3f} to {row['f1_high']:.3f}), {row['support']}"
        )


def judge_empty() -> None:
    simulator = Hrtem(size=512, seed=SEED, empty=1.0)
    shares = [(find_particles(simulator.frame(n).image).objects > 0).mean() for n in range(20)]
    print(f"\n20 simulated micrographs without particles: false area at most {max(shares):.2%}")


def judge_real() -> None:
    """Print the overlap with hand-drawn masks."""
    shared = Path(os.environ.get("MAPSTACK_SHARED", Path(__file__).parents[2] / "shared")) / "data" / "hrtem"
    sets = {
        "scottlab_au_cdse": [
            (Path(str(mask).replace("_mask", "_image")), mask)
            for mask in sorted((shared / "scottlab_au_cdse").glob("*_mask.png"))
        ],
        "emps": [
            (f, shared / "emps" / "segmaps" / f.name) for f in sorted((shared / "emps/images").glob("*"))
        ],
        "au_particles_temseg": [
            (shared / "au_particles_temseg" / "images" / mask.name, mask)
            for mask in sorted((shared / "au_particles_temseg/masks").glob("*"))
        ],
    }
    for name, pairs in sets.items():
        if not pairs:
            print(f"{name}: not here")
            continue
        found, counted = [], []
        for image, mask in pairs:
            values, truth = grey(image), whole(mask)
            particles = find_particles(values)
            candidates = (particles.objects > 0, dark(values), rough(values))
            found.append([(c & truth).sum() / (c | truth).sum() for c in candidates])
            counted.append(int(particles.objects.max()) / ndimage.label(truth)[1])
        found = np.array(found)
        rng = np.random.default_rng(0)
        drawn = found[rng.integers(len(found), size=(4000, len(found)))]
        print(f"\n{name}, {len(pairs)} real images: overlap (IoU) with the masks")
        for n, way in enumerate(("Mapstack", "dark-side Otsu", "local variance")):
            mean, middle = (
                np.quantile(f(drawn[:, :, n], axis=1), [0.025, 0.975]) for f in (np.mean, np.median)
            )
            print(
                f"  {way:<15} median {np.median(found[:, n]):.3f} ({middle[0]:.2f} to {middle[1]:.2f}),"
                f" mean {found[:, n].mean():.3f} ({mean[0]:.2f} to {mean[1]:.2f})"
            )
        print(
            f"  each: {' '.join(f'{one:.2f}' for one in found[:, 0])}; particles over pieces of the mask:",
            " ".join(f"{one:.2f}" for one in counted),
        )


def resampled(good: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """95 % interval of a share over micrographs."""
    drawn = np.random.default_rng(0).integers(len(n), size=(4000, len(n)))
    low, high = np.quantile(good[drawn].sum(axis=1) / n[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def grey(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"), np.float32)


def whole(path: Path) -> np.ndarray:
    values = np.asarray(Image.open(path))
    return values > 0 if values.dtype != np.uint8 else grey(path) > 127


def dark(values: np.ndarray) -> np.ndarray:
    return values < threshold_otsu(values)


def rough(values: np.ndarray) -> np.ndarray:
    """Otsu's threshold on the local variance."""
    mean = ndimage.uniform_filter(values, 15)
    spread = ndimage.uniform_filter(values**2, 15) - mean**2
    return spread > threshold_otsu(spread)


if __name__ == "__main__":
    main()
