"""The Maps page in Chromium: what a user does, from opening data to running the copied code."""

import json
import re
import subprocess
import sys
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from engine.export.store import open_result
from tests.browser.conftest import FIGURE, place

pytestmark = pytest.mark.browser

HBN = "hBN_test"


def open_page(page: Any, server: Any, **query: Any) -> None:
    page.goto(f"{server.url}/maps?{urlencode(query)}" if query else f"{server.url}/maps")


def first_visit(page: Any, server: Any) -> None:
    """The example, segmented, with spectra drawn."""
    open_page(page, server)
    page.locator('tr[data-label="1"]').wait_for(timeout=40_000)
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".map-classes-0", 0, 0])
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".spectra", 0, 0])


def show(page: Any, server: Any, segmented: dict[str, str]) -> None:
    """The stack under test in three classes, with spectra drawn."""
    open_page(page, server, **segmented)
    page.locator('tr[data-label="3"]').wait_for(timeout=40_000)
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".map-classes-0", 0, 0])
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".spectra", 0, 0])


def chosen(page: Any) -> list[int]:
    """Labels of the rows that are selected."""
    return [int(row.get_attribute("data-label")) for row in page.locator("tr.chosen").all()]


def result_id(page: Any) -> str:
    page.wait_for_url(re.compile(r"result=[0-9a-f]+"))
    return re.search(r"result=([0-9a-f]+)", page.url)[1]


def labels_of(server: Any, result: str) -> np.ndarray:
    return np.asarray(open_result(server.home / "results" / f"{result}.zarr")["labels"])


def overflowing(page: Any) -> list[str]:
    """Parts of the page that would have to be scrolled."""
    return page.evaluate(
        """() => [document.documentElement,
                ...document.querySelectorAll(".rail, .right, .centre, .right > .card")]
             .filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
             .map((e) => `${e.className} ${e.scrollHeight}/${e.clientHeight}`)"""
    )


def run(page: Any, n_classes: int) -> None:
    field = page.locator(".setting-n_clusters input")
    field.fill(str(n_classes))
    field.press("Enter")
    page.locator("#run").click()
    page.locator(f'tr[data-label="{n_classes}"]').wait_for(timeout=60_000)


def test_the_first_visit_shows_the_example_segmented_into_its_true_number_of_zones(page, server, simulated):
    first_visit(page, server)
    assert page.locator("tr[data-label]").count() == 3
    assert "96 × 96 px" in page.locator(".data").inner_text()


def test_data_opened_from_the_picker_are_segmented_from_the_suggested_k_to_the_exported_file(
    page, server, hbn, tmp_path
):
    open_page(page, server)
    page.locator(".change-data button").click()
    page.locator('button[data-name="hyperspectral"]').dblclick()
    page.locator(f'button[data-name="{HBN}"]').click()
    page.locator(".preview img").wait_for()
    assert "260 × 344 px" in page.locator(".preview").inner_text()
    page.locator("#open").click()
    page.locator("#data-title", has_text="hBN").wait_for()
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".elbow", 0, 0], timeout=60_000)

    if page.locator("#suggested", has_text="Suggests").count():
        page.locator(".use-suggested button").click()
        page.locator(".use-suggested button[disabled]").wait_for()
        set_to = page.locator(".setting-n_clusters input").input_value()
        assert f" {set_to} classes" in page.locator("#suggested").inner_text()
    page.locator(".rail details", has_text="density").locator("summary").click()
    assert "halves" in page.locator(".rail details[open]").inner_text()

    spot = place(page, ".elbow", 4, 0.5)
    page.mouse.click(spot["x"], spot["y"])
    page.wait_for_function("document.querySelector('main') !== null")
    field = page.locator(".setting-n_clusters input")
    page.wait_for_function("(field) => field.value === '4'", arg=field.element_handle())

    page.locator("#run").click()
    page.locator('tr[data-label="4"]').wait_for(timeout=60_000)
    assert labels_of(server, result_id(page)).max() == 4

    page.locator("#export").click()
    with page.expect_download() as download:
        page.locator("a.file", has_text="clustershot").click()
    download.value.save_as(tmp_path / "shot.dat")
    rows = [line for line in (tmp_path / "shot.dat").read_text().splitlines() if not line.startswith("#")]
    assert len(rows) == 11


