"""
What must not cover, move or contradict what a reader looks at.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import Open
from tests.ui.recording import BEST_RUN, SPIKED_RUN

expect = sync_api.expect


def edges(locator: sync_api.Locator) -> tuple[float, float]:
    """Return the upper and the lower edge of an element on the screen."""
    box = locator.bounding_box()
    assert box is not None
    return box["y"], box["y"] + box["height"]


def test_completion_opens_under_the_error(open_page: Open, server: str) -> None:
    """
    While a wrong query is being mended, its error and what completes it are both to be read.
    """
    page = open_page(server + "runs?q=run.hparam.lr.x( < 1")
    error = page.locator(".query-error")
    expect(error).to_be_visible(timeout=60_000)
    page.locator(".query .cm-content").click()
    page.keyboard.press("End")
    page.keyboard.type(" and run.")
    completion = page.locator(".cm-tooltip-autocomplete")
    expect(completion).to_be_visible(timeout=60_000)
    expect(error).to_be_visible()

    assert edges(error)[1] <= edges(completion)[0]


def test_the_head_of_a_group_stays_in_sight(open_page: Open, server: str) -> None:
    """
    When its first rows are scrolled away, the head of the group stands under the head of the table, and folds it.
    """
    page = open_page(server + "runs?group=hparams.model")
    page.locator(".grid .row").first.wait_for(timeout=60_000)
    assert 0 == page.locator(".grid .stuck").count()
    page.locator(".grid").evaluate("grid => grid.scrollTop = 100")
    stuck = page.locator(".grid .stuck .row")
    expect(stuck).to_be_visible()
    head = edges(page.locator(".grid .head"))
    name = stuck.locator("b").inner_text()

    assert abs(head[1] - edges(stuck)[0]) <= 1
    stuck.get_by_role("button").click()
    expect(
        page.locator(".grid .row", has=page.get_by_text(name, exact=True)).get_by_role("button").first
    ).to_have_attribute("aria-expanded", "false")


def test_the_charts_stay_where_they_are_when_settings_change(open_page: Open, server: str) -> None:
    """
    Zooming, smoothing and averaging change words in the bar above the charts, but not its height.
    """
    page = open_page(server + "metrics")
    page.locator(".card canvas").first.wait_for(timeout=60_000)
    before = edges(page.locator(".toolbar.charts"))
    for settings in ("win=10,50&smooth=0.97&y=symlog", "agg=seed&color=hparams.model&dash=hparams.lr&win=1,9"):
        page.goto(f"{server}metrics?{settings}")
        page.locator(".card canvas").first.wait_for(timeout=60_000)

        assert before == edges(page.locator(".toolbar.charts"))


def test_a_comparison_says_nothing_before_its_data_is_there(open_page: Open, server: str) -> None:
    """
    While the second run is on its way, the first one is not said to differ from it.
    """
    page = open_page(server + "runs")
    for name in (BEST_RUN, SPIKED_RUN):
        page.locator(".grid .row", has_text=name).get_by_role("checkbox").click()
    held: list[sync_api.Route] = []
    answered: list[str] = []

    def hold(route: sync_api.Route) -> None:
        if answered:
            held.append(route)
        else:
            answered.append(route.request.url)
            route.continue_()

    page.route("**/runs/*", hold)
    page.keyboard.press("c")
    expect(page.locator(".side-head")).to_contain_text(BEST_RUN, timeout=60_000)
    page.wait_for_function("() => document.querySelectorAll('.card canvas').length > 0")
    assert held
    expect(page.locator(".diff-row")).to_have_count(0)
    for route in held:
        route.continue_()
    held.clear()
    page.unroute("**/runs/*")
    expect(page.locator(".diff-row").first).to_be_visible(timeout=60_000)
