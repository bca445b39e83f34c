"""
Tags in the pages: in the colour that somebody gave them.
"""

from __future__ import annotations

from pathlib import Path

from playwright import sync_api

from aim import Repo, Run
from tests.ui.conftest import Open, in_both_themes, serving

expect = sync_api.expect


@in_both_themes
def test_a_tag_is_shown_in_its_colour(open_page: Open, tmp_path: Path) -> None:
    """
    What the SDK says of a tag is seen in the table and on the run's page; other tags keep the hue of their name.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(1.0, name="loss")
        run.add_tag("paper")
        run.add_tag("odd")
    Repo(str(tmp_path)).set_tag("paper", color="#00aa00", description="is in the paper")
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(f"{address}runs")
        for path in ("runs", f"run/{run.hash}"):
            page.goto(address + path)
            tag = page.locator(".tag", has_text="paper").first
            expect(tag).to_have_class("tag colored")
            expect(tag).to_have_attribute("title", "is in the paper")
            green = tag.evaluate(
                """tag => {
                    const context = document.createElement("canvas").getContext("2d");
                    context.fillStyle = getComputedStyle(tag).color;
                    context.fillRect(0, 0, 1, 1);
                    return [...context.getImageData(0, 0, 1, 1).data];
                }"""
            )
            assert green[1] > green[0] + 50
            assert green[1] > green[2] + 50
            expect(page.locator(".tag", has_text="odd").first).to_have_class("tag")
