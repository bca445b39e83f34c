"""
Runs are ticked together: all that match, or all of a group.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import Open

expect = sync_api.expect


def test_the_box_in_the_head_ticks_all_matching_runs(server: str, open_page: Open) -> None:
    """
    Also those that are not on the screen; a second press unticks them, and a run ticked by itself leaves it half ticked.
    """
    page = open_page(server + "runs?q=run.hparams.model+==+%22vit-s%22")
    bar = page.get_by_role("toolbar", name="The selected runs")
    box = page.get_by_role("checkbox", name="Select all matching runs")
    box.click()
    expect(bar).to_contain_text("8 runs selected")
    page.locator(".grid .row", has_text="vit-s-0.001-0").get_by_role("checkbox").click()
    expect(bar).to_contain_text("7 runs selected")
    assert box.evaluate("box => box.indeterminate")
    box.click()
    expect(bar).to_contain_text("8 runs selected")
    box.click()
    expect(bar).to_have_count(0)


def test_the_box_of_a_group_ticks_its_runs(server: str, open_page: Open) -> None:
    """
    A group's runs are ticked beside those that are ticked already, folded or not.
    """
    page = open_page(server + "runs?group=hparams.model")
    bar = page.get_by_role("toolbar", name="The selected runs")
    page.get_by_role("checkbox", name="Select all runs of vit-s").first.click()
    expect(bar).to_contain_text("8 runs selected")
    page.get_by_role("checkbox", name="Select all runs of resnet50").first.click()
    expect(bar).to_contain_text("16 runs selected")
