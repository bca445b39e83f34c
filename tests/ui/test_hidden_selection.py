"""
A selection that the query hides in part.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import Open

expect = sync_api.expect


def test_the_bar_counts_selected_runs_that_the_query_leaves_out(server: str, open_page: Open) -> None:
    """
    Two runs are selected, and a query leaves one of them: the bar says so, and leaves the other one out when asked.
    """
    page = open_page(server + "runs")
    for name in ("vit-s-0.001-0", "resnet18-0.001-0"):
        page.locator(".grid .row", has_text=name).get_by_role("checkbox").click()
    bar = page.get_by_role("toolbar", name="The selected runs")
    expect(bar).to_contain_text("2 runs selected")
    expect(bar).not_to_contain_text("not in this list")

    page.get_by_role("textbox", name="Query").click()
    page.keyboard.type('run.hparams.model == "vit-s"')
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("2 runs selected, 1 of them not in this list")
    bar.get_by_role("button", name="Leave them out").click()
    expect(bar).to_contain_text("1 run selected")
    expect(bar).not_to_contain_text("not in this list")