def test_a_class_is_selected_everywhere_by_map_by_curve_by_row_and_by_key(page, server, segmented):
    show(page, server, segmented)
    labels = labels_of(server, result_id(page))
    row, column = np.argwhere(labels == 2)[len(np.argwhere(labels == 2)) // 2]

    spot = place(page, ".map-classes-0", *coordinates(server, page, row, column))
    page.mouse.click(spot["x"], spot["y"])
    page.locator('tr.chosen[data-label="2"]').wait_for()
    page.locator("#pixel").wait_for()

    spectra = open_result(server.home / "results" / f"{result_id(page)}.zarr")["spectra"]
    curve = spectra["psi_mean"].sel(label=3)
    middle = curve.sizes["wavelength"] // 2
    spot = place(page, ".spectrum-psi", float(curve["wavelength"][middle]), float(curve[middle]))
    page.mouse.click(spot["x"], spot["y"])
    page.locator('tr.chosen[data-label="3"]').wait_for()
    assert chosen(page) == [3]

    page.locator('tr[data-label="1"] td.key').click()
    page.locator('tr.chosen[data-label="1"]').wait_for()
    page.wait_for_url(re.compile(r"class=1\b"))
    page.keyboard.press("2")
    page.locator('tr.chosen[data-label="2"]').wait_for()
    page.locator("[data-pick='3']").focus()
    page.keyboard.press("Enter")
    page.locator('tr.chosen[data-label="3"]').wait_for()
    page.locator("[data-pick='3']:focus").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('class')")
    assert chosen(page) == []


def coordinates(server: Any, page: Any, row: int, column: int) -> tuple[float, float]:
    labels = open_result(server.home / "results" / f"{result_id(page)}.zarr")["labels"]
    return float(labels["x"][column]), float(labels["y"][row])


def test_a_lasso_shows_the_statistics_of_its_pixels_and_can_be_left_out_of_the_next_run(
    page, server, segmented
):
    show(page, server, segmented)
    frame = place(page, ".map-raw-0")
    page.locator(".map-raw-0 .bk-tool-icon-lasso-select").click()
    x, y = frame["left"] + frame["width"] / 2, frame["top"] + frame["height"] / 2
    page.mouse.move(x - 40, y - 40)
    page.mouse.down()
    for dx, dy in ((40, -40), (40, 40), (-40, 40), (-40, -38)):
        page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()
    page.locator("#region").wait_for()
    n_pixels = int(page.locator("#region-size").inner_text().split()[0].replace(",", ""))
    unit = (frame["ranges"][1] - frame["ranges"][0]) / frame["width"]
    labels = open_result(server.home / "results" / f"{result_id(page)}.zarr")["labels"]
    size = abs(float(labels["x"][1] - labels["x"][0]))
    assert n_pixels == pytest.approx((80 * unit / size) ** 2, rel=0.1)
    assert page.locator("#region tr").count() > 2
    assert overflowing(page) == [], "the whole table of the region is seen"

    page.locator(".region-exclude button").click()
    page.locator("#masked").wait_for()
    before = result_id(page)
    page.locator("#run").click()
    page.wait_for_function("(before) => !location.search.includes(before)", arg=before, timeout=60_000)
    excluded = (labels_of(server, result_id(page)) == 0).sum() - (labels_of(server, before) == 0).sum()
    assert excluded == pytest.approx(n_pixels, rel=0.1)


def test_the_wavelength_is_stepped_by_slider_key_and_play(page, server, segmented):
    show(page, server, segmented)
    now = page.locator("output.now")
    start = now.inner_text()
    page.locator("#next").click()
    page.wait_for_function(
        "(start) => !location.search.includes('wavelength=' + start.split(' ')[0])", arg=start
    )
    second = now.inner_text()
    assert second != start
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(f"wavelength={re.escape(start.split()[0])}"))
    page.locator("#channel").focus()
    page.keyboard.press("End")
    page.wait_for_function("(second) => !['', second].includes(location.search)", arg=second)
    page.locator("#play").click()
    page.wait_for_url(re.compile(f"wavelength={re.escape(start.split()[0])}"))


