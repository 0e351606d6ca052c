"""A population of 300 micrographs as one job: killed and resumed, its memory; and whether its intervals hold.

    python benchmarks/particles_population.py [--n-micrographs 300] [--size 1024] [--folder FOLDER]

The micrographs are simulated (seeds that no model learned from). The job runs on 2 worker processes through
the command line, is killed when 40 % of the micrographs are done, and started again with the same command.
Then collections of 40 micrographs are drawn from those classified, and it is counted how often the 95 %
intervals of the fractions hold the true fractions of the whole population. FOLDER keeps what is made for
another time.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from _jobs import killed_and_resumed
from PIL import Image

from engine.analysis import find_shipped_model, load_model
from engine.export.store import open_result
from engine.nanoparticles.tables import CLASSES, counts_of, fraction_table
from engine.schema import OBJECT_TABLE, table
from engine.simulate.hrtem import Hrtem

SEED = 9000
N_COLLECTIONS = 100
N_DRAWN = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-micrographs", type=int, default=300)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = options.folder or Path(temporary)
        micrographs = place / "micrographs"
        if not micrographs.exists():
            Hrtem(size=options.size, n_frames=options.n_micrographs, seed=SEED).write(micrographs)
        result = place / "population.zarr"
        if not result.exists():
            words = ["run", "particles", str(micrographs), "--out", str(result)]
            killed_and_resumed(
                words,
                place / "home",
                n_parts=options.n_micrographs,
                pattern="micrograph_*.npz",
                what="micrographs",
            )
        end_to_end(result, micrographs)
        coverage(result, micrographs, options.n_micrographs)


def end_to_end(result: Path, micrographs: Path) -> None:
    """Print the share of the particles found at an overlap of half or more, and of the right class."""
    stored = open_result(result)
    truth: dict[str, list[dict[str, str]]] = {}
    with (micrographs / "truth.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            truth.setdefault(row["file"], []).append(row)
    hits: dict[str, list[tuple[bool, bool]]] = {name: [] for name in CLASSES}
    per_image = []
    for n, name in enumerate(stored["labels"].coords["file"].values.tolist()):
        rows = truth.get(name, [])
        mask = np.asarray(Image.open(micrographs / f"{Path(name).stem}_mask.png"))
        objects, labels = np.asarray(stored["objects"][n]), np.asarray(stored["labels"][n])
        found = [met(mask == int(row["object"]), objects, labels, row["class"]) for row in rows]
        for row, one in zip(rows, found, strict=True):
            hits[row["class"]].append(one)
        if rows:
            per_image.append((sum(right for _, right in found), len(found)))
    good, total = np.array(per_image).T
    drawn = np.random.default_rng(0).integers(len(total), size=(2000, len(total)))
    low, high = np.quantile(good[drawn].sum(axis=1) / total[drawn].sum(axis=1), [0.025, 0.975])
    share = good.sum() / total.sum()
    print(f"found and of the right class: {share:.3f} ({low:.3f} to {high:.3f}), {len(total)} micrographs")
    for name, ones in hits.items():
        found, right = np.mean(ones, axis=0)
        print(f"{name:<5} found {found:.3f}, and of the right class {right:.3f}, {len(ones)}")


def met(inside: np.ndarray, objects: np.ndarray, labels: np.ndarray, name: str) -> tuple[bool, bool]:
    """Whether a particle is found, and is then of its class."""
    counts = np.bincount(objects[inside])
    counts[0] = 0
    if not counts.any():
        return False, False
    best = objects == counts.argmax()
    found = bool((best & inside).sum() >= 0.5 * (best | inside).sum())
    return found, found and bool(labels[best][0] == 1 + CLASSES.index(name))


def coverage(result: Path, micrographs: Path, n: int) -> None:
    """Count how often intervals hold the truth, as found and corrected for the errors of the model."""
    objects = table(open_result(result), OBJECT_TABLE).load()
    counts = counts_of(objects, n_images=n)
    with (micrographs / "truth.csv").open(encoding="utf-8") as file:
        there = [row["class"] for row in csv.DictReader(file)]
    truth = np.array([there.count(name) for name in CLASSES]) / len(there)
    model = load_model(find_shipped_model("particles"))
    rng, n_drawn = np.random.default_rng(0), min(N_DRAWN, n)
    held = {"fraction": np.zeros(len(CLASSES)), "corrected": np.zeros(len(CLASSES))}
    widths = {name: np.zeros(len(CLASSES)) for name in held}
    for _ in range(N_COLLECTIONS):
        drawn = counts[rng.choice(n, n_drawn, replace=False)]
        shares = fraction_table(drawn, model.arrays["confusion"], model.arrays["present"])
        for name, ends in {
            "fraction": ("low", "high"),
            "corrected": ("corrected_low", "corrected_high"),
        }.items():
            low, high = (shares[end].values for end in ends)
            held[name] += (low <= truth) & (truth <= high)
            widths[name] += (high - low) / N_COLLECTIONS
    print(f"{len(there)} true particles, {len(objects['object'])} found in {n} micrographs")
    print(f"collections of {n_drawn}: intervals that hold the truth, of {N_COLLECTIONS}; their mean width")
    whole = fraction_table(counts, model.arrays["confusion"], model.arrays["present"])
    for k, name in enumerate(CLASSES):
        print(
            f"{name:<5} true {truth[k]:.3f}, found {float(whole['fraction'][k]):.3f},"
            f" corrected {float(whole['corrected'][k]):.3f}:"
            f" found {held['fraction'][k]:.0f} ({widths['fraction'][k]:.3f}),"
            f" corrected {held['corrected'][k]:.0f} ({widths['corrected'][k]:.3f})"
        )


if __name__ == "__main__":
    main()
