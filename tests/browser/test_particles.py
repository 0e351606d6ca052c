"""The Particles page in Chromium: micrographs, the particles in them, and giving them classes."""

import io
import re
import zipfile
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from engine.export.store import open_result
from engine.export.tables import objects_frame
from engine.schema import table
from tests.browser.conftest import FIGURE, place, wait_for

pytestmark = pytest.mark.browser

PICTURE = ".map-micrograph"
NAMES = ("yes", "no", "null")


def show(page: Any, server: Any, query: dict[str, str]) -> pd.DataFrame:
    """The page with everything drawn; the table of the particles."""
    page.goto(f"{server.url}/particles?{urlencode(query)}")
    page.locator("[data-crop] img").first.wait_for(timeout=40_000)
    page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[PICTURE, 0, 0])
    return particles(server, query["result"])


def particles(server: Any, result: str) -> pd.DataFrame:
    return objects_frame(open_result(server.home / "results" / f"{result}.zarr"))


def crops(page: Any) -> list[int]:
    return page.locator("[data-crop]").evaluate_all(
        "(tiles) => tiles.map((tile) => Number(tile.dataset.crop))"
    )


def shown_image(page: Any) -> int:
    return int(page.locator(".micrograph.chosen").get_attribute("data-image"))


def result_id(page: Any) -> str:
    page.wait_for_url(re.compile(r"result=[0-9a-f]+"))
    return re.search(r"result=([0-9a-f]+)", page.url)[1]


def middle(row: pd.Series) -> tuple[float, float]:
    """A place inside a particle, in nm."""
    return 0.05 * float(row["x"]), 0.05 * float(row["y"])


def test_the_gallery_begins_with_doubt_and_a_crop_leads_to_its_particle(page, server, population):
    table_of = show(page, server, population)
    in_doubt = table_of.sort_values("confidence", kind="stable")["object"].tolist()
    assert crops(page) == in_doubt
    last = table_of.set_index("object").loc[in_doubt[-1]]
    page.locator(f'[data-crop="{in_doubt[-1]}"]').click()
    page.locator(f'#particle-card[data-object="{in_doubt[-1]}"] #fft').wait_for()
    wait_for(lambda: shown_image(page) == last["image"])
    text = page.locator("#particle-card").inner_text()
    assert f"{last['spacing']:.4g}" in text if last["resolved"] else "no lattice" in text
    page.wait_for_url(re.compile(rf"object={in_doubt[-1]}\b"))


def test_the_cursor_shows_the_spectrum_of_what_it_is_over_and_a_click_chooses_it(page, server, population):
    table_of = show(page, server, population)
    wait_for(lambda: shown_image(page) == 0)
    here = table_of[(table_of["image"] == 0) & ~table_of["touches_edge"]].iloc[0]
    spot = place(page, PICTURE, *middle(here))
    page.mouse.move(spot["x"] - 3, spot["y"])
    page.mouse.move(spot["x"], spot["y"])
    page.locator(f'#particle-card[data-object="{here["object"]}"]').wait_for()
    page.mouse.click(spot["x"], spot["y"])
    page.locator(f'.crop.chosen[data-crop="{here["object"]}"]').wait_for()
    page.keyboard.press("n")
    expect(page.locator(f'.crop.chosen[data-crop="{here["object"]}"]')).to_have_count(0)


def test_a_class_is_the_same_selection_in_fractions_gallery_and_url(page, server, population):
    table_of = show(page, server, population)
    name = table_of["name"].mode()[0]
    label = 1 + NAMES.index(name)
    page.locator(f'#fractions tr[data-label="{label}"]').click()
    wanted = sorted(table_of.loc[table_of["name"] == name, "object"])
    wait_for(lambda: sorted(crops(page)) == wanted)
    page.wait_for_url(re.compile(rf"class={label}\b"))
    shares = table(open_result(server.home / "results" / f"{population['result']}.zarr"), "fractions")
    low, high = (100 * float(shares[end].sel(label=label)) for end in ("low", "high"))
    told = page.locator(f'#fractions tr[data-label="{label}"] .interval').inner_text()
    found = [float(number) for number in re.findall(r"[\d.]+", told)]
    np.testing.assert_allclose(found[1:], [low, high], atol=0.051)


