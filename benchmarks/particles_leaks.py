"""How much of a score of the quantum-dot pipeline was leaks, and whether they are found.

    python benchmarks/particles_leaks.py [--micrographs 40 | --quick]

The prior protocol on simulated micrographs: crops to the radius and 2 pixels more, copies turned by 90, 180
and 270 degrees made before the split, 874 features a crop in a table in the order of the classes with the
number of the row as a column, a forest judged by folds of rows. Then without that column, without the copies,
and by folds of micrographs; at last with copies that stay on the side of their particle, which is how turning
helps without a leak. Beside each is what `engine.learning.leaks` says. The micrographs are of samples
that differ in how many of their particles have a defect or no lattice, as real ones may, so that a classifier
gains by telling from which micrograph a crop is.

Scores are of all rows, each by a forest that did not learn from its fold; their 95 % intervals are from
drawing micrographs with replacement.
"""

import argparse
import time
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from engine.learning import leaks, scores
from engine.learning.splits import folds
from engine.nanoparticles.prior_features import N_FEATURES, prior_features
from engine.simulate.hrtem import CLASSES, Hrtem, Micrograph

SEED = 9400
N_FOLDS = 5
SIZE = 512
PIXEL = 0.06
"""In nm."""
BORDER = 2
"""Pixels around the radius that are in a crop."""
NUMBERS = [f"feature {n}" for n in range(N_FEATURES)]
INDEX = "Unnamed: 0"


class Crops(NamedTuple):
    """Crops of particles in the order of their classes; all along crop."""

    images: list[np.ndarray]
    classes: np.ndarray
    micrographs: np.ndarray
    particles: np.ndarray
    """Number of the particle that a crop or a turned copy of it shows."""


class Protocol(NamedTuple):
    """One way to judge: what is in the table, and what is kept together."""

    name: str
    turned: bool
    index: bool
    by_micrograph: bool


class Judged(NamedTuple):
    """Scores of a protocol, and what the detector said before."""

    accuracy: float
    accuracy_ends: tuple[float, float]
    macro_f1: float
    macro_f1_ends: tuple[float, float]
    n_rows: int
    n_pairs: int
    """Pairs of copies on different sides."""
    n_found: int
    n_false: int
    """Pairs that were taken for copies and are none."""
    features: tuple[str, ...]


