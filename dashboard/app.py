"""The shell: one App for each session, with navigation, theme, notifications, About, and the URL."""

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlencode

import panel as pn
from panel.io.resources import LOCAL_DIST

from dashboard import theme
from dashboard.components import Toasts
from dashboard.kit import ASSETS, Work, escape, markup, sentence
from dashboard.pages import PAGES
from dashboard.pages.base import Page, PageContext
from dashboard.pages.layout import fill_layout
from dashboard.workspace.host import Host
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import LOCAL

STYLE: Final = "".join((ASSETS / name).read_text(encoding="utf-8") for name in ("theme.css", "page.css"))
SHELL: Final = (ASSETS / "page.html").read_text(encoding="utf-8")
LIBRARIES: Final = {
    "bokeh": "BSD-3-Clause",
    "dask": "BSD-3-Clause",
    "holoviews": "BSD-3-Clause",
    "numba": "BSD-2-Clause",
    "numpy": "BSD-3-Clause",
    "panel": "BSD-3-Clause",
    "scikit-learn": "BSD-3-Clause",
    "xarray": "Apache-2.0",
    "zarr": "MIT",
}


class App:
    """One session of one page; it lives as long as its browser tab."""

    def __init__(self, page: Page, host: Host) -> None:
        self.page = page
        self.toasts = Toasts()
        self.work = Work(pn.state.curdoc, self.toasts.show)
        self.location = pn.state.location
        # known before the page is rendered, or whatever is made until then takes its styles from the internet
        pn.state.curdoc.template_variables["dist_url"] = LOCAL_DIST
        self.context = PageContext(
            workspace=host.open_workspace(find_user()),
            session=Session(),
            work=self.work,
            toasts=self.toasts,
            query=_query(),
            go=self._go,
        )
        pn.state.onload(self.work.ready)
        pn.state.on_session_destroyed(self._close)

    def template(self) -> Any:
        """Build the page."""
        parts = self.page.build(self.context)
        body = fill_layout(self.page.slug, self.page.layout, parts)
        links = [
            {"slug": page.slug, "title": page.title, "here": page is self.page}
            for page in PAGES
            if page.in_navigation
        ]
        shell = pn.Template(SHELL.replace("{{ body }}", body), location=True)
        for name, value in {"style": STYLE, "links": links, "about": about_html()}.items():
            shell.add_variable(name, value)
        for name, part in {"toasts": self.toasts, **parts}.items():
            shell.add_panel(name, part)
        return shell

    def _go(self, query: Mapping[str, str]) -> None:
        if self.location is not None and not self.work.closed:
            self.location.search = f"?{urlencode(query)}" if query else ""

    def _close(self, session_context: Any) -> None:  # noqa: ARG002  (the signature is Panel's)
        self.work.close()
        for close in self.context.closing:
            close()


def find_user() -> str:
    """Return who asks for a page: with log-in, the user of the request; until then always the local user."""
    return LOCAL


def make_pages(host: Host) -> dict[str, Callable[[], Any]]:
    """Return what is served at each address."""
    theme.install()
    return {f"/{page.slug}": _make_page(page, host) for page in PAGES}


def _make_page(page: Page, host: Host) -> Callable[[], Any]:
    def build() -> Any:
        try:
            return App(page, host).template()
        except Exception as error:  # noqa: BLE001  (never a traceback on the page)
            return markup(f"<p>{escape(sentence(error))}</p>")

    return build


def _query() -> dict[str, str]:
    """Return the last value of each name in the URL."""
    return {name: values[-1].decode(errors="replace") for name, values in pn.state.session_args.items()}


def about_html() -> str:
    """Return the HTML of the About box: version, citation, licences, keys."""
    own = version("mapstack")
    rows = "".join(
        f"<tr><td>{escape(name)} {escape(version(name))}</td><td>{escape(licence)}</td></tr>"
        for name, licence in LIBRARIES.items()
    )
    cite = f"Mapstack {own}: segmentation of map stacks, mosaics and micrographs. Software, BSD-3-Clause."
    return (
        f"<h2>Mapstack {escape(own)}</h2>"
        "<p>Opens, segments and shows map stacks. BSD-3-Clause licence.</p>"
        "<p>Keys: <kbd>←</kbd> <kbd>→</kbd> wavelength · <kbd>1</kbd>–<kbd>9</kbd> class ·"
        " <kbd>N</kbd> <kbd>P</kbd> next and previous object · <kbd>R</kbd> relabel the lassoed ·"
        " <kbd>1</kbd>–<kbd>4</kbd> class of the chosen particle,"
        " <kbd>1</kbd>–<kbd>9</kbd> <kbd>0</kbd> of the chosen picture ·"
        " <kbd>Esc</kbd> clear · <kbd>Ctrl</kbd>+<kbd>Z</kbd> undo · <kbd>Ctrl</kbd>+<kbd>Y</kbd> redo</p>"
        f"<p>To cite:</p><pre>{escape(cite)}</pre>"
        f"<p>Built on (Python {escape(sys.version.split()[0])}):</p><table>{rows}</table>"
    )