def test_keys_relabel_undo_takes_back_and_retraining_judges_anew(page, server, population):
    before = show(page, server, population)
    counts = page.locator("#fractions tr td:nth-child(3)")
    first = [int(text) for text in counts.all_inner_texts()]
    chosen = crops(page)[0]
    was = before.set_index("object").loc[chosen, "name"]
    label = 2 if was == "yes" else 1
    page.locator(f'[data-crop="{chosen}"]').click()
    page.keyboard.press(str(label))
    page.locator(f'[data-crop="{chosen}"][data-name="{NAMES[label - 1]}"]').wait_for()
    edited = wait_for(lambda: result_id(page) != population["result"] and result_id(page))
    row = particles(server, edited).set_index("object").loc[chosen]
    assert row["class"] == label
    assert row["reviewed"]
    assert page.locator(f'[data-cell="{label - 1},{NAMES.index(was)}"]').inner_text() == "1"

    page.keyboard.press("Control+z")
    page.locator(f'[data-crop="{chosen}"][data-name="{was}"]').wait_for()
    wait_for(lambda: [int(text) for text in counts.all_inner_texts()] == first)

    page.locator(f'[data-crop="{chosen}"]').click()
    for key in (str(label), "4", str(1 + NAMES.index(was))):  # each goes on to the next in doubt
        page.keyboard.press(key)
    page.locator(".crop", has_text="✓").nth(2).wait_for()
    assert page.locator('#fractions tr[data-label="0"] td:nth-child(3)').inner_text() == "1"
    page.locator(".retrain button").click()
    page.locator(".toast", has_text="Retrained").wait_for()
    assert "of 3" in page.locator("#matrix-note").inner_text()

    page.locator("#agreement [data-cell]:not([disabled])").first.click()
    wait_for(lambda: "that you call" in page.locator("#gallery-note").inner_text())
    page.locator("#gallery-clear").click()
    wait_for(lambda: len(crops(page)) == len(before))


def test_keys_and_retrain_in_quick_succession_all_count(page, server, population):
    show(page, server, population)
    page.locator(f'[data-crop="{crops(page)[0]}"]').click()
    for key in "1212":
        page.keyboard.press(key)
    page.locator(".retrain button:not([disabled])").click()
    page.locator(".toast", has_text="Retrained").first.wait_for()
    wait_for(lambda: "of 4" in page.locator("#matrix-note").inner_text())


def test_layers_of_lattice_and_strain_are_shown_over_the_same_place(page, server, population):
    show(page, server, population)
    ranges = place(page, PICTURE)["ranges"]
    for name, title in (("lattice", "Lattice"), ("strain", "Strain")):
        page.get_by_role("button", name=name).click()
        expect(page.locator(".map-title b")).to_contain_text(title)
        page.wait_for_function(f"(a) => ({FIGURE})(a) !== null", arg=[PICTURE, 0, 0])
        np.testing.assert_allclose(place(page, PICTURE)["ranges"], ranges)


def test_a_url_reopens_the_micrograph_and_its_particles_are_exported(page, server, population):
    table_of = show(page, server, {**population, "image": "frame_002.tif"})
    wait_for(lambda: shown_image(page) == 2)
    page.locator("#format").select_option("csv")
    page.locator("#export").click()
    page.locator(".exportbar a.file").first.wait_for()
    with page.expect_download() as download:
        page.locator(".exportbar a.file").filter(has_text=re.compile("objects|zip")).first.click()
    content = download.value.path().read_bytes()
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read(next(n for n in archive.namelist() if "objects" in n))
    exported = pd.read_csv(io.BytesIO(content), comment="#")
    assert exported["object"].tolist() == table_of["object"].tolist()
    np.testing.assert_allclose(exported["radius"], table_of["radius"])


def test_run_finds_the_particles_of_a_folder(page, server, population):
    page.goto(f"{server.url}/particles?data=micrographs&image=frame_001.tif")
    page.locator(".micrograph img").nth(2).wait_for()
    expect(page.locator("#gallery p.empty")).to_contain_text("press Run")
    page.locator("#run-card .primary").click()
    page.locator("[data-crop] img").first.wait_for(timeout=60_000)
    assert result_id(page) != population["result"]  # the page's own settings
    expect(page.locator(".micrograph .dot")).to_have_count(9)