PROTOCOLS = (
    Protocol("a  as it was", turned=True, index=True, by_micrograph=False),
    Protocol("c  without the index", turned=True, index=False, by_micrograph=False),
    Protocol("d  and without copies", turned=False, index=False, by_micrograph=False),
    Protocol("e  and by micrograph", turned=False, index=False, by_micrograph=True),
    Protocol("f  e, copies kept", turned=True, index=False, by_micrograph=True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--micrographs", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="few micrographs")
    options = parser.parse_args()
    start = time.perf_counter()
    judged = demonstrate(6 if options.quick else options.micrographs)
    show(judged)
    print(f"in {time.perf_counter() - start:.0f} s")


def demonstrate(n_micrographs: int, *, seed: int = SEED) -> dict[Protocol, Judged]:
    """Judge by each protocol."""
    crops = turned(simulated(n_micrographs, seed))
    numbers = np.array([prior_features(image) for image in crops.images])
    return {protocol: judge(protocol, crops, numbers, seed=seed) for protocol in PROTOCOLS}


def simulated(n_micrographs: int, seed: int) -> Crops:
    """Whole particles, in the order of their classes."""
    rng = np.random.default_rng(seed)
    images, classes, micrographs = [], [], []
    for number in range(n_micrographs):
        sample = {"defects": rng.beta(0.7, 0.7), "unresolved": 0.6 * rng.beta(0.7, 0.7)}
        made = Hrtem(size=SIZE, pixel_size=PIXEL, seed=seed, empty=0.0, **sample).frame(number)
        for row in made.rows:
            crop = cropped(made, row)
            if crop.shape[0] == crop.shape[1]:
                images.append(crop)
                classes.append(CLASSES.index(row["class"]))
                micrographs.append(number)
    order = np.argsort(classes, kind="stable")
    kinds, parents = np.array(classes)[order], np.array(micrographs)[order]
    return Crops([images[n] for n in order], kinds, parents, np.arange(order.size))


def cropped(made: Micrograph, row: dict) -> np.ndarray:
    """A square around a particle, less what is beyond the micrograph."""
    reach = round(row["radius"]) + BORDER
    window = [slice(max(0, round(row[axis]) - reach), round(row[axis]) + reach + 1) for axis in ("y", "x")]
    return made.image[tuple(window)].astype(np.float32)


def turned(crops: Crops) -> Crops:
    """Each crop followed by its copies turned by a quarter, a half and three quarters."""
    images = [np.rot90(image, n) for image in crops.images for n in range(4)]
    return Crops(images, *(np.repeat(column, 4) for column in crops[1:]))


def judge(protocol: Protocol, crops: Crops, numbers: np.ndarray, *, seed: int) -> Judged:
    """Judge a forest by a protocol, and look for leaks in what it is judged by."""
    rows = np.arange(len(numbers))[:: 1 if protocol.turned else 4]
    truth, micrographs, particles = (column[rows] for column in crops[1:])
    table, names = numbers[rows], list(NUMBERS)
    if protocol.index:
        table, names = np.column_stack([np.arange(rows.size), table]), [INDEX, *NUMBERS]
    groups = micrographs if protocol.by_micrograph else np.arange(rows.size)
    parts = folds(groups, N_FOLDS, seed=seed, classes=truth)
    said = leaks.check([crops.images[row] for row in rows], parts, features=table, names=names, classes=truth)
    same = particles[said.copies.first] == particles[said.copies.second]
    counts = per_micrograph(truth, held_out(table, truth, parts, seed=seed), micrographs)
    pairs = n_copied(particles, parts), int(same.sum()), int((~same).sum())
    return Judged(*scored(counts), rows.size, *pairs, said.features)


def held_out(table: np.ndarray, truth: np.ndarray, parts: np.ndarray, *, seed: int) -> np.ndarray:
    """Class of each row by a forest, of the usual size, that learned from the other parts."""
    found = np.empty_like(truth)
    for part in np.unique(parts):
        rest, now = parts != part, parts == part
        fitted = RandomForestClassifier(100, max_features="sqrt", random_state=seed).fit(
            table[rest], truth[rest]
        )
        found[now] = fitted.predict(table[now])
    return found


def n_copied(particles: np.ndarray, parts: np.ndarray) -> int:
    """Number of pairs of rows of one particle on different sides."""
    first, second = np.triu_indices(particles.size, 1)
    return int(((particles[first] == particles[second]) & (parts[first] != parts[second])).sum())


def per_micrograph(truth: np.ndarray, found: np.ndarray, micrographs: np.ndarray) -> np.ndarray:
    """Confusion matrices, dims (micrograph, truth, found)."""
    return np.stack(
        [
            scores.confusion(truth[micrographs == m], found[micrographs == m], n_classes=len(CLASSES))
            for m in np.unique(micrographs)
        ]
    )


def scored(counts: np.ndarray) -> tuple[float, tuple[float, float], float, tuple[float, float]]:
    """Accuracy and macro F1, each with the ends of its interval."""
    n = len(counts)
    times = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=2000)
    drawn = np.tensordot(times, counts, axes=1)
    found = []
    for score in (accuracy, macro_f1):
        low, high = np.nanquantile(score(drawn), [0.025, 0.975])
        found += [float(score(counts.sum(axis=0))), (float(low), float(high))]
    return tuple(found)


def accuracy(counts: np.ndarray) -> np.ndarray:
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))


def macro_f1(counts: np.ndarray) -> np.ndarray:
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return (2 * right / np.maximum(counts.sum(axis=-1) + counts.sum(axis=-2), 1)).mean(axis=-1)


def show(judged: dict[Protocol, Judged]) -> None:
    """Print the scores, and b, what the detector says, beside them."""
    print(f"{'protocol':<23}{'rows':<6}{'accuracy':<23}{'macro F1':<23}{'b: copies found':<25}like an index")
    for protocol, one in judged.items():
        low, high = one.accuracy_ends
        columns = (
            f"{protocol.name:<23}{one.n_rows:<6}" + f"{one.accuracy:.3f} ({low:.2f} to {high:.2f})".ljust(23)
        )
        low, high = one.macro_f1_ends
        columns += f"{one.macro_f1:.3f} ({low:.2f} to {high:.2f})".ljust(23)
        columns += f"{one.n_found} of {one.n_pairs}, {one.n_false} false".ljust(25)
        print(columns + (", ".join(one.features) or "none"))


if __name__ == "__main__":
    main()
