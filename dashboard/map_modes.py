"""The maps that a page can show of a result: their names, their titles and the words on their buttons."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class MapMode:
    """One kind of map: its title and button on the Maps page, and on the Mosaics page (frame)."""

    title: str
    button: str
    frame_title: str
    frame_button: str


MAP_MODES: Final = {
    "segments": MapMode("Classes", "classes", "Classes", "classes"),
    "raw": MapMode("Raw values", "raw", "Frame", "frame"),
    "means": MapMode("Class means", "means", "Class means", "means"),
    "over": MapMode("Classes over raw", "over raw", "Classes over the frame", "over frame"),
    "confidence": MapMode("Confidence", "confidence", "Confidence", "confidence"),
    "entropy": MapMode("Entropy of the classes", "entropy", "Entropy of the classes", "entropy"),
}
"""Labels, raw values, means of the classes, classes over raw values, confidence, entropy; by name."""
MODES: Final = tuple(MAP_MODES)
MAP_BUTTONS: Final = {
    MAP_MODES[name].button: name for name in ("segments", "raw", "means", "over", "confidence")
}
"""Mode by the word on its button, in the order of the Maps page."""
FRAME_BUTTONS: Final = {
    MAP_MODES[name].frame_button: name for name in ("over", "raw", "segments", "confidence", "entropy")
}
"""Mode by the word on its button, in the order of the Mosaics page."""
