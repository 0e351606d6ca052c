"""Numbers, units, sizes and times as text."""

import pytest

from dashboard import format as formats


def test_units_get_a_space_only_where_they_follow_a_number_as_letters():
    assert formats.format_units("deg") == formats.format_units("deg", after_number=True) == "°"
    assert formats.format_units("1", after_number=True) == ""
    assert (formats.format_units("nm"), formats.format_units("nm", after_number=True)) == ("nm", " nm")


def test_a_variable_without_a_sign_keeps_its_name():
    assert [formats.format_symbol(name) for name in ("psi", "height")] == ["Ψ", "height"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000.4, "1000"), (65535.0, "65535"), (1e6, "1e+06"), (-0.5, "-0.5")],
)
def test_counts_have_no_exponent_below_a_million(value, text):
    assert formats.format_value(value) == text


def test_thousands_of_an_area_are_set_apart_by_a_thin_space():
    assert formats.format_area(1234567.0) == "1\u2009234\u2009567"
    assert formats.format_area(12.3456) == "12.35"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_share_that_is_not_known_is_a_dash(value):
    assert formats.format_share(value) == "–"
    assert formats.format_share(0.125001) == "0.13"


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (3e12, "3.0 TB")]
)
def test_bytes_have_a_decimal_prefix(n_bytes, text):
    assert formats.format_bytes(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s left"), (89, "89 s left"), (90, "2 min left"), (5400, "1.5 h left")]
)
def test_the_time_left_is_in_the_unit_that_suits_it(seconds, text):
    assert formats.format_time_left(seconds) == text


def test_an_unknown_moment_is_empty():
    assert formats.format_time("") == formats.format_time_left(None) == ""
    assert formats.format_time("2026-03-05T12:30:00+00:00").split()[1] == "Mar"
