"""Progress, cancel, and what long work keeps, without passing them through every call.

Whoever starts long work installs a reporter with `reporting`; the engine calls `report` per tile, pass and
stage. Without a reporter nothing happens. A reporter raises `CancelledError` to stop the work.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

Reporter = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done; raises `CancelledError` to cancel."""

Recorder = Callable[[Mapping[str, float]], None]
"""Called with figures that belong together, such as those of an epoch of training."""

_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_keep: ContextVar[Path | None] = ContextVar("keep", default=None)
_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)
_span: ContextVar[tuple[float, float]] = ContextVar("span", default=(0.0, 1.0))


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Send reports of this block to `reporter`."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


@contextmanager
def stage(start: float, stop: float) -> Iterator[None]:
    """Scale the reports of this block to the part `start`...`stop` of the enclosing stage.

    Parameters
    ----------
    start : float
        Share of the enclosing stage that is done at the beginning.
    stop : float
        Share of the enclosing stage that is done at the end.
    """
    low, high = _span.get()
    token = _span.set((low + start * (high - low), low + stop * (high - low)))
    try:
        yield
    finally:
        _span.reset(token)


def report(share: float, doing: str) -> None:
    """Report the share of the current stage that is done.

    Parameters
    ----------
    share : float
        Part that is done, 0 to 1.
    doing : str
        Words for the progress.

    Raises
    ------
    CancelledError
        If the work was cancelled.
    """
    reporter = _reporter.get()
    if reporter is not None:
        low, high = _span.get()
        reporter(low + share * (high - low), doing)


@contextmanager
def keeping(folder: Path, recorder: Recorder) -> Iterator[None]:
    """Let work of this block keep what it has finished in `folder`, and send its figures to `recorder`.

    Parameters
    ----------
    folder : Path
        Folder for what is finished.
    recorder
        Called with the figures of a training.
    """
    tokens = _keep.set(folder), _recorder.set(recorder)
    try:
        yield
    finally:
        _keep.reset(tokens[0])
        _recorder.reset(tokens[1])


def checkpoint_folder() -> Path | None:
    """Return the folder in which work that is started again finds what it had finished.

    None: there is none.
    """
    return _keep.get()


def record(figures: Mapping[str, float]) -> None:
    """Note figures that belong together, such as those of an epoch, for people to follow."""
    recorder = _recorder.get()
    if recorder is not None:
        recorder(figures)
