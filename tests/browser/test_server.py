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


def test_a_server_tells_its_health_refuses_foreign_pages_and_ends_cleanly(simulated, tmp_path):
    served = serve([simulated], tmp_path / "home")
    try:
        health = served.health()
        assert set(health) >= {"sessions", "jobs", "workers"}
        connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/maps/ws", headers={**HANDSHAKE, "Origin": "http://evil.example"})
        assert connection.getresponse().status == 403
    finally:
        assert stop(served) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(served.process.pid, 0)
