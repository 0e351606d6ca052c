"""The choice of another frame of the folder of the open one."""

from collections.abc import Callable
from typing import Any

from dashboard.kit import Work, choice
from dashboard.pages.mosaics.state import list_frames
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace


class FrameChoice:
    """A select of the frames in the folder of the open one, shown where there are several."""

    def __init__(
        self, session: Session, workspace: Workspace, work: Work, *, on_choose: Callable[[str], None]
    ) -> None:
        self.session, self.workspace, self.work, self.on_choose = session, workspace, work, on_choose
        self.select = choice({}, "frame", label="frame of the folder", sizing_mode="stretch_width")
        self.select.param.update(visible=False, margin=(6, 0, 0, 0))
        self.select.param.watch(self._choose, "value")
        session.param.watch(self._list, "stack")

    def _list(self, *_: Any) -> None:
        stack = self.session.stack
        if stack is None:
            return

        def show(found: dict[str, str]) -> None:
            self.select.param.update(options=found, value=stack.address, visible=len(found) > 1)

        self.work.run(lambda: list_frames(self.workspace, stack.address), show, key="frames")

    def _choose(self, *_: Any) -> None:
        stack, wanted = self.session.stack, self.select.value
        if stack is not None and wanted and wanted != stack.address:
            self.on_choose(wanted)
