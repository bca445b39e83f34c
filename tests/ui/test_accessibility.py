"""
What the pages are for people who do not see them, or not well: axe-core has no serious finding on any page.
"""

from __future__ import annotations

import pytest
from playwright import sync_api

from tests.ui.conftest import ROOT, Open
from tests.ui.recording import FAILED_RUN, OBJECTS_RUN

AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "metrics", "runs", "params", "media", "media?type=audios", "media?type=videos", "media?type=tables",
    "media?type=objects3d", "text", "reports", "settings", "docs?page=guide/recording", "alerts",
    "runs?q=run.hparams.lr > 9", "compare",
)  # fmt: skip


def serious_findings(page: sync_api.Page) -> list[str]:
    """Run axe-core in the page, in the dark and in the light, and give what it calls serious or critical."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for _ in ("one theme", "the other"):
        page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))")
        report = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        theme = page.locator("html").get_attribute("data-theme")
        found += [
            f"{theme}: {finding['id']}: {node['target']} {node['failureSummary']}"
            for finding in report["violations"]
            if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"][:3]
        ]
        page.get_by_role("button", name="Dark or light").click()
        page.wait_for_function("theme => document.documentElement.dataset.theme !== theme", arg=theme)
    return found


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in ui/")
@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_no_serious_finding(open_page: Open, server: str, address: str) -> None:
    """
    Names, roles, contrast and keyboard order of a page are right.
    """
    page = open_page(server + address)
    page.locator("main").wait_for()
    page.locator("main :is(.card canvas, .grid .row, .panel, .pictures, .notice, .toolbar, article)").first.wait_for()

    assert [] == serious_findings(page)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in ui/")
@pytest.mark.parametrize("name", [OBJECTS_RUN, FAILED_RUN])
def test_the_page_of_a_run_has_no_serious_finding(open_page: Open, server: str, name: str) -> None:
    """
    So it is on every tab of a run.
    """
    page = open_page(f'{server}runs?q=run.name == "{name}"')
    page.locator(".grid .row .name").first.click()
    page.locator(".tabs button").first.wait_for()

    for tab in page.locator(".tabs button").all_inner_texts():
        page.get_by_role("tab", name=tab).click()
        page.locator(".tabpanel > *").first.wait_for()
        assert [] == serious_findings(page), tab


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in ui/")
@pytest.mark.parametrize("address", ["runs", "metrics", "text?type=tables"])
def test_a_page_on_a_telephone_has_no_serious_finding(open_page: Open, server: str, address: str) -> None:
    """
    So it is where a narrow window has a layout of its own.
    """
    page = open_page(server + address)
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("main :is(.card canvas, .grid .row)").first.wait_for()

    assert [] == serious_findings(page)
