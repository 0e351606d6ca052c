"""How long after pictures are dropped on the Micrographs page their answers stand there, one after the other.

    python benchmarks/dropped_pictures.py [--pictures 6] [--pause 1.5]

Simulated pictures of 512 x 512, each given to the page's field for files in a real Chromium, until the card
of that picture with its evidence is drawn; the pause is between an answer and the next picture.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from viewing import CHROMIUM, FLAGS, served

from engine.simulate.sem import Sem

SEED = 3
ANSWERED = """
(file) => {
  const below = function* (root) {
    for (const element of root.querySelectorAll("*")) {
      yield element
      if (element.shadowRoot) yield* below(element.shadowRoot)
    }
  }
  return [...below(document)].some((element) =>
    element.matches(".answer") && element.dataset.file === file && element.querySelector("#answer-evidence"))
}
"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--pause", type=float, default=1.5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder) / "data", Path(folder) / "home"
        Sem(n_images=2 * options.pictures, size=512, seed=SEED).write(root / "sem")
        files = sorted(root.rglob("*.png"))[: options.pictures]
        with served(root, home) as url, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}/micrographs")
            page.locator("#answer-class").wait_for(timeout=120_000)
            page.wait_for_timeout(8000)  # the example is shown; the spare process gets warm
            took = [seconds_to_answer(page, file, options.pause) for file in files]
            browser.close()
    print("seconds from a dropped picture to its answer: " + " ".join(f"{each:.2f}" for each in took))
    print(f"median {np.median(took):.2f} s, largest {max(took):.2f} s")


def seconds_to_answer(page: Any, file: Path, pause: float) -> float:
    began = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files(file)
    page.wait_for_function(ANSWERED, arg=file.name, timeout=60_000)
    took = time.perf_counter() - began
    time.sleep(pause)
    return took


if __name__ == "__main__":
    main()
