"""The command `mapstack`: the engine's commands, and `serve`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.__main__ import main as engine_main

DEFAULT_PORT: Final = 5006


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return engine_main(
        arguments, program="mapstack", more={"serve": ("dashboard.server:serve", _serve_options)}
    )


def _serve_options(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    add = parser.add_argument
    add("roots", nargs="*", metavar="ROOT", type=Path, help="folders whose data the page may open")
    add("--port", type=int, default=DEFAULT_PORT)
    add("--address", default="127.0.0.1", help="this machine only, until there is log-in")
    add("--results", metavar="DIR", type=Path, help="folder of jobs and results ($MAPSTACK_HOME)")
    add("--scheduler", metavar="ADDRESS", help="Dask scheduler to compute on, such as tls://host:8786")
    add("--workers", metavar="N", type=int, help="worker processes of this machine")
    add("--unused-session-lifetime", metavar="MS", type=int, default=600_000)
    add("--check-unused-sessions", metavar="MS", type=int, default=30_000)


if __name__ == "__main__":
    sys.exit(main())
