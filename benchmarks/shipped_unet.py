"""Train the U-Net that Mapstack brings, from simulated frames alone.

    python benchmarks/shipped_unet.py [FOLDER]

Writes the model into engine/unet/shipped (or FOLDER) with its card; `benchmarks/unet_accuracy.py` judges it
on frames of other seeds. Takes about a quarter of an hour on 2 cores, after a few minutes of simulation.
"""

import sys
import tempfile
from pathlib import Path

import engine
from engine.readers.labels.label_files import labels_of
from engine.simulate.mosaic import Mosaic

SHIPPED = Path(engine.__file__).parent / "unet" / "shipped"
N_FRAMES = 240
"""Of each difficulty."""
SEEDS = {"easy": 1000, "hard": 2000}


def main(target: Path) -> None:
    """Simulate, learn, store."""
    with tempfile.TemporaryDirectory() as folder:
        for difficulty, seed in SEEDS.items():
            simulator = Mosaic(size=1024, n_frames=N_FRAMES, difficulty=difficulty, seed=seed)
            simulator.write(Path(folder) / difficulty)
        model = engine.fit("unet", engine.open(folder), labels_of(folder), held_out=0.05)
    model.save(target)
    print("on the frames held out:")
    for row in model.metadata["metrics"]:
        print(f"{row['name']:<12} F1 {row['f1']:.3f} ({row['f1_low']:.3f} to {row['f1_high']:.3f})")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
