"""Many SEM images as one job: killed and resumed, its memory, and its speed beside `predict` image by image.

    python benchmarks/micrographs_many.py [--images 20000] [--folder FOLDER]

The images are simulated, 256 x 256 with data bars. The peer is what a script does without thinking: open an
image with Pillow, make it grey, cut and scale it, and call Keras' `model.predict` on it. FOLDER keeps what is
made for another time.
"""

import argparse
import tempfile
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from _jobs import killed_and_resumed
from PIL import Image

from engine.analysis import find_shipped_model, load_model
from engine.export.store import open_result
from engine.image_classes.network_inputs import standardise
from engine.image_classes.predict import TOGETHER
from engine.learning.networks import load_network
from engine.schema import IMAGE_TABLE, table
from engine.simulate.sem import Sem

SEED = 7950
N_PEER = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = options.folder or Path(temporary)
        pictures, result = place / "pictures", place / "result.zarr"
        if not pictures.exists():
            write(pictures, options.images)
        spent = killed_and_resumed(
            ["run", "micrographs", str(pictures), "--out", str(result)],
            place / "home",
            n_parts=-(-options.images // TOGETHER),
            pattern="pictures_*.npz",
            what="lots",
        )
        n_done = table(open_result(result), IMAGE_TABLE).sizes["image"]
        ours, theirs = n_done / spent, one_by_one(sorted(pictures.rglob("*.png"))[:N_PEER])
        print(f"{n_done} images in {spent:.0f} s, start-up and kill included: {ours:.1f} a second")
        print(f"model.predict image by image: {theirs:.1f} a second; ratio {ours / theirs:.1f} x")


def write(folder: Path, n_images: int) -> None:
    """Simulate on both cores."""
    folder.mkdir(parents=True)
    with Pool(2) as pool:
        pool.starmap(_write_one, [(folder, n) for n in range(n_images)], chunksize=100)


def _write_one(folder: Path, number: int) -> None:
    made = Sem(n_images=number + 1, seed=SEED).image(number)
    (folder / made.label).mkdir(exist_ok=True)
    Image.fromarray(made.image).save(folder / made.label / f"sem_{number:05d}.png", compress_level=1)


def one_by_one(files: list[Path]) -> float:
    """Images a second of the plain way."""
    model = load_model(find_shipped_model("micrographs"))
    network, edge = load_network(str(model.network), "peer"), model.settings["edge"]

    def classify(file: Path) -> int:
        with Image.open(file) as picture:
            side = min(picture.size)
            small = picture.convert("L").crop((0, 0, side, side)).resize((edge, edge))
        return int(network.predict(standardise(np.asarray(small)[np.newaxis]), verbose=0).argmax())

    classify(files[0])
    began = time.monotonic()
    for file in files:
        classify(file)
    return len(files) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
