"""
Many runs: the newest curves of all cards are drawn first, the others after them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright import sync_api

from aim.engine.repository import Repository
from tests.ui.conftest import Open, in_both_themes, serving

RUNS = 320
METRICS = ("accuracy", "loss")


def record(root: Path, count: int = RUNS) -> None:
    """Record runs with two metrics of a few points."""
    repository = Repository(root, create=True)
    for number in range(count):
        writer = repository.new_run()
        for name in METRICS:
            for step in range(3):
                writer.sequence(name).track(number + step / 7, step=step)
        writer.close()


@in_both_themes
def test_the_newest_curves_are_drawn_first(open_page: Open, tmp_path: Path) -> None:
    """
    Each card asks for 300 curves, and after all cards have theirs, for all; in the end every curve is there.
    """
    record(tmp_path / "work")
    asked: list[tuple[str, int | None]] = []

    def note(request: sync_api.Request) -> None:
        if "/series?" in request.url:
            asked.append((_body(request)["metrics"][0]["name"], _body(request).get("limit")))

    with serving("--repo", str(tmp_path / "work")) as address:
        page = open_page(address + "runs")
        page.on("request", note)
        page.goto(address + "metrics")
        with page.expect_response(lambda answer: _is_whole(answer.request)) as full:
            page.locator(".card [data-scales]").first.wait_for()
        assert full.value.ok
        sync_api.expect(page.locator(".card .waiting")).to_have_count(0)
        page.wait_for_load_state("networkidle")

    assert [300, 300] == [limit for _, limit in asked[:2]]
    assert {(name, limit) for name in METRICS for limit in (300, None)} == set(asked)


def test_a_card_says_how_many_of_its_curves_are_there(open_page: Open, tmp_path: Path) -> None:
    """
    While only the newest curves of a card have come, it tells of how many; when all are there, it says nothing.
    """
    record(tmp_path / "work")
    held: list[sync_api.Route] = []

    def hold(route: sync_api.Route) -> None:
        if _is_whole(route.request):
            held.append(route)
        else:
            route.continue_()

    with serving("--repo", str(tmp_path / "work")) as address:
        page = open_page(address + "runs")
        page.route("**/series?*", hold)
        page.goto(address + "metrics")
        hints = page.get_by_text("newest 300 of 320")
        sync_api.expect(hints).to_have_count(len(METRICS))
        for route in held:
            route.continue_()
        sync_api.expect(hints).to_have_count(0)
        assert held


def _body(request: sync_api.Request) -> dict[str, Any]:
    return dict(request.post_data_json or {})


def _is_whole(request: sync_api.Request) -> bool:
    return "/series?" in request.url and "limit" not in _body(request)


def test_an_edit_is_undone_after_a_reload(open_page: Open, tmp_path: Path) -> None:
    """
    A run that was archived is brought back by the key for undo when the page was loaded again.
    """
    record(tmp_path / "work")
    with serving("--repo", str(tmp_path / "work")) as address:
        page = open_page(address + "runs")
        page.locator(".grid .row").first.get_by_role("checkbox").click()
        page.get_by_role("button", name="Archive").click()
        sync_api.expect(page.get_by_text("Archived 1 run.")).to_be_visible()

        page.reload()
        page.locator(".grid .row").first.wait_for()
        page.keyboard.press("Control+z")
        sync_api.expect(page.get_by_text("Undone for 1 run.")).to_be_visible()
        page.close()


def test_rows_of_a_long_list_come_into_view(open_page: Open, tmp_path: Path) -> None:
    """
    Of 700 runs the metrics page fetches the first 500, and the others when the list is scrolled to its end.
    """
    record(tmp_path / "work", 700)
    limits: list[int] = []
    with serving("--repo", str(tmp_path / "work")) as address:
        page = open_page(address + "runs")
        page.locator(".grid .row").first.wait_for(timeout=60_000)
        page.on("request", lambda sent: limits.append(_body(sent)["limit"]) if "/runs?" in sent.url else None)
        page.goto(address + "metrics")
        rows = page.locator(".runlist .run")
        rows.first.wait_for(timeout=60_000)
        sync_api.expect(page.locator(".runlist header")).to_contain_text("700")
        page.wait_for_function("() => document.querySelectorAll('.card canvas').length > 0")
        assert max(limits) <= 500
        page.locator(".runlist .list").evaluate("list => list.scrollTop = list.scrollHeight")
        last = page.locator(".runlist .run").last
        sync_api.expect(last.locator(".value")).to_have_text("0.2857", timeout=60_000)
        assert max(limits) > 500
        page.close()
