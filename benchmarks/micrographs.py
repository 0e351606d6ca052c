"""How well simulated SEM images are classified, how sure that is, and what is called unlike anything seen.

    python benchmarks/micrographs.py [--model DIR] [--images 1000] [--train 0] [--small]

The classes of simulated images (seeds that no training saw, so all their samples are new): precision, recall
and F1 with intervals from drawing the samples again, beside the commonest class; calibration; risk at 95 %
coverage. Then noise, pages of text and simulated HR-TEM frames: how many are unlike anything seen. Simulated
data say nothing of real ones. --train N trains a network on N images first (the setting's 8 minutes at most),
and --small the baseline of earlier systems beside it.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr
from PIL import Image, ImageDraw, ImageFont

import engine
from engine.analysis import Model, find_shipped_model, load_model
from engine.learning import scores
from engine.learning.calibration import calibration_error, risk_coverage
from engine.readers.images.picture_files import read_gray
from engine.schema import IMAGE_TABLE, table
from engine.simulate.hrtem import Hrtem
from engine.simulate.sem import Sem

SEED = 7900
TRAINING_SEED = 7100
N_UNKNOWN = 50
COVERAGE = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=find_shipped_model("micrographs"))
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--train", type=int, default=0)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        seen = Sem(n_images=options.images, seed=SEED).write(Path(temporary) / "sem")
        models = {"model": load_model(options.model)}
        if options.train:
            taught = Sem(n_images=options.train, seed=TRAINING_SEED).write(Path(temporary) / "taught")
            models = {name: trained(taught, name) for name in ("compact", *(["small"] * options.small))}
        for name, model in models.items():
            learned, *_ = model.metadata["n_pictures"]
            print(f"\n{name}: {model.metadata['n_weights']} weights, learned from {learned} pictures")
            judge(model, engine.open(seen))
            judge_unknown(model)


def trained(folder: Path, network: str) -> Model:
    began = time.monotonic()
    model = engine.fit("micrographs", engine.open(folder), network=network)
    print(f"{network}: trained in {(time.monotonic() - began) / 60:.1f} minutes, reading included")
    return model


def judge(model: Model, images: xr.Dataset) -> None:
    """Print scores by class, calibration, and errors with and without abstaining."""
    rows = table(engine.run("micrographs", images, model=model), IMAGE_TABLE).load()
    truth, chances = rows["truth"].values.astype(int) - 1, rows["probability"].values.astype(np.float64)
    found, parents = chances.argmax(axis=1), images["parent"].values
    n_classes = chances.shape[1]
    counts = np.stack(
        [
            scores.confusion(truth[parents == p], found[parents == p], n_classes=n_classes)
            for p in np.unique(parents)
        ]
    )
    report = scores.report(counts, model.class_names)
    for row in report:
        print(
            f"  {row['name']:<28} precision {row['precision']:.3f} recall {row['recall']:.3f}"
            f" F1 {row['f1']:.3f} ({row['f1_low']:.3f} to {row['f1_high']:.3f}), {row['support']}"
        )
    common = np.bincount(truth).max() / truth.size
    baseline = 2 * common / (1 + common) / n_classes
    macro = np.mean([row["f1"] for row in report])
    print(f"macro F1 {macro:.3f} (always the commonest class: {baseline:.3f})")
    print(f"expected calibration error {calibration_error(chances, truth):.3f}")
    curve = risk_coverage(chances.max(axis=1), found == truth)
    kept = int(np.searchsorted(curve.coverage, COVERAGE))
    print(f"error {curve.risk[-1]:.4f}, of the surest 95 % {curve.risk[kept]:.4f}")
    answered = ~rows["abstained"].values
    print(
        f"answered {answered.mean():.3f}, of these wrong {np.mean(found[answered] != truth[answered]):.4f};"
        f" unlike anything {rows['unlike'].values.mean():.3f}"
    )


def judge_unknown(model: Model) -> None:
    """Print the shares of what is no SEM image that are unlike anything seen."""
    rng = np.random.default_rng(SEED)
    hrtem = Hrtem(size=512, seed=SEED)
    kinds = {
        "normal noise": [rng.normal(128, 30, (512, 512)) for _ in range(N_UNKNOWN)],
        "uniform noise": [rng.uniform(0, 255, (256, 256)) for _ in range(N_UNKNOWN)],
        "counts": [rng.poisson(rng.uniform(2, 50), (512, 512)) for _ in range(N_UNKNOWN)],
        "pages of text": [page(rng) for _ in range(N_UNKNOWN)],
        "HR-TEM, simulated": [hrtem.frame(n).image for n in range(N_UNKNOWN)],
        "HR-TEM, real": real("hrtem"),
        "SEM, real": real("sem"),
    }
    for name, pictures in kinds.items():
        rows = [table(engine.run("micrographs", dataset(one), model=model), IMAGE_TABLE) for one in pictures]
        if rows:
            unlike = [bool(row["unlike"][0]) for row in rows]
            silent = [bool(row["abstained"][0]) for row in rows]
            shares = f"unlike anything {np.mean(unlike):.2f}, no answer {np.mean(silent):.2f}"
            print(f"{name:<18} {len(rows):>3}: {shares}")


def dataset(picture: np.ndarray) -> xr.Dataset:
    return xr.Dataset({"picture": (("y", "x"), np.asarray(picture, np.float32))})


def page(rng: np.random.Generator) -> np.ndarray:
    """A page of words."""
    picture = Image.new("L", (600, 800), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=int(rng.integers(10, 26)))
    for y in range(30, 760, int(font.size * 1.4)):
        words = (
            "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(2, 10))) for _ in range(12)
        )
        draw.text((40, y), " ".join(words), font=font, fill=int(rng.integers(0, 80)))
    return np.asarray(picture)


def real(kind: str) -> list[np.ndarray]:
    """Real micrographs, where they are here."""
    shared = Path(os.environ.get("MAPSTACK_SHARED", Path(__file__).parents[2] / "shared")) / "data" / kind
    files = [f for f in sorted(shared.rglob("*.png")) if "mask" not in str(f) and "segmaps" not in str(f)]
    return [read_gray(file) for file in files]


if __name__ == "__main__":
    main()
