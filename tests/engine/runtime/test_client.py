"""Which Dask computes, and that a killed worker process does no harm."""

import os
import signal
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest
from job_fakes import until

from engine.errors import FileError, InputError
from engine.runtime.client import connect, environment, workers_alive


def _reach(address: str) -> None:
    with connect(address):
        pass


def _held(number: int, gate: Path) -> int:
    """Tell which process works, and work until the gate opens."""
    gate.with_name(f"held.{os.getpid()}").touch()
    until(gate.exists)
    return number


def _listening_addresses() -> set[str]:
    me = psutil.Process()
    family = [me, *me.children(recursive=True)]
    return {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def test_threads_are_the_default_and_no_client_is_there() -> None:
    with connect() as client:
        assert client is None
        assert dask.config.get("scheduler") == "threads"


def test_worker_processes_survive_a_kill_listen_on_this_machine_only_and_need_keys(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    parts = [dask.delayed(_held)(number, gate) for number in range(4)]
    with connect(workers=2) as client:
        before = set(client.run(os.getpid).values())
        assert workers_alive(client) == len(before) == 2
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
        assert _listening_addresses() == {"127.0.0.1"}
        assert dask.config.get("distributed.deploy.lost-worker-timeout") == "24h"
        future = client.compute(dask.delayed(sum)(parts))
        until(lambda: list(tmp_path.glob("held.*")) != [])
        os.kill(int(next(tmp_path.glob("held.*")).suffix[1:]), signal.SIGKILL)
        gate.touch()
        assert future.result(timeout=60) == 0 + 1 + 2 + 3
        until(lambda: workers_alive(client) == 2)
        assert set(client.run(os.getpid).values()) != before
        with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://.*check the address"):
            _reach(client.scheduler.address.replace("tls", "tcp"))


def test_another_process_reaches_the_same_scheduler_with_the_keys_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(workers=1) as client:
        told = environment(client, tmp_path / "keys")
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
        monkeypatch.setenv("MAPSTACK_TLS", told["MAPSTACK_TLS"])
        with connect(told["MAPSTACK_SCHEDULER"]) as second:
            assert second.submit(np.add, 1, 2).result() == 3


def test_a_missing_key_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSTACK_TLS", str(tmp_path))
    with pytest.raises(FileError, match=r"ca\.pem cannot be read"):
        _reach("tls://127.0.0.1:1")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scheduler": "tcp://127.0.0.1:1", "workers": 2}, "give one of them"),
        ({"workers": 0}, "0 workers asked for; give a number from 1"),
        ({"scheduler": "nonsense://x"}, "no Dask scheduler answers at nonsense://x"),
    ],
)
def test_wrong_wishes_are_refused(given: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence), connect(**given):
        pass
