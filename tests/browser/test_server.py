"""The server process itself: health, foreign pages, the end."""

import http.client
import os

import pytest

from tests.browser.conftest import serve, stop

pytestmark = pytest.mark.browser

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def test_a_server_with_workers_runs_a_job_tells_its_health_refuses_foreign_pages_and_ends_cleanly(
    simulated, tmp_path, page
):
    served = serve([simulated], tmp_path / "home", "--workers", "2")
    try:
        health = served.health()
        assert set(health) >= {"sessions", "jobs", "workers"}
        assert health["workers"] == 2
        page.goto(f"{served.url}/maps?data=maps")
        page.locator("#data-title").wait_for(timeout=30_000)
        page.locator("#run").click()
        page.locator('tr[data-label="2"]').wait_for(timeout=60_000)
        assert served.health()["jobs"]["done"] >= 1
        connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/maps/ws", headers={**HANDSHAKE, "Origin": "http://evil.example"})
        assert connection.getresponse().status == 403
    finally:
        assert stop(served) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(served.process.pid, 0)
