"""
Integers beyond 2^53 on the pages.
"""

from __future__ import annotations

from pathlib import Path

from playwright import sync_api

from aim import Run
from tests.ui.conftest import Open, serving

expect = sync_api.expect
SEEDS = (2**63 - 1, 2**63 - 2, 2147483647, 10**30)


def test_integers_are_shown_with_all_their_digits(open_page: Open, tmp_path: Path) -> None:
    """
    Seeds of 2^31 - 1, of 2^63 - 1 and of more than 64 bits stand in the table and on the page of their run digit by
    digit.
    """
    (tmp_path / "seeds").mkdir()
    for seed in SEEDS:
        run = Run(repo=str(tmp_path / "seeds"), system_tracking_interval=None, capture_terminal_logs=False)
        run.name = f"run {seed}"
        run["hparams"] = {"seed": seed}
        run.track(1.0, name="loss", step=0)
        run.close()

    with serving("--repo", str(tmp_path / "seeds")) as address:
        page = open_page(address + "runs?cols=hparams.seed")
        for seed in SEEDS:
            expect(page.locator(".grid .row", has_text=f"run {seed}")).to_contain_text(f"run {seed}")
            expect(page.locator(".grid .row").get_by_text(str(seed), exact=True)).to_be_visible()
        page.locator(".grid .row .name", has_text=f"run {SEEDS[0]}").click()
        expect(page.locator(".run-head h1")).to_contain_text(f"run {SEEDS[0]}")
        expect(page.get_by_role("main").get_by_text(str(SEEDS[0]), exact=True).first).to_be_visible()
        page.close()
