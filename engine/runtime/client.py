"""Choice of the Dask scheduler: threads, worker processes, or a cluster.

The engine never starts a client by itself; the command line, the server and a job's process do, here.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import dask
from dask.system import CPU_COUNT

from engine import blocks
from engine.errors import FileError, InputError

TLS_FILES: Final = {"tls_ca_file": "ca.pem", "tls_client_cert": "cert.pem", "tls_client_key": "key.pem"}
"""Files in the folder that `$MAPSTACK_TLS` names, by the setting of Dask they are."""

SETTINGS: Final = {
    # with the default of 15 s, a cluster whose worker is killed can lose all its workers for good
    "distributed.deploy.lost-worker-timeout": "24h",
    "distributed.scheduler.allowed-failures": 3,
}

KERAS: Final = "keras"
"""Resource of the workers that run networks."""
PATIENCE: Final = "10s"
"""How long a remote scheduler may take to answer."""


@contextmanager
def connect(scheduler: str | None = None, *, workers: int | None = None) -> Iterator[Any]:
    """Let everything that is computed in the block run on threads, worker processes, or a scheduler.

    Parameters
    ----------
    scheduler
        Address such as `tls://host:8786`. Its keys lie in the folder `$MAPSTACK_TLS` (`ca.pem cert.pem
        key.pem`), or where Dask's own settings say.
    workers
        Number of worker processes to start on this machine, reachable from this machine only and with
        keys made for the occasion.

    Yields
    ------
    distributed.Client or None
        None for threads, the default.

    Raises
    ------
    InputError
        If both are given, the number is not from 1, or no scheduler answers.
    FileError
        If a key is missing.
    """
    if scheduler and workers is not None:
        raise InputError("both a scheduler and a number of workers are given; give one of them")
    if scheduler:
        with _remote(scheduler) as client:
            yield client
    elif workers is not None:
        with _local(workers) as client:
            yield client
    else:
        with dask.config.set(scheduler="threads"):
            yield None


def workers_alive(client: Any) -> int:
    """Return the number of workers that the scheduler has now; 0 where it does not answer."""
    try:
        return len(client.scheduler_info()["workers"])
    except (OSError, ValueError):
        return 0


def environment(client: Any, folder: Path) -> dict[str, str]:
    """Environment variables with which other processes reach the same scheduler; keys go into `folder`.

    Parameters
    ----------
    client
        The Dask client.
    folder : Path
        Folder for the keys.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = {"MAPSTACK_SCHEDULER": str(client.scheduler.address)}
    for setting, name in TLS_FILES.items():
        key = getattr(client.security, setting)
        if key is None:
            return told
        (folder / name).touch(mode=0o600)
        text = key if "-----BEGIN" in key else Path(key).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    return {**told, "MAPSTACK_TLS": str(folder)}


def keras_resource() -> Mapping[str, float]:
    """Return what a task that runs a network takes of a worker, so that a worker does one at a time.

    None locally.

    Workers that are started with `--resources keras=1`, one a GPU, are the only ones that get such tasks.
    """
    client = blocks.active_client()
    workers = {} if client is None else client.scheduler_info()["workers"]
    return {KERAS: 1} if any(KERAS in w.get("resources", {}) for w in workers.values()) else {}


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if workers < 1:
        raise InputError(f"{workers} workers asked for; give a number from 1")
    with (
        dask.config.set(SETTINGS),
        tempfile.TemporaryDirectory(prefix="mapstack-") as scratch,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=max(1, CPU_COUNT // workers),
            security=True,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=scratch,
            resources={KERAS: 1},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def _remote(address: str) -> Iterator[Any]:
    from distributed import Client
    from distributed.comm import resolve_address

    security = _security(address)
    try:
        resolve_address(address)  # a client of an address that is none cannot be deleted quietly
        # A first client that is not Dask's default: one that fails to connect would stay the default for
        # good, and whatever is computed later would wait for it.
        Client(address, security=security, timeout=PATIENCE, set_as_default=False).close()
        client = Client(address, security=security, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address} ({' '.join(str(error).split())});"
            " check the address, that it runs, and its keys"
        ) from None
    with client:
        yield client


def _security(address: str) -> Any:
    """Return the keys for a scheduler that is reached with TLS; None leaves it to Dask's own settings."""
    from distributed.security import Security

    folder = os.environ.get("MAPSTACK_TLS")
    if not folder or not address.startswith("tls://"):
        return None
    files = {setting: Path(folder) / name for setting, name in TLS_FILES.items()}
    for file in files.values():
        if not os.access(file, os.R_OK):
            raise FileError(
                f"{file} cannot be read; MAPSTACK_TLS names a folder with ca.pem, cert.pem, key.pem"
            )
    return Security(require_encryption=True, **{setting: str(file) for setting, file in files.items()})
