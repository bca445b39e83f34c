"""
Smoothing, the names at the ends of lines, and the names of axes.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright import sync_api

from tests.ui.conftest import Open, in_both_themes

expect = sync_api.expect
Page = sync_api.Page


@in_both_themes
def test_a_kind_of_smoothing_is_chosen_and_its_value_typed(
    open_page: Open, sweep_server: str, shot: Callable[[Page], None]
) -> None:
    """
    The kind and the value are in the address, and the curves are asked for with them.
    """
    page = open_page(sweep_server + 'metrics?color=&q=run.name.startswith("vit-00") and run.hparams.lr == 0.0001')
    page.locator(".card[data-card] .chart-picture canvas, .card canvas").first.wait_for()
    page.locator(".smooth-pill").click()
    page.get_by_role("button", name="running mean").click()
    value = page.get_by_role("spinbutton", name="running mean")
    expect(value).to_have_value("11")
    with page.expect_request(lambda request: '"smooth_kind":"mean"' in (request.post_data or "")) as sent:
        value.fill("5")
        value.press("Enter")
    assert sent.value is not None
    expect(page.locator(".smooth-pill")).to_contain_text("running mean 5")
    assert "smooth=mean:5" in page.url
    page.keyboard.press("Escape")
    expect(page.locator(".card .chart[data-scales]").first).to_be_visible()
    expect(page.locator(".card .waiting")).to_have_count(0)
    shot(page)
