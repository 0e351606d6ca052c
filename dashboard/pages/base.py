"""Pages of the navigation, and what each open tab is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.components import Toasts
from dashboard.kit import Work
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace

Closing = Callable[[], None]


@dataclass
class PageContext:
    """One open tab: its workspace, what it shows, its URL, and how to tell its user something."""

    workspace: Workspace
    session: Session
    work: Work
    toasts: Toasts
    query: Mapping[str, str]
    go: Callable[[Mapping[str, str]], None]
    """Writes what is shown into the URL."""
    closing: list[Closing] = field(default_factory=list)
    """Called when the tab is closed."""

    def tell(self, text: str, kind: str = "info") -> None:
        """Show one sentence in the corner.

        Parameters
        ----------
        text
            The sentence.
        kind
            `info`, `success` or `error`.
        """
        self.toasts.show(text, kind)


@dataclass(frozen=True)
class Page:
    """An entry of the navigation."""

    slug: str
    title: str
    layout: str
    """File in `assets` in which `{{ part("name") }}` stands for a part."""
    build: Callable[[PageContext], Mapping[str, Any]]
    """Makes the parts of one tab."""
    in_navigation: bool = True
    analysis: str = ""
    """Name in the catalogue of the analysis whose results it shows; empty: of none."""
