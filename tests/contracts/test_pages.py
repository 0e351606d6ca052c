"""What every page keeps to: it builds without a browser, its layout shows all of it, tabs share nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import param
import pytest
from bokeh.document import Document

from dashboard import theme
from dashboard.components import Toasts
from dashboard.kit import Work
from dashboard.pages import PAGES
from dashboard.pages.base import Page, PageContext
from dashboard.pages.layout import fill_layout
from dashboard.workspace.cache import SharedCache
from dashboard.workspace.host import Host
from dashboard.workspace.session import Session
from engine import catalogue
from engine.simulate.ellipsometry_maps import Maps
from engine.simulate.hrtem import Hrtem
from engine.simulate.mosaic import Mosaic
from engine.simulate.sem import Sem

theme.install()
pytestmark = pytest.mark.filterwarnings("ignore:.*Widget.name.*:PendingDeprecationWarning")


class QueuedWork(Work):
    """Work that waits until the test asks for it, so that no thread and no event loop is needed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.queue: list[Any] = []

    def run(self, work: Any, then: Any, *, key: str, failed: Any = lambda: None) -> None:
        del key, failed
        self.queue.append(lambda: then(work()))

    def post(self, action: Any) -> None:
        self.queue.append(action)

    def finish(self) -> None:
        while self.queue:
            self.queue.pop(0)()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    root = tmp_path_factory.mktemp("served")
    Maps(n_regions=3, size=32, n_wavelengths=4, seed=3, holes=0.0).write(root / "maps")
    Mosaic(size=64, n_frames=1, seed=1).write(root / "mosaic")
    Hrtem(size=96, n_frames=2, n_particles=1, pixel_size=0.05, seed=3).write(root / "hrtem")
    Sem(n_images=4, size=64, images_per_parent=1, databar=False).write(root / "sem")
    home = tmp_path_factory.mktemp("home")
    return Host([root], home, SharedCache(home))


def open_context(host: Host, **query: str) -> PageContext:
    toasts = Toasts()
    document = Document()
    return PageContext(
        workspace=host.open_workspace(),
        session=Session(),
        work=QueuedWork(document, toasts.show),
        toasts=toasts,
        query=query,
        go=lambda _: None,
    )


def name_page(page: Page) -> str:
    return page.slug or "welcome"


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_a_layout_shows_every_part_of_its_page_and_no_other(page: Page, host: Host):
    parts = page.build(open_context(host))
    html = fill_layout(page.slug, page.layout, parts)
    for name in parts:
        assert html.count(f"{{{{ embed(roots.{name}) }}}}") == 1


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_two_tabs_share_no_widget_and_no_state(page: Page, host: Host):
    parts = [page.build(open_context(host)) for _ in range(2)]
    first, second = ({id(each) for part in tab.values() for each in find_all(part)} for tab in parts)
    assert first
    assert not first & second


def find_all(part: Any) -> list[param.Parameterized]:
    return list(part.select()) if hasattr(part, "select") else [part]


@pytest.mark.parametrize("page", [page for page in PAGES if page.analysis], ids=name_page)
def test_a_page_opens_the_example_of_its_analysis(page: Page, host: Host, monkeypatch: pytest.MonkeyPatch):
    """The data are shown and written into the URL; the card of the data names them."""
    address = host.open_workspace().find_example(page.analysis)
    assert address is not None
    started: list[Any] = []
    monkeypatch.setattr("panel.state", SimpleNamespace(onload=started.append), raising=False)
    context = open_context(host, data=address)
    urls: list[Any] = []
    context.go = urls.append
    parts = page.build(context)
    (start,) = started
    start()
    context.work.finish()
    assert context.session.stack is not None
    assert context.session.stack.title in str(parts["data"].object)
    context.session.param.trigger("stack")
    assert urls[-1]["data"] == address


@pytest.mark.parametrize("page", [page for page in PAGES if page.analysis], ids=name_page)
def test_the_analysis_of_a_page_names_that_page(page: Page):
    assert catalogue.find("analyses", page.analysis).page == page.slug


def test_a_layout_with_a_part_that_the_page_does_not_give_is_refused():
    with pytest.raises(LookupError, match="listing"):
        fill_layout("jobs", "job_list.html", {})


def test_a_part_without_a_place_in_the_layout_is_refused():
    with pytest.raises(LookupError, match="leaves out what its page gives: forgotten"):
        fill_layout("jobs", "job_list.html", {"listing": None, "forgotten": None})


def test_the_workspace_alone_says_which_files_may_be_opened(host: Host, tmp_path: Path):
    other = Host([tmp_path], host.home, host.cache).open_workspace("ann")
    assert other.user == "ann"
    assert other.find_example("unet") is None
    assert host.open_workspace().find_example("unet") == "mosaic/frame_000.fits"
