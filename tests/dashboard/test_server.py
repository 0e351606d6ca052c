"""What `mapstack serve` refuses before it opens a port."""

import pytest

from dashboard.__main__ import main


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.4", "example.org", "::"])  # noqa: S104
def test_any_address_but_this_machines_own_is_refused_with_one_sentence(tmp_path, capsys, address):
    assert main(["serve", str(tmp_path), "--address", address]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"error: --address {address}")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nowhere"], "nowhere"),
        ([".", "--port", "70000"], "70000"),
        ([".", "--port", "x"], "port"),
        ([".", "--check-unused-sessions", "0"], "--check-unused-sessions"),
    ],
)
def test_a_wrong_option_is_named_in_one_sentence(tmp_path, monkeypatch, capsys, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert named in said
    assert "\n" not in said


def test_without_a_folder_and_without_the_example_there_is_nothing_to_serve(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["serve"]) == 2
    assert "nothing to serve" in capsys.readouterr().err
