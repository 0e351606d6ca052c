"""The drop zone: pictures are stored in the home of the server, then opened."""

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
    """A zone that takes files part by part; `on_done` gets the address of the upload."""

    def __init__(self, workspace: Workspace, work: Work, *, on_done: Callable[[str], None]) -> None:
        self.workspace, self.work, self.on_done = workspace, work, on_done
        self.upload: Upload | None = None
        self.zone = DropZone(
            accept=",".join(SUFFIXES),
            text="Drop pictures anywhere, or choose them …",
            listener=lambda message: work.post(lambda: self._receive(message)),
        )

    def close(self) -> None:
        """Delete an upload that has not arrived whole."""
        if self.upload is not None:
            self.upload.discard()
            self.upload = None

    def _receive(self, message: Any) -> None:
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
        self.upload = Upload(self.workspace.uploads, list(message["names"]), list(message["sizes"]))
        n_left_out = len(self.upload.left_out)
        if n_left_out:
            what = f"{n_left_out} files are" if n_left_out > 1 else f"{self.upload.left_out[0]} is"
            self.work.tell(f"{what} no picture and left out.", "info")

    def _part(self, message: Any) -> None:
        if self.upload is not None:
            data = bytes(message["data"])
            self.upload.part(int(message["file"]), data)
            self.zone.taken += len(data)

    def _end(self, _: Any) -> None:
        if self.upload is not None:
            path: Path = self.upload.finish()
            self.upload = None
            self.on_done(self.workspace.find_address(str(path)))
