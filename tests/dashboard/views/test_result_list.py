"""Where a stored result can be opened."""

from types import SimpleNamespace

import pytest

from dashboard.views.result_list import link_to


@pytest.mark.parametrize(("analysis", "link"), [("unet", "/mosaics?data=a.fits&result=7"), ("unshown", "")])
def test_a_result_has_a_link_where_a_page_shows_its_analysis(analysis, link):
    recipe = SimpleNamespace(analysis=analysis, source="/data/a.fits", output="result")
    workspace = SimpleNamespace(find_address=lambda source: source.rpartition("/")[2])
    assert link_to(SimpleNamespace(id="7", recipe=recipe), workspace) == link
