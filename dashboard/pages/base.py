"""What a page is: its place in the navigation, its HTML, and the parts that are set into it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.components import Toasts
from dashboard.kit import Work
from dashboard.workspace.workspace import Workspace
from dashboard.workspace.session import Session

Closing = Callable[[], None]


@dataclass
class PageContext:
    """One open tab: what it shows, what it asked for, and how to tell its user something."""

    workspace: Workspace
    session: Session
    work: Work
    toasts: Toasts
    query: Mapping[str, str]
    go: Callable[[Mapping[str, str]], None]
    """Write what is shown into the URL."""
    closing: list[Closing] = field(default_factory=list)
    """Called when the tab is gone."""

    def tell(self, text: str, kind: str = "info") -> None:
        """Say one sentence in the corner."""
        self.toasts.show(text, kind)


@dataclass(frozen=True)
class Page:
    """An entry of the navigation."""

    slug: str
    title: str
    body: str
    """HTML in which `{{ embed(roots.NAME) }}` stands for a part."""
    build: Callable[[PageContext], Mapping[str, Any]]
    """Make the parts for one visit."""
    in_navigation: bool = True