def test_the_url_reopens_data_result_wavelength_and_class(page, server, segmented, chromium):
    show(page, server, segmented)
    run(page, 4)
    page.locator('tr[data-label="4"] td.key').click()
    page.locator("#next").click()
    page.wait_for_url(re.compile(r"class=4"))
    shown = page.locator("output.now").inner_text()
    page.wait_for_url(re.compile(f"wavelength={re.escape(shown.split()[0])}"))
    other = chromium.new_context().new_page()
    other.goto(page.url)
    other.locator('tr.chosen[data-label="4"]').wait_for()
    assert other.locator("tr[data-label]").count() == 4
    assert other.locator("output.now").inner_text() == shown
    other.context.close()


def test_the_copied_code_and_the_copied_command_give_identical_labels(page, server, segmented, tmp_path):
    show(page, server, segmented)
    run(page, 5)
    expected = labels_of(server, result_id(page))
    page.locator("#show-code").click()
    page.locator("#copy-python").click()
    python = page.evaluate("navigator.clipboard.readText()")
    page.locator("#copy-command").click()
    command = page.evaluate("navigator.clipboard.readText()")

    (tmp_path / "python").mkdir()
    subprocess.run([sys.executable, "-c", python], cwd=tmp_path / "python", check=True)
    assert np.array_equal(open_result(tmp_path / "python" / "result.zarr")["labels"], expected)
    line = command.replace("mapstack", f"{sys.executable} -m dashboard", 1)
    subprocess.run(f"{line} --results {tmp_path}/home", shell=True, cwd=tmp_path, check=True)  # noqa: S602
    assert np.array_equal(open_result(tmp_path / "result.zarr")["labels"], expected)


def test_merge_rename_and_recolour_are_undone_and_the_code_repeats_them(page, server, segmented, tmp_path):
    show(page, server, segmented)
    run(page, 4)
    name = page.locator('tr[data-label="1"] input.name')
    name.fill("the <b>ground</b>")
    name.press("Enter")
    page.wait_for_function("() => location.search.length > 0")
    page.locator("#undo[title*='rename']").wait_for()
    assert page.locator('tr[data-label="1"] input.name').input_value() == "the <b>ground</b>"

    page.locator('tr[data-label="3"] td.key').click()
    page.locator('tr[data-label="4"] td.key').click(modifiers=["Control"])
    page.locator("#merge").click()
    page.locator('tr[data-label="4"]').wait_for(state="detached")
    page.locator("#undo[title*='merge']").wait_for()
    page.keyboard.press("Control+z")
    page.locator('tr[data-label="4"]').wait_for()
    page.locator(".status #redo[title*='merge']").click()
    page.locator('tr[data-label="4"]').wait_for(state="detached")

    swatch = page.locator('tr[data-label="2"] input.swatch')
    swatch.fill("#123456")
    page.locator("#undo[title*='recolour']").wait_for()
    page.locator(".status #undo").click()
    expect(swatch).not_to_have_value("#123456")
    page.locator("#redo[title*='recolour']").click()
    expect(swatch).to_have_value("#123456")

    page.locator("#show-code").click()
    python = page.locator("pre#python").inner_text()
    assert "merge" in python
    subprocess.run([sys.executable, "-c", python], cwd=tmp_path, check=True)
    again = open_result(tmp_path / "result.zarr")
    names = [edit["name"] for edit in json.loads(again.attrs["recipe"])["edits"]]
    assert names == ["rename", "merge", "recolour"]
    assert "#123456" in again["classes"]["color"].values.tolist()
    assert "the <b>ground</b>" in again["classes"]["name"].values.tolist()


