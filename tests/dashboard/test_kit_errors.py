"""Escaping, and what a user is told about an error."""

from dashboard.kit import escape, sentence
from engine.errors import InputError


def test_text_of_files_and_users_becomes_harmless():
    assert escape("<img src=x onerror='a()'>") == "&lt;img src=x onerror=&#x27;a()&#x27;&gt;"


def test_the_user_is_told_a_mistake_as_it_is_and_a_bug_without_its_details(caplog):
    assert sentence(InputError("give\n another")) == "give another"
    assert "secret" not in sentence(RuntimeError("secret path"))
    assert "secret path" in caplog.text
