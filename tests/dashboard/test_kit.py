"""What a page does once its work is done."""

from types import SimpleNamespace

from dashboard.kit import Work


class Document:
    """Stands for Bokeh's: whatever is asked for the next tick is done at once."""

    def __init__(self) -> None:
        self.session_context = SimpleNamespace(session=SimpleNamespace(connection_count=0))
        self.callbacks = SimpleNamespace(hold_value="collect")

    def add_next_tick_callback(self, function):
        function()


def test_what_comes_while_a_browser_fetches_the_page_waits_until_it_is_shown():
    document, done = Document(), []
    work = Work(document, lambda *_: None)
    work.post(lambda: done.append("before"))
    document.session_context.session.connection_count = 1
    work.post(lambda: done.append("meanwhile"))
    assert done == ["before"], "Panel would drop it"
    work.ready()
    work.post(lambda: done.append("after"))
    assert done == ["before", "meanwhile", "after"]
