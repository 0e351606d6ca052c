"""Short messages in the corner."""

from dashboard.components import MOST_TOASTS, Toasts


def test_what_is_said_before_the_browser_has_drawn_the_corner_is_still_there_to_be_shown():
    toasts = Toasts()
    for number in range(1, 7):
        toasts.show(f"message {number}", "error")
    assert len(toasts.said) == MOST_TOASTS
    assert [entry["text"] for entry in toasts.said] == ["message 3", "message 4", "message 5", "message 6"]
    assert [entry["number"] for entry in toasts.said] == [3, 4, 5, 6]
