"""The Micrographs page in Chromium: pictures sorted into classes, dropping some, and correcting answers."""

import re
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from playwright.sync_api import expect

from engine.export.store import open_result
from engine.schema import table
from tests.browser.conftest import wait_for

pytestmark = pytest.mark.browser


def show(page: Any, server: Any, query: dict[str, str]) -> pd.DataFrame:
    """The page with everything drawn; the table of the pictures."""
    page.goto(f"{server.url}/micrographs?{urlencode(query)}")
    page.locator("[data-crop] img[src^=data]").first.wait_for(timeout=40_000)
    page.locator(".answer #answer-evidence").wait_for()
    return pictures(server, query["result"])


def pictures(server: Any, result: str) -> pd.DataFrame:
    """Columns of one number a picture, by the number that the page calls it."""
    data = table(open_result(server.home / "results" / f"{result}.zarr"), "image_table")
    columns = {name: data[name].values for name in data.data_vars if data[name].ndim == 1}
    return pd.DataFrame(columns, index=data["image"].values + 1)


def tiles(page: Any) -> list[int]:
    return page.locator("[data-crop]").evaluate_all("(all) => all.map((tile) => Number(tile.dataset.crop))")


def chosen(page: Any) -> int:
    return int(page.locator(".answer").get_attribute("data-object"))


def result_id(page: Any) -> str:
    page.wait_for_url(re.compile(r"result=[0-9a-f]+"))
    return re.search(r"result=([0-9a-f]+)", page.url)[1]


def pick(page: Any, name: str, option: str) -> None:
    page.locator(f".setting-{name} select").select_option(label=option)


def in_doubt(of: pd.DataFrame) -> list[int]:
    return (of["confidence"].astype(float) - of["unlike"]).sort_values(kind="stable").index.tolist()


def test_the_gallery_begins_with_doubt_and_filters_by_class_and_state(page, server, sorted_pictures):
    of = show(page, server, sorted_pictures)
    assert tiles(page) == in_doubt(of)
    wait_for(lambda: chosen(page) == in_doubt(of)[0])
    pick(page, "state", "not sure")
    wait_for(lambda: sorted(tiles(page)) == of.index[of["abstained"]].tolist())
    pick(page, "state", "all pictures")
    wait_for(lambda: len(tiles(page)) == len(of))
    label = int(of["class"].mode()[0])
    page.locator(f'#shares tr[data-label="{label}"]').click()
    wanted = of.index[of["class"] == label].tolist()
    wait_for(
        lambda: sorted(tiles(page)) == wanted, what=f"class {label}: {wanted}, not {sorted(tiles(page))}"
    )
    page.wait_for_url(re.compile(rf"class={label}\b"))
    page.locator("#gallery-clear").click()
    wait_for(lambda: len(tiles(page)) == len(of))
    page.get_by_role("tab", name="Table").click()
    expect(page.locator("#pictures tr[data-object]")).to_have_count(len(of))
    page.locator('[data-sort="file"]').click()
    first = of["file"].sort_values(kind="stable").index[0]
    wait_for(
        lambda: page.locator("#pictures tr[data-object]").first.get_attribute("data-object") == str(first)
    )


def test_keys_relabel_and_go_on_and_undo_takes_back(page, server, sorted_pictures):
    of = show(page, server, sorted_pictures)
    order = in_doubt(of)
    wait_for(lambda: chosen(page) == order[0])
    label = 3 if int(of.loc[order[0], "class"]) != 3 else 4
    page.keyboard.press(str(label))
    wait_for(lambda: chosen(page) == order[1])
    page.locator(f'[data-crop="{order[0]}"]', has_text="✓").wait_for()
    edited = wait_for(lambda: result_id(page) != sorted_pictures["result"] and result_id(page))
    row = pictures(server, edited).loc[order[0]]
    assert row["class"] == label
    assert row["reviewed"]
    assert not row["abstained"]

    page.keyboard.press("0")
    page.locator(f'[data-crop="{order[1]}"]', has_text="✓").wait_for()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    wait_for(lambda: page.locator(".crop", has_text="✓").count() == 0)
    expect(page.locator(".retrain button")).to_be_disabled()


def test_the_others_are_judged_again_from_what_a_person_said(page, server, sorted_pictures):
    of = show(page, server, sorted_pictures)
    order = in_doubt(of)
    for number in order[:4]:
        wait_for(lambda number=number: chosen(page) == number)
        page.keyboard.press(str(int(of.loc[number, "truth"]) % 10))
    page.locator(".crop", has_text="✓").nth(3).wait_for()
    page.locator(".retrain button:not([disabled])").click()
    page.locator(".toast", has_text="Judged again").wait_for()


def test_a_cell_of_the_matrix_opens_its_pictures(page, server, sorted_pictures):
    of = show(page, server, sorted_pictures)
    truth, found = of.loc[1, ["truth", "class"]].astype(int)
    page.locator(f'[data-cell="{truth - 1},{found - 1}"]').click()
    inside = of.index[(of["truth"] == truth) & (of["class"] == found)].tolist()
    wait_for(lambda: sorted(tiles(page)) == inside)
    assert "labelled" in page.locator("#gallery-note").inner_text()


def test_dropped_pictures_are_answered_with_evidence(page, server, sorted_pictures):
    of = show(page, server, sorted_pictures)
    files = [server.roots[0] / "sem" / file for file in of["file"][:3]]
    page.locator("input[type=file]").set_input_files(files[0])
    page.wait_for_url(re.compile(r"data=drop-.*&result="), timeout=60_000)
    page.locator(f'.answer[data-file="{files[0].name}"] #answer-evidence').wait_for()
    assert pictures(server, result_id(page))["class"].tolist() == of["class"][:1].tolist()
    page.reload()
    page.locator(f'.answer[data-file="{files[0].name}"]').wait_for(timeout=40_000)

    page.locator("input[type=file]").set_input_files(files)
    page.locator('[data-crop="3"] img[src^=data]').wait_for(timeout=60_000)
    expect(page.locator("#data-title")).to_have_text("3 dropped pictures")
    kept = list((server.home / "drops").glob("*/*.png"))
    assert sorted(path.read_bytes() for path in kept if len(list(path.parent.iterdir())) == 3) == sorted(
        path.read_bytes() for path in files
    )

    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no"}
    )
    page.locator(".toast.error", has_text="notes.txt is no picture").wait_for()


def test_a_url_reopens_the_picture_and_the_table_is_exported(page, server, sorted_pictures):
    of = pictures(server, sorted_pictures["result"])
    show(page, server, {**sorted_pictures, "image": of.loc[7, "file"]})
    wait_for(lambda: chosen(page) == 7)
    page.locator("#format").select_option("csv")
    page.locator("#export").click()
    page.locator(".exportbar a.file").first.wait_for()


def test_no_session_is_alive_after_tabs_were_closed(server, sorted_pictures, chromium):
    for _ in range(2):
        tab = chromium.new_page()
        show(tab, server, sorted_pictures)
        tab.close()
    server.wait_until(lambda health: health["sessions"] == 0)
    assert "a bug reached the page" not in (server.home / "server.log").read_text()
