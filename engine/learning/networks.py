"""Networks as files: named by their content, and loaded once a process."""

import tempfile
import threading
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from engine.errors import FileError
from engine.runtime.device import wake_keras

if TYPE_CHECKING:
    import keras

_loading: Final = threading.Lock()


def file_digest(path: str | Path) -> str:
    """SHA-256 of a network's file.

    Raises
    ------
    FileError
        If it cannot be read.
    """
    try:
        return sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise FileError(f"cannot read the network {path} ({error.strerror}); give a .keras file") from None


def load_network(path: str, digest: str) -> "keras.Model":
    """Return the network in a `.keras` file, read once a process as long as its digest is the same.

    Parameters
    ----------
    path : Path
        The file.
    digest : str
        SHA-256 of the file.

    Raises
    ------
    FileError
        If it is no network.
    """
    with _loading:  # threads that begin together would each read it
        return _load_network(path, digest)


@lru_cache(maxsize=4)
def _load_network(path: str, digest: str) -> "keras.Model":  # noqa: ARG001  (a part of the key)
    wake_keras()
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything
        raise FileError(
            f"{path} is no network that can be read ({type(error).__name__}); give a .keras file"
        ) from error


def keep_network(network: "keras.Model") -> Path:
    """Write a network into the user's cache, named by its content."""
    folder = platformdirs.user_cache_path("mapstack") / "networks" / "trained"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        file = Path(draft) / "network.keras"
        network.save(file)
        path = folder / f"{file_digest(file)}.keras"
        file.replace(path)
    return path
