"""Networks as files."""

from hashlib import sha256
from pathlib import Path

import pytest

from engine.errors import FileError
from engine.learning.networks import file_digest, load_network


def test_a_file_is_known_by_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(b"network")
    assert file_digest(tmp_path / "a.keras") == sha256(b"network").hexdigest()


def test_a_missing_or_broken_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read the network .*give a .keras file"):
        file_digest(tmp_path / "none.keras")
    (tmp_path / "b.keras").write_bytes(b"nothing")
    with pytest.raises(FileError, match="is no network that can be read"):
        load_network(str(tmp_path / "b.keras"), "digest")
