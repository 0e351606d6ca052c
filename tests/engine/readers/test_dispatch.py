"""Tests of `engine.readers.dispatch`: choice of the reader and the part of a file for a path."""

from pathlib import Path

from engine.readers import split_key


def test_a_name_with_the_key_mark_in_it_wins_over_the_key(tmp_path: Path) -> None:
    for name in ("a", "a::b"):
        (tmp_path / name).touch()
    assert split_key(f"{tmp_path}/a::b") == (tmp_path / "a::b", None)
    assert split_key(f"{tmp_path}/a::b::c::d") == (tmp_path / "a", "b::c::d")
    assert split_key(tmp_path / "a") == (tmp_path / "a", None)
