"""Files damaged on purpose, and what a reader makes of them."""

from pathlib import Path

import numpy as np

from engine.errors import MapstackError
from engine.readers import describe, digest, open_images

N_MUTATIONS = 60


def mutations(raw: bytes, *, seed: int) -> list[bytes]:
    """The same bytes cut off, with a few bytes changed, or with a piece moved in; early bytes more often."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(N_MUTATIONS):
        changed = bytearray(raw)
        places = (len(raw) * rng.random(1 + n % 4) ** (1 + n % 3)).astype(int)
        for place in places:
            changed[place] = rng.integers(256)
        if n % 3 == 0:
            del changed[int(len(raw) * rng.random()) :]
        elif n % 3 == 1:
            changed[places[0] : places[0]] = rng.bytes(4)
        made.append(bytes(changed))
    return made


def outcome(path: Path) -> str:
    """What the user sees: `opened`, or the sentence."""
    try:
        images = open_images(path)
        describe(images)
        images.load()
        digest(path)
    except MapstackError as error:
        return str(error)
    return "opened"


def are_plain(outcomes: list[str]) -> bool:
    """Whether all outcomes are fit to be shown, and the damage was not always harmless."""
    return all(text.strip() and "\n" not in text for text in outcomes) and set(outcomes) != {"opened"}
