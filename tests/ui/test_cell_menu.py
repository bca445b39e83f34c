"""
The menu of a cell of the table of runs.
"""

from __future__ import annotations

import pytest
from playwright import sync_api

from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes

expect = sync_api.expect


def cell_of(page: sync_api.Page, name: str, column: str) -> sync_api.Locator:
    """Return the cell of a run in a column."""
    page.locator(".grid .row", has_text=name).wait_for()
    labels = [head.inner_text().partition("\n")[0] for head in page.get_by_role("columnheader").all()]
    return page.locator(".grid .row", has_text=name).get_by_role("gridcell").nth(labels.index(column))


@in_both_themes
def test_a_cell_leaves_only_the_runs_with_its_value(server: str, theme: str, open_page: Open) -> None:
    """
    A press on the model of a run offers only these and not these; the query has the clause, and a second cell adds one.
    """
    page = open_page(server + "runs")
    cell_of(page, "vit-s-0.001-0", "model").click()
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem")).to_have_text(["Only model = vit-s", "Not model = vit-s", "Copy the value"])
    page.screenshot(path=SCREENSHOTS / f"cell-menu-{theme}.png")
    menu.get_by_role("menuitem", name="Not model").click()
    expect(page.locator(".grid .row", has_text="vit-s")).to_have_count(0)
    cell_of(page, "resnet18-0.001-0", "lr").click()
    menu.get_by_role("menuitem", name="lr ≤ 0.001").click()
    expect(page.locator(".grid .row", has_text="resnet18-0.003")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Query")).to_have_value(
        'run.hparams.model != "vit-s" and run.hparams.lr <= 0.001'
    )


@pytest.mark.parametrize("key", ["Escape", "press"])
def test_the_menu_closes_without_a_choice(key: str, server: str, open_page: Open) -> None:
    """Escape, or a press elsewhere, leaves the query as it was; a second press on the row opens the run."""
    page = open_page(server + "runs")
    cell = cell_of(page, "vit-s-0.001-0", "loss val")
    cell.click()
    expect(page.get_by_role("menuitem").first).to_contain_text("loss val min ≥ ")
    if key == "Escape":
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_have_count(0)
        cell.dblclick()
        page.wait_for_url("**/run/**")
    else:
        page.locator(".toolbar").click()
        expect(page.get_by_role("menu")).to_have_count(0)
        expect(page.locator(".grid .row", has_text="vit-s").first).to_be_visible()
