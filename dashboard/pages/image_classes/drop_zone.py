"""Where pictures are dropped: they are kept in the server's folder of results, then opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboard.components import DropZone
from dashboard.kit import Work, sentence
from dashboard.workspace.uploads import Upload
from dashboard.workspace.workspace import Workspace
from engine.errors import MapstackError
from engine.readers.labels.labelled_folder import SUFFIXES


class ImageDropZone:
    """Takes files part by part; `on_done` gets the address of what was dropped."""

    def __init__(self, workspace: Workspace, work: Work, *, on_done: Callable[[str], None]) -> None:
        self.workspace, self.work, self.on_done = workspace, work, on_done
        self.drop: Upload | None = None
        self.zone = DropZone(
            accept=",".join(SUFFIXES),
            text="Drop pictures anywhere, or choose them …",
            listener=lambda message: work.post(lambda: self._heard(message)),
        )

    def close(self) -> None:
        """Forget what has not arrived whole."""
        if self.drop is not None:
            self.drop.discard()
            self.drop = None

    def _heard(self, message: Any) -> None:
        actions: dict[str, Callable[[Any], None]] = {
            "begin": self._begin,
            "part": self._part,
            "end": self._end,
        }
        try:
            actions[message["do"]](message)
        except MapstackError as error:
            self.close()
            self.zone.refused = sentence(error)
            self.work.tell(sentence(error), "error")

    def _begin(self, message: Any) -> None:
        self.close()
        self.zone.param.update(taken=0, refused="")
        self.drop = Upload(self.workspace.uploads, list(message["names"]), list(message["sizes"]))
        n_left_out = len(self.drop.left_out)
        if n_left_out:
            what = f"{n_left_out} files are" if n_left_out > 1 else f"{self.drop.left_out[0]} is"
            self.work.tell(f"{what} no picture and left out.", "info")

    def _part(self, message: Any) -> None:
        if self.drop is not None:
            data = bytes(message["data"])
            self.drop.part(int(message["file"]), data)
            self.zone.taken += len(data)

    def _end(self, _: Any) -> None:
        if self.drop is not None:
            path: Path = self.drop.finish()
            self.drop = None
            self.on_done(self.workspace.find_address(str(path)))
