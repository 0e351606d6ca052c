"""Train the classifier of micrographs that Mapstack brings, from simulated SEM images alone.

    python benchmarks/shipped_micrographs.py [FOLDER] [--images 4000]

Writes the model into engine/image_classes/shipped (or FOLDER) with its card.
`benchmarks/micrographs.py` scores it on images of other seeds.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import engine
from engine.simulate.sem import Sem

SHIPPED = Path(engine.__file__).parent / "micrographs" / "shipped"
SEED = 7100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=SHIPPED)
    parser.add_argument("--images", type=int, default=4000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        Sem(n_images=options.images, seed=SEED).write(Path(temporary) / "sem")
        model = engine.fit("micrographs", engine.open(Path(temporary) / "sem"))
    told = {**(model.recipe or {}), "source": None, "digest": None}  # the folder was there for the moment
    replace(model, recipe=told).save(options.folder)
    print(f"accuracy on originals held out {model.metadata['accuracy']:.3f}")


if __name__ == "__main__":
    main()
