"""
Many runs: the newest curves of all cards are drawn first, the others after them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from playwright import sync_api

from aim import Image, Run, Text
from aim.engine.repository import Repository
from tests.ui.conftest import Open, in_both_themes, serving

RUNS = 320
GROUPED_RUNS = 1200
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
    is_held = True

    def hold(route: sync_api.Route) -> None:
        if is_held and _is_whole(route.request):
            held.append(route)
        else:
            route.continue_()

    with serving("--repo", str(tmp_path / "work")) as address:
        page = open_page(address + "runs")
        page.route("**/series?*", hold)
        page.goto(address + "metrics")
        hints = page.get_by_text("newest 300 of 320")
        sync_api.expect(hints).to_have_count(len(METRICS))
        assert held
        is_held = False  # a card may ask when another has got its answer
        for route in held:
            route.continue_()
        sync_api.expect(hints).to_have_count(0)


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


def _noted_limits(page: sync_api.Page) -> list[int]:
    """Return a list that will have how many rows each request of *page* asks for, those for named runs left out."""
    limits: list[int] = []

    def note(request: sync_api.Request) -> None:
        if request.method == "POST" and "/runs?" in request.url and "runs" not in _body(request):
            limits.append(_body(request)["limit"])

    page.on("request", note)
    return limits


def test_a_table_of_very_many_runs_fetches_the_rows_on_the_screen(open_page: Open, tmp_path: Path) -> None:
    """
    Of 1,200 runs without groups the table fetches 200 and those that are scrolled to, in the chosen order; a range of
    rows, the box of all runs and the menu of a column take all of them into account.
    """
    root = tmp_path / "work"
    _record_models(root)
    with serving("--repo", str(root)) as address:
        page = open_page(address + "settings")
        rows = _noted_limits(page)
        page.goto(address + "runs?cols=hparams.model;metric:loss:last&sort=metric:loss:last")
        grid = page.locator(".grid")
        sync_api.expect(grid.locator(".row .number").first).to_contain_text("0")
        grid.evaluate("grid => grid.scrollTop = grid.scrollHeight")
        sync_api.expect(grid.locator(".row .number").last).to_contain_text("0.9992")
        assert max(rows) <= 200
        grid.locator(".body .row").last.get_by_role("checkbox").click()
        grid.evaluate("grid => grid.scrollTop = 28 * 600")
        middle = grid.locator(".body .row", has=page.locator("[aria-label^='Select ']")).first
        middle.get_by_role("checkbox").click(modifiers=["Shift"])
        bar = page.get_by_role("toolbar", name="The selected runs")
        sync_api.expect(bar).to_contain_text(re.compile(r"(59|60)\d runs selected"))
        page.get_by_role("checkbox", name="Select all matching runs").click()
        sync_api.expect(bar).to_contain_text("1,200 runs selected")
        page.get_by_role("button", name="Values of model").click()
        sync_api.expect(page.get_by_role("menuitem").first).to_contain_text("400")
        page.close()


def test_runs_with_media_are_named_wherever_they_are_in_the_list(open_page: Open, tmp_path: Path) -> None:
    """
    The page of media and that of texts name the one of 1,200 runs that has some, and fetch at most 500 others.
    """
    root = tmp_path / "work"
    with Run(repo=str(root), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "painter"
        run.track(Text("once upon a time"), name="story", step=0)
        run.track(Image(np.zeros((8, 8), np.uint8), caption="night"), name="seen", step=0)
    _record_models(root)
    with serving("--repo", str(root)) as address:
        page = open_page(address + "settings")
        rows = _noted_limits(page)
        for name in ("media", "text"):
            page.goto(f"{address}{name}")
            sync_api.expect(page.get_by_role("link", name="painter")).to_be_visible()
        assert max(rows) <= 500
        page.close()


def _record_models(root: Path) -> None:
    """Record 1,200 runs of three models, the last of them running."""
    repository = Repository(root, create=True)
    for number in range(GROUPED_RUNS):
        writer = repository.new_run()
        writer.lines.set_param(("hparams",), {"model": ("cnn", "mlp", "vit")[number % 3], "lr": 0.1})
        writer.sequence("loss").track(number / GROUPED_RUNS, step=0)
        writer.sequence("loss").track(number / GROUPED_RUNS, step=1)
        writer.close()


def test_a_grouping_of_very_many_runs_fetches_no_more_than_is_on_the_screen(open_page: Open, tmp_path: Path) -> None:
    """
    Of 1,200 grouped runs, both pages fetch the heads of three groups and the rows on the screen, also after a change.
    """
    root = tmp_path / "work"
    _record_models(root)
    rows: list[int] = []

    def note(request: sync_api.Request) -> None:
        if request.method == "POST" and "/runs?" in request.url:
            rows.append(_body(request)["limit"])

    with serving("--repo", str(root)) as address:
        page = open_page(address + "runs")
        page.locator(".grid .row").first.wait_for()
        page.on("request", note)
        page.goto(address + "runs?group=hparams.model&cols=metric:loss:last")
        heads = page.locator(".grid .row.grouped")
        sync_api.expect(heads.first).to_contain_text("400")
        page.locator(".grid").evaluate("grid => grid.scrollTop = 28 * 900")
        sync_api.expect(page.locator(".grid .row:not(.grouped) .name").first).to_be_visible()
        sync_api.expect(page.locator(".grid .stuck")).to_contain_text("400")
        seen = len(rows)
        with page.expect_response(lambda answer: "/groups?" in answer.url):
            writer = Repository(root).new_run()
            writer.lines.set_param(("hparams",), {"model": "vit"})
            writer.close()
        page.locator(".grid").evaluate("grid => grid.scrollTop = 28 * 1199")
        sync_api.expect(page.locator(".grid .row:not(.grouped)").last).to_be_visible()
        assert len(rows) > seen
        assert max(rows) <= 500

        rows.clear()
        page.goto(address + "metrics?color=hparams.model")
        legend = page.get_by_role("group", name="Groups, the best first")
        sync_api.expect(legend.locator(".entry")).to_have_count(3)
        sync_api.expect(legend).to_contain_text("401")
        page.locator(".runlist .fold").first.click()
        sync_api.expect(page.locator(".runlist .run .name").first).to_be_visible()
        legend.locator(".entry [aria-pressed]").first.click()
        sync_api.expect(legend.locator(".entry.off")).to_have_count(2)
        assert max(rows) <= 500
        page.close()
