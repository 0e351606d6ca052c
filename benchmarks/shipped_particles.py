"""Train the classifier of particles that Mapstack brings, from simulated micrographs alone.

    python benchmarks/shipped_particles.py [FOLDER]

Writes the model into engine/nanoparticles/shipped (or FOLDER) with its card.
`benchmarks/particles_accuracy.py` scores it on micrographs of other seeds.
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

import engine
from engine.schema import label_map
from engine.simulate.hrtem import CLASSES, Hrtem

SHIPPED = Path(engine.__file__).parent / "particles" / "shipped"
SEED = 5000
SIZE = 768
N_MICROGRAPHS = 160


def main(target: Path) -> None:
    """Simulate, learn, store."""
    simulator = Hrtem(size=SIZE, seed=SEED, empty=0.05)
    images, truth = [], []
    for number in range(N_MICROGRAPHS):
        made = simulator.frame(number)
        numbers = np.array([0, *(1 + CLASSES.index(name) for name in made.classes)], np.uint8)
        images.append(made.image)
        truth.append(numbers[made.objects])
    dims = ("image", "y", "x")
    labels = label_map(xr.DataArray(np.stack(truth), dims=dims), dict(enumerate(CLASSES, 1)))
    model = engine.fit("particles", xr.Dataset({"intensity": (dims, np.stack(images))}), labels)
    model.save(target)
    print("particles found, by micrographs held out:")
    for row in model.metadata["metrics"]:
        print(
            f"{row['name']:<6} precision {row['precision']:.3f} recall {row['recall']:.3f}"
            f" F1 {row['f1']:.3f} ({row['f1_low']:.3f} to {row['f1_high']:.3f}), {row['support']}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
