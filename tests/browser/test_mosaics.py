"""The Mosaics page in Chromium: a frame, its objects, and how one leads to the other.

The frame's truth stands in for a network's result where the network does not matter. Its objects by number:
2, 4, 5, 6, 10, 12 are clusters, by falling energy 5, 12, 4, 10, 6, 2; the other eleven are hot pixels.
"""

import io
import re
import shutil
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from playwright.sync_api import expect

from engine import pipeline
from engine.export.store import open_result
from engine.runtime import jobs
from engine.runtime.job_files import JobFiles
from tests.browser.conftest import FIGURE, WARNING, place, wait_for

pytestmark = pytest.mark.browser

FRAME = ".map-frame"
CLUSTER = 4
LARGE = 2048
"""Rows and columns of the large frame."""
CLUSTER_COLOR = (0xD5, 0x5E, 0x00)


def show(page: Any, server: Any, query: dict[str, str]) -> None:
    """The frame with its objects, everything drawn."""
    page.goto(f"{server.url}/mosaics?{urlencode(query)}")
    page.locator("tr[data-object]").first.wait_for(timeout=40_000)
    for css in (FRAME, ".objects-area", ".objects-energy"):
        page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[css, 0, 0])


def numbers(page: Any) -> list[int]:
    """Objects in the table, from the top."""
    return [int(row.get_attribute("data-object")) for row in page.locator("tr[data-object]").all()]


def picture(page: Any) -> np.ndarray:
    """What the frame's figure looks like, rows, columns and RGB."""
    seen = place(page, FRAME)
    box = {"x": seen["left"], "y": seen["top"], "width": seen["width"], "height": seen["height"] - 40}
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB"))


def n_colored(page: Any, color: tuple[int, int, int]) -> int:
    return int((np.abs(picture(page).astype(int) - color).max(axis=2) <= 2).sum())


def visible(page: Any) -> list[float]:
    return place(page, FRAME)["ranges"]


def sees(page: Any, x: float, y: float, *, within: float) -> bool:
    """Whether a position is near the middle of what is visible, and that is not more than `within` wide."""
    x0, x1, y0, y1 = visible(page)
    near = abs((x0 + x1) / 2 - x) < 2 and abs((y0 + y1) / 2 - y) < 2
    return near and min(abs(x1 - x0), abs(y1 - y0)) <= within


def click_frame(page: Any, x: float, y: float) -> None:
    spot = place(page, FRAME, x, y)
    page.mouse.click(spot["x"], spot["y"])


def fill(page: Any, css: str, value: object) -> None:
    field = page.locator(f"{css} input")
    field.fill(str(value))
    field.press("Enter")


