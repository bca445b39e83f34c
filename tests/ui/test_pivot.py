"""
The table of runs grouped by several fields: a row for each group.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes
from tests.ui.sweep import SEEDS, SETTING_COUNT

expect = sync_api.expect
LOSS = "metric:loss%7B%22subset%22:%22val%22%7D:min"
COLUMNS = f"run.status;{LOSS}"


def heads(page: sync_api.Page) -> sync_api.Locator:
    """Return the heads of the groups."""
    return page.locator(".grid .body > .row.grouped")


@in_both_themes
def test_runs_are_grouped_by_two_params(sweep_server: str, open_page: Open, theme: str) -> None:
    """
    The groups are chosen one after the other, have the mean, the deviation, the number of runs and the best of a
    metric, and fold all at once; the address keeps it.
    """
    page = open_page(f"{sweep_server}runs?cols={COLUMNS}")
    expect(page.locator(".grid .row")).not_to_have_count(0)
    page.get_by_role("button", name="+ group").click()
    for name in ("hparams.lr", "hparams.batch_size"):
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Fold all").click()
    expect(heads(page)).to_have_count(SETTING_COUNT)
    first = heads(page).filter(has_text="0.0001 · 32")
    expect(first).to_contain_text(str(SEEDS))
    expect(first).to_contain_text("0.1516 ±0.00160.1496")
    expect(page.get_by_role("columnheader", name="loss val")).to_contain_text("best ↓")
    page.screenshot(path=SCREENSHOTS / f"pivot-{theme}.png")

    first.get_by_role("button").click()
    expect(page.locator(".grid .body > .row:not(.grouped)")).to_have_count(SEEDS)
    page.reload()
    expect(heads(page)).to_have_count(SETTING_COUNT)
    page.get_by_role("button", name="Unfold all").click()
    expect(page.locator(".grid .body > .row:not(.grouped)").first).to_be_visible()


def test_groups_are_sorted_by_what_their_heads_say(sweep_server: str, open_page: Open) -> None:
    """
    A press on the head of a metric puts the groups in the order of their means, a second one the other way around.
    """
    page = open_page(f"{sweep_server}runs?cols={COLUMNS}&group=hparams.batch_size&fold=all")
    expect(heads(page)).to_have_count(3)
    labels = heads(page).locator("b")
    head = page.get_by_role("columnheader", name="loss val").get_by_role("button", name="loss val best")
    head.click()
    expect(labels).to_have_text(["32", "64", "128"])
    head.click()
    expect(labels).to_have_text(["128", "64", "32"])
    page.get_by_role("button", name="group batch_size").click()
    page.get_by_role("button", name="deviation").click()
    assert "by=std" in page.url


def test_a_name_is_cut_in_the_middle(sweep_server: str, open_page: Open) -> None:
    """
    What all names begin with is apart from the rest, and a column that was made narrower stays so.
    """
    page = open_page(f"{sweep_server}runs?cols={COLUMNS}&q=run.name in ('vit-000', 'vit-001')")
    name = page.locator(".grid .row .name").first
    expect(name.locator(".common")).to_have_text("vit-")
    grip = page.get_by_role("columnheader", name="Name").locator(".grip")
    box = grip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] - 38, box["y"] + 5, steps=4)
    page.mouse.up()
    width = "document.querySelector('.grid .head .cell').offsetWidth"
    before = page.evaluate(width)
    assert before < 232
    page.reload()
    page.wait_for_function(f"() => document.querySelector('.grid .head .cell') !== null && {width} === {before}")
