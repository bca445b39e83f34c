"""
The list of runs beside the charts: its own columns, and which of its runs are drawn.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes

expect = sync_api.expect


def row_of(page: sync_api.Page, name: str) -> sync_api.Locator:
    """Return the row of a run."""
    return page.locator(".runlist .run", has_text=name)


@in_both_themes
def test_params_stand_beside_the_charts(sweep_server: str, open_page: Open, theme: str) -> None:
    """
    Columns are chosen in the head of the list, each row has its values, and the address keeps the choice.
    """
    page = open_page(f"{sweep_server}metrics?q=run.hparams.batch_size == 32")
    expect(row_of(page, "vit-005")).to_be_visible()
    page.get_by_role("button", name="Columns of this list").click()
    for text, label in (("lr", "lr"), ("started", "Started")):
        page.get_by_role("combobox", name="Columns…").fill(text)
        page.get_by_role("option", name=label, exact=True).first.click()
    page.keyboard.press("Escape")
    expect(page.locator(".runlist .heads .col")).to_have_text(["lr", "Started"])
    expect(row_of(page, "vit-005").locator(".col").first).to_have_text("3e-4")
    page.locator(".card canvas").first.wait_for()
    page.screenshot(path=SCREENSHOTS / f"run-list-{theme}.png")
    page.reload()
    expect(row_of(page, "vit-005").locator(".col").first).to_have_text("3e-4")


def test_only_the_selected_runs_are_drawn(server: str, open_page: Open) -> None:
    """
    All others are hidden, and one of them can be shown again by its eye; failed runs can be hidden too.
    """
    page = open_page(f"{server}metrics")
    row_of(page, "vit-s-0.001-0").get_by_role("checkbox").click(force=True)
    page.get_by_role("button", name="Which runs are drawn").click()
    page.get_by_role("menuitem", name="Hide all but the selected").click()
    expect(page.locator(".runlist .run:not(.off)")).to_have_count(1)
    page.get_by_role("button", name="Show vit-s-0.001-1").click()
    expect(page.locator(".runlist .run:not(.off)")).to_have_count(2)
    page.get_by_role("button", name="show all").click()
    expect(page.locator(".runlist .run.off")).to_have_count(0)
    page.get_by_role("button", name="Which runs are drawn").click()
    page.get_by_role("menuitem", name="Hide failed and lost runs").click()
    expect(row_of(page, "diverged")).to_have_class("run off")
    assert "failed=hide" in page.url
