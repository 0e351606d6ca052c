"""Progress and cancel, without passing them through every call.

Whoever starts long work installs a reporter with `reporting`; the engine calls `report` per tile, pass and
stage. Without a reporter nothing happens. A reporter raises `CancelledError` to stop the work.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Reporter = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done; raises `CancelledError` to cancel."""

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
    """Scale the reports of this block to the part `start`...`stop` of the enclosing stage."""
    low, high = _span.get()
    token = _span.set((low + start * (high - low), low + stop * (high - low)))
    try:
        yield
    finally:
        _span.reset(token)


def report(share: float, doing: str) -> None:
    """Report the share of the current stage that is done.

    Raises
    ------
    CancelledError
        If the work was cancelled.
    """
    reporter = _reporter.get()
    if reporter is not None:
        low, high = _span.get()
        reporter(low + share * (high - low), doing)
