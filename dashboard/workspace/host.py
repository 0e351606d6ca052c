"""The server's roots, home, cache and warm processes, which all visits share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.workspace.cache import SharedCache
from dashboard.workspace.workspace import LOCAL, Workspace


@dataclass(frozen=True)
class Host:
    """Roots, home and processes of one server, from which each visit gets a workspace."""

    roots: list[Path]
    home: Path
    cache: SharedCache = field(repr=False)
    pool: Any = field(repr=False, default=None)

    def open_workspace(self, user: str = LOCAL) -> Workspace:
        """Return the workspace of a user; here a folder a user would be chosen."""
        return Workspace(self.roots, self.home, self.cache, pool=self.pool, user=user)