def lasso(page: Any, x0: float, x1: float, y0: float, y1: float) -> None:
    """Draw round a box of the frame."""
    page.locator(f"{FRAME} .bk-tool-icon-lasso-select").click()
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0 + 0.5)]
    for number, (x, y) in enumerate(corners):
        spot = place(page, FRAME, x, y)
        page.mouse.move(spot["x"], spot["y"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def labels_of(server: Any, result: str) -> np.ndarray:
    return np.asarray(open_result(server.home / "results" / f"{result}.zarr")["labels"])


def result_id(page: Any) -> str:
    page.wait_for_url(re.compile(r"result=[0-9a-f]+"))
    return re.search(r"result=([0-9a-f]+)", page.url)[1]


def test_a_row_leads_to_its_object_and_an_object_to_its_row(page, server, catalogued):
    show(page, server, catalogued)
    assert numbers(page)[:6] == [5, 12, 4, 10, 6, 2]
    assert WARNING in page.locator(".toast").first.inner_text()
    page.locator('tr[data-object="10"]').click()
    page.locator('#inset[data-object="10"]').wait_for()
    wait_for(lambda: sees(page, 192.1, 130.1, within=80))
    assert "8.898 keV" in page.locator("#inset").inner_text()
    page.wait_for_url(re.compile(r"object=10\b"))

    page.locator(".reset-view button").click()
    wait_for(lambda: abs(visible(page)[1] - visible(page)[0]) > 250)
    click_frame(page, 134, 56)
    page.locator('tr.chosen[data-object="5"]').wait_for()
    page.locator('#inset[data-object="5"] img').wait_for()
    click_frame(page, 20, 200)
    expect(page.locator("tr.chosen[data-object]")).to_have_count(0)


def test_clicks_in_quick_succession_all_count(page, server, catalogued):
    show(page, server, catalogued)
    places = [place(page, FRAME, x, y) for x, y in ((134, 56), (20, 200))]
    for spot in places:
        page.mouse.click(spot["x"], spot["y"])
    expect(page.locator("tr.chosen[data-object]")).to_have_count(0)
    page.mouse.click(places[0]["x"], places[0]["y"])
    page.locator('tr.chosen[data-object="5"]').wait_for()


def test_n_and_p_go_through_the_objects_of_the_class(page, server, catalogued):
    show(page, server, catalogued)
    page.locator(".setting-kind select").select_option("cluster")
    expect(page.locator("tr[data-object]")).to_have_count(6)
    for key, number in (("n", 5), ("n", 12), ("n", 4), ("p", 12), ("p", 5), ("p", 2)):
        page.keyboard.press(key)
        page.locator(f'tr.chosen[data-object="{number}"]').wait_for()
    wait_for(lambda: sees(page, 245.3, 8.7, within=80))


def test_filters_narrow_table_histograms_and_sections(page, server, catalogued):
    show(page, server, catalogued)
    assert "17 of 17" in page.locator("#objects-count").inner_text()
    assert page.locator('[data-section="1,1"]').inner_text() == "2"
    fill(page, ".setting-least_size", 8)
    expect(page.locator("#objects-count")).to_have_text("4 of 17 objects")
    fill(page, ".setting-most_size", 100)
    expect(page.locator("#objects-count")).to_have_text("3 of 17 objects")
    fill(page, ".setting-least_energy", 20)
    expect(page.locator("#objects-count")).to_have_text("2 of 17 objects")
    assert numbers(page) == [12, 4]
    assert page.locator('[data-section="1,1"]').inner_text() == "1"
    fill(page, ".setting-least_confidence", 0.95)
    page.locator("#objects .empty, .objects .empty").wait_for()
    page.locator('[data-section="0,1"]').click()
    wait_for(lambda: sees(page, 191.5, 63.5, within=150))


def test_a_class_is_hidden_and_shown_by_its_eye(page, server, catalogued):
    show(page, server, catalogued)
    page.locator(".modes").get_by_text("classes", exact=True).click()
    wait_for(lambda: n_colored(page, CLUSTER_COLOR) > 50)
    page.locator(f'[data-eye="{CLUSTER}"]').click()
    wait_for(lambda: n_colored(page, CLUSTER_COLOR) == 0)
    page.locator(f'[data-eye="{CLUSTER}"]').click()
    wait_for(lambda: n_colored(page, CLUSTER_COLOR) > 50)


def test_confidence_and_entropy_are_layers_of_their_own(page, server, catalogued):
    show(page, server, catalogued)
    for mode in ("confidence", "entropy"):
        before = picture(page)
        page.locator(".modes").get_by_text(mode, exact=True).click()
        page.locator(".map-title", has_text=re.compile(mode, re.IGNORECASE)).wait_for()
        wait_for(lambda before=before: np.abs(picture(page).astype(float) - before).mean() > 5)


def test_every_stretch_shows_the_frame_differently(page, server, catalogued):
    show(page, server, catalogued)
    page.locator(".modes").get_by_text("frame", exact=True).click()
    seen: list[float] = []
    for name in ("asinh", "log", "linear", "99 %"):
        page.locator(".stretch select").select_option(label=name)
        wait_for(lambda: all(abs(picture(page).mean() - mean) > 0.5 for mean in seen), what=name)
        seen.append(float(picture(page).mean()))


def test_the_cursor_reads_pixel_value_class_and_place_on_the_sky(page, server, catalogued):
    show(page, server, catalogued)
    spot = place(page, FRAME, 128, 128)
    page.mouse.move(spot["x"] - 3, spot["y"])
    page.mouse.move(spot["x"], spot["y"])
    text = wait_for(lambda: page.locator("#sky").count() and page.locator("div.status").inner_text())
    assert "RA 05h35m00" in text or "RA 05h34m59" in text
    assert "Dec -05°30′0" in text or "Dec -05°29′59" in text
    assert "class 1 background (0.99)" in text.replace("\n", " ")
    assert "adu" in text

    show(page, server, {"data": "mosaic/frame_001.fits", "result": catalogued["result"]})
    page.mouse.move(spot["x"] - 3, spot["y"])
    page.mouse.move(spot["x"], spot["y"])
    wait_for(lambda: "adu" in page.locator("div.status").inner_text())
    assert page.locator("#sky").count() == 0, "this frame has no world coordinates"


def test_lassoed_pixels_get_the_selected_class_as_an_edit_that_is_undone(page, server, catalogued):
    show(page, server, catalogued)
    lasso(page, 110, 130, 30, 50)
    page.keyboard.press("r")
    page.locator(".toast.error", has_text="Select the one class").wait_for()
    page.locator('tr[data-label="3"] td.key').click()
    page.keyboard.press("r")
    page.locator("#undo[title*='relabel']").wait_for()
    expect(page.locator('tr[data-object="4"] td').nth(1)).to_have_text("hot_pixel")
    page.wait_for_function("(id) => !location.search.includes(id)", arg=catalogued["result"])
    edited = labels_of(server, result_id(page))
    before = labels_of(server, catalogued["result"])
    assert set(edited[31:50, 111:130].ravel()) == {3}
    assert np.array_equal(edited[60:], before[60:]), "the edit starts from the result that is shown"
    page.locator("#show-code").click()
    assert "'relabel'" in page.locator("pre#python").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    expect(page.locator('tr[data-object="4"] td').nth(1)).to_have_text("cluster")


def test_the_url_reopens_frame_result_and_object_and_nothing_has_to_be_scrolled(page, server, catalogued):
    show(page, server, {**catalogued, "object": "12"})
    page.locator('#inset[data-object="12"] img').wait_for()
    wait_for(lambda: sees(page, 245.9, 195.8, within=130))
    outgrown = page.evaluate(
        """() => [document.documentElement,
                ...document.querySelectorAll(".rail, .right, .centre, .right > .card")]
             .filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
             .map((e) => `${e.className} ${e.id} ${e.scrollHeight}/${e.clientHeight}`)"""
    )
    assert outgrown == []


@pytest.fixture
def large_frame(server) -> Any:
    """The address of a frame that takes long enough to be cancelled, of many copies of a small one."""
    file = server.roots[0] / "large" / "frame.fits"
    file.parent.mkdir()
    frame = np.asarray(fits.getdata(server.roots[0] / "mosaic" / "frame_001.fits"))
    fits.PrimaryHDU(np.tile(frame, (LARGE // 256, LARGE // 256))).writeto(file)
    yield "large/frame.fits"
    shutil.rmtree(file.parent)


def test_a_frame_is_segmented_and_a_second_run_is_cancelled(page, server, large_frame):
    page.goto(f"{server.url}/mosaics?data={large_frame}")
    page.locator("#data-title").wait_for()
    page.locator(".of-frame #run").click()
    page.locator('tr[data-label="4"]').wait_for(timeout=90_000)
    assert labels_of(server, result_id(page)).shape == (LARGE, LARGE)
    shown = result_id(page)
    fill(page, ".setting-min_cluster", 3)
    page.locator(".of-frame #run").click()
    page.locator(".of-frame #cancel").click()
    page.locator(".of-frame #job-note", has_text="Cancelled").wait_for(timeout=10_000)
    assert result_id(page) == shown, "the last good view stays"


def test_a_network_is_trained_used_and_a_second_training_cancelled(page, server, catalogued):
    show(page, server, catalogued)
    page.get_by_role("tab", name="Train").click()
    expect(page.locator(".train-folder select option:checked")).to_have_text("mosaic: 2 labelled frames")
    fill(page, "#train .setting-n_steps", 4)
    page.locator("#train #run").click()
    page.locator("#train #job-note", has_text="Done").wait_for(timeout=120_000)
    rows = page.locator("#board tr[data-id]")
    expect(rows).to_have_count(2)
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".train-loss", 0, 0])
    trained = page.locator('#board tr[data-id]:not([data-id="shipped"])')
    trained.locator("button.use").click()
    expect(trained.locator("button.use")).to_be_disabled()
    name = trained.locator("td").first.inner_text()
    expect(page.locator("#model")).to_contain_text(name)

    fill(page, "#train .setting-n_steps", 100_000)
    page.locator("#train #run").click()
    page.locator("#train #cancel").click()
    page.locator("#train #job-note", has_text="Cancelled").wait_for(timeout=15_000)
    expect(rows).to_have_count(2)

    page.get_by_role("tab", name="Frame").click()
    page.locator(".of-frame #run").click()
    page.wait_for_function("(id) => !location.search.includes(id)", arg=catalogued["result"], timeout=60_000)
    page.locator("#show-code").click()
    assert "model=" in page.locator("pre#python").inner_text(), "the code applies the network that was chosen"


def test_trained_networks_are_jobs_but_no_results(page, server, catalogued):
    folder = server.roots[0] / "mosaic"
    lesson = pipeline.make_training_recipe("unet", folder, n_steps=1, crop=32, n_crops=1)
    job = jobs.submit(lesson, home=server.home, start=False)
    JobFiles(server.home, job.id).model.mkdir(parents=True)
    assert jobs.submit(lesson, home=server.home, start=False).state == "done"
    page.goto(f"{server.url}/jobs")
    page.locator(f'tr[data-id="{job.id}"]', has_text="train").wait_for()
    page.goto(f"{server.url}/results")
    shown = page.locator(f'tr[data-id="{catalogued["result"]}"]')
    assert "/mosaics?" in shown.locator("a.button").get_attribute("href")
    assert page.locator(f'tr[data-id="{job.id}"]').count() == 0
    jobs.remove(job.id, server.home)


def test_a_folder_opens_with_its_first_frame_and_the_others_beside_it(page, server):
    page.goto(f"{server.url}/mosaics?data=mosaic")
    page.locator("#data-title", has_text="frame_000").wait_for()
    page.locator(".frame select").select_option("frame_001.fits")
    page.locator("#data-title", has_text="frame_001").wait_for()
    page.wait_for_url(re.compile("frame_001"))


def test_the_welcome_page_has_the_example_frame_one_click_away(page, server):
    page.goto(server.url)
    page.locator("#open-mosaics").click()
    page.locator("#data-title", has_text="frame_000").wait_for()


def test_no_session_is_alive_after_tabs_were_closed(server, catalogued, chromium):
    for _ in range(2):
        tab = chromium.new_page()
        show(tab, server, catalogued)
        tab.close()
    server.wait_until(lambda health: health["sessions"] == 0)
    assert "a bug reached the page" not in (server.home / "server.log").read_text()