def test_a_class_is_split_in_two(page, server, segmented):
    show(page, server, segmented)
    n_classes = page.locator("tr[data-label]").count()
    page.locator('tr[data-label="1"] td.key').click()
    page.locator("#split").click()
    page.locator(f'tr[data-label="{n_classes + 1}"]').wait_for()


def test_a_running_job_is_cancelled_and_leaves_no_result(page, server, segmented):
    show(page, server, segmented)
    before = {path.name for path in (server.home / "results").iterdir()}
    page.locator("#more summary").click()
    page.locator(".setting-n_restarts input").fill("100")
    page.locator(".setting-n_restarts input").press("Enter")
    page.locator(".setting-algorithm select").select_option("lloyd")
    field = page.locator(".setting-n_clusters input")
    field.fill("64")
    field.press("Enter")
    page.locator("#run").click()
    page.locator("#cancel").click()
    page.locator("#job-note", has_text="Cancelled").wait_for(timeout=10_000)
    assert {path.name for path in (server.home / "results").iterdir()} == before
    assert page.locator("tr[data-label]").count() == 3, "the last good view stays"


def test_two_browsers_do_not_see_each_others_selection(page, server, segmented, chromium):
    show(page, server, segmented)
    other = chromium.new_context().new_page()
    show(other, server, segmented)
    page.locator('tr[data-label="2"] td.key').click()
    page.locator('tr.chosen[data-label="2"]').wait_for()
    other.locator('tr[data-label="3"] td.key').click()
    other.locator('tr.chosen[data-label="3"]').wait_for()
    assert chosen(page) == [2]
    assert chosen(other) == [3]
    other.context.close()


def test_no_request_leaves_the_origin(page, server):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    first_visit(page, server)
    for path in ("/", "/jobs", "/results"):
        page.goto(server.url + path)
        page.locator(".rows").first.wait_for()
    foreign = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert len(asked) > 10
    assert foreign == []


def test_the_page_does_not_scroll_at_1440_by_900(page, server, segmented):
    show(page, server, segmented)
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[".elbow", 0, 0], timeout=60_000)
    assert overflowing(page) == []


def test_in_a_narrow_window_the_right_column_folds_under_the_maps(page, server, segmented):
    page.set_viewport_size({"width": 1000, "height": 800})
    show(page, server, segmented)
    centre, right = (page.locator(css).bounding_box() for css in (".centre", ".right"))
    assert right["y"] >= centre["y"] + centre["height"]
    assert right["width"] > 900
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000


def test_data_are_shown_although_the_result_that_the_url_names_is_gone(page, server, segmented):
    open_page(page, server, data=segmented["data"], result="0123456789abcdef")
    page.locator(".toast.error").wait_for()
    page.locator("#data-title").wait_for()
    assert page.locator("#run").is_enabled()


@pytest.mark.parametrize("data", ["../../etc", "/etc/passwd", "file:///etc", "maps\0"])
def test_a_url_that_names_something_else_is_refused_in_one_sentence(page, server, data):
    open_page(page, server, data=data)
    toast = page.locator(".toast.error")
    toast.wait_for()
    assert "\n" not in toast.inner_text().replace("×", "").strip()
    assert page.locator("tr[data-label]").count() == 0


def test_the_theme_is_switched_and_remembered(page, server):
    open_page(page, server)
    before = page.evaluate("document.documentElement.dataset.theme")
    page.locator("#theme").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") != before


def test_no_session_is_alive_after_tabs_were_opened_and_closed(server, chromium):
    for _ in range(3):
        tab = chromium.new_page()
        tab.goto(f"{server.url}/maps")
        tab.locator("#run").wait_for()
        tab.close()
    server.wait_until(lambda health: health["sessions"] == 0)
    assert "a bug reached the page" not in (server.home / "server.log").read_text()
