"""
Addresses of Aim 3's pages, from bookmarks, open ours on the same runs and metrics.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from playwright import sync_api

from tests.ui.conftest import Open
from tests.ui.recording import BEST_RUN

expect = sync_api.expect


def encoded(settings: object) -> str:
    """Write settings as Aim 3's pages do: escaped as `encodeURI` does, in base64."""
    escaped = quote(json.dumps(settings), safe="!'()*~;,/?:@&=+$#")
    return "O-" + base64.b64encode(escaped.encode()).decode()


def option(name: str, context: object) -> object:
    """Return one chosen metric."""
    return {"label": name, "type": "metrics", "value": {"option_name": name, "context": context}}


def test_an_address_of_the_metrics_explorer_opens_the_same_metrics(open_page: Open, server: str) -> None:
    """
    The chosen metrics, the query and the colours of Aim 3's address are those of our page.
    """
    select = {
        "options": [option("loss", {"subset": "val"}), option("accuracy", None)],
        "query": "run.hparams.lr < 0.001",
    }
    grouping = {"color": ["run.hparams.model"], "stroke": [], "chart": ["name"]}
    page = open_page(f"{server}metrics?grouping={encoded(grouping)}&select={encoded(select)}")

    expect(page.locator(".card h3")).to_have_text(["accuracy val", "loss val"])
    expect(page.locator(".query .count")).to_contain_text("12 runs")
    expect(page.locator(".runlist .group")).to_have_count(3)
    assert "O-" not in page.url
    assert "color=hparams.model" in page.url


def test_an_address_of_the_runs_explorer_opens_the_same_runs(open_page: Open, server: str) -> None:
    """
    Its query is ours; the address of one run opens that run.
    """
    page = open_page(f"{server}runs?search={encoded({'query': f'run.name == {json.dumps(BEST_RUN)}'})}")
    expect(page.locator(".grid .row .name")).to_have_text([BEST_RUN])

    run = (page.locator(".grid .row .name").get_attribute("href") or "").partition("?")[0].rpartition("/")[2]
    for address in (f"runs/{run}", f"runs/{run}/overview"):
        page.goto(server + address)
        expect(page.locator(".run-head h1")).to_contain_text(BEST_RUN)


def test_an_address_that_was_cut_off_says_so(open_page: Open, server: str) -> None:
    """
    A damaged address gets a page that tells why, with a way on.
    """
    page = open_page(f"{server}metrics?select={encoded({'options': []})[:13]}")

    expect(page.get_by_role("heading")).to_contain_text("of Aim 3, and it can't be read")
    page.get_by_role("link", name="the same page").click()
    expect(page.locator(".card").first).to_be_visible()
