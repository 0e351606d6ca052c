"""The server: this machine only, one process, one Dask client, jobs in processes of their own."""

import contextlib
import json
import logging
import os
import signal
import tempfile
import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import panel as pn
from tornado.web import RequestHandler, StaticFileHandler

from engine.errors import FileError, InputError, MapstackError
from engine.runtime import client as dask_client
from engine.runtime import jobs

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
LOG: Final = logging.getLogger("mapstack")
EXPORTS: Final = "exports"
TIDY_MS: Final = 2000


def serve(options: Namespace) -> None:
    """Serve the dashboard in the browser, on this machine only."""
    roots = _roots(options.roots)
    _check(options)
    home = Path(options.results or jobs.default_home()).resolve()
    (home / EXPORTS).mkdir(parents=True, exist_ok=True)
    with dask_client.connect(options.scheduler, workers=options.workers) as dask, _pool(home, dask) as pool:
        from dashboard.workspace.cache import SharedCache
        from dashboard.workspace.host import Host

        host = Host(roots, home, SharedCache(home), pool)
        server = _server(options, host, dask)
        threading.Thread(target=warm_up, args=(host,), daemon=True, name="mapstack-warm").start()
        _run(server, options, host)


def _roots(given: list[Path]) -> list[Path]:
    example = Path("data_example")
    roots = given or ([example] if example.is_dir() else [])
    if not roots:
        raise InputError(
            "nothing to serve: no folder given and no data_example here; give a folder with data"
        )
    for root in roots:
        if not root.is_dir():
            raise FileError(f"{root} is not a folder; give existing folders to serve")
    return [root.resolve() for root in roots]


def _check(options: Namespace) -> None:
    if options.address not in LOOPBACK:
        raise InputError(
            f"--address {options.address} would open Mapstack to the network, which needs log-in;"
            f" give one of {', '.join(LOOPBACK)}"
        )
    if not 0 < options.port < 65536:
        raise InputError(f"--port {options.port} is no port; give a number from 1 to 65535")
    for name in ("unused_session_lifetime", "check_unused_sessions"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1 ms")


@contextlib.contextmanager
def _pool(home: Path, dask: Any) -> Iterator[Any]:
    """Keep a warm process for the next job; processes of jobs reach the same scheduler."""
    with tempfile.TemporaryDirectory(prefix="mapstack-keys-") as keys:
        if dask is not None:
            os.environ.update(dask_client.environment(dask, Path(keys)))
        pool = jobs.Pool(home)
        try:
            yield pool
        finally:
            pool.close()


def _server(options: Namespace, host: Any, dask: Any) -> Any:
    from dashboard.app import make_pages
    from dashboard.pages import PAGES

    origins = [f"{name}:{options.port}" for name in ("localhost", "127.0.0.1")]
    pn.extension(notifications=False)
    try:
        return pn.io.server.get_server(
            make_pages(host),
            port=options.port,
            address=options.address,
            websocket_origin=origins,
            title={f"/{page.slug}": f"{page.title} · Mapstack" for page in PAGES},
            unused_session_lifetime_milliseconds=options.unused_session_lifetime,
            check_unused_sessions_milliseconds=options.check_unused_sessions,
            extra_patterns=[
                (r"/healthz", Health, {"home": host.home, "dask": dask}),
                (r"/exports/([0-9a-f]{32}/[^/]+)", Export, {"path": str(host.home / EXPORTS)}),
            ],
        )
    except OSError as error:
        raise InputError(
            f"port {options.port} cannot be used ({error.strerror or error}); give another --port"
        ) from None


def _run(server: Any, options: Namespace, host: Any) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from tornado.ioloop import PeriodicCallback

    server.io_loop.handle_callback_exception = None
    tidy = PeriodicCallback(lambda: _in_background(jobs.start_waiting, host), TIDY_MS)

    def stop(*_: object) -> None:
        server.io_loop.add_callback_from_signal(server.io_loop.stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.start()
    tidy.start()
    LOG.warning("Mapstack is at http://%s:%s", "localhost", options.port)
    try:
        server.io_loop.start()
    finally:
        tidy.stop()
        with contextlib.suppress(AssertionError, RuntimeError):  # already stopped
            server.stop()


def _in_background(action: Any, host: Any) -> None:
    """Start what waits for a free place, off the event loop."""
    threading.Thread(target=action, args=(host.home,), kwargs={"pool": host.pool}, daemon=True).start()


def warm_up(host: Any) -> None:
    """Open the examples and run their analyses, so that the first visitor sees the results at once."""
    from dashboard.pages import PAGES
    from dashboard.workspace.example_data import open_example

    workspace = host.open_workspace()
    for analysis in [page.analysis for page in PAGES if page.analysis]:
        try:
            if workspace.find_example(analysis) is not None:
                open_example(workspace, analysis)
        except MapstackError as error:
            LOG.warning("no example of %s to show first: %s", analysis, error)


class Health(RequestHandler):
    """`GET /healthz`: 200 while the server and its workers are well."""

    def initialize(self, home: Path, dask: Any) -> None:
        """Take the folder of jobs and the Dask client that are reported on."""
        self.home, self.dask = home, dask

    def get(self) -> None:
        """Answer with sessions, jobs and workers."""
        workers = None if self.dask is None else dask_client.workers_alive(self.dask)
        all_jobs = jobs.list(self.home)
        states = {state: sum(job.state == state for job in all_jobs) for state in {j.state for j in all_jobs}}
        well = workers is None or workers > 0
        self.set_status(200 if well else 503)
        self.set_header("Content-Type", "application/json")
        self.finish(
            json.dumps({"well": well, "sessions": _n_sessions(), "jobs": states, "workers": workers or 0})
        )


def _n_sessions() -> int:
    """Return the number of sessions that are alive."""
    return sum(
        len(list(context.sessions))
        for server, *_ in pn.state._servers.values()
        for context in server._tornado.applications.values()
    )


class Export(StaticFileHandler):
    """Files that a page wrote, at addresses that cannot be guessed."""

    def set_extra_headers(self, path: str) -> None:
        """Have them saved, never shown: they may hold names that users gave."""
        self.set_header("Content-Disposition", f'attachment; filename="{Path(path).name}"')
        self.set_header("X-Content-Type-Options", "nosniff")
