"""
What a person meets in the first hour: names, notes and reports are changed once, seen at once and not lost; mistakes
are answered; nothing is outside of the window.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Repo
from tests.ui.conftest import Open, serving
from tests.ui.recording import record_run

expect = sync_api.expect


@pytest.fixture(name="own_server")
def _own_server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """
    A repository with one run of the test's own, and the address of its server.
    """
    record_run(tmp_path, "resnet18", 0.001, 0, has_objects=False)
    with serving("--repo", str(tmp_path)) as address:
        yield tmp_path, address


def test_a_new_name_is_one_change(own_server: tuple[Path, str], open_page: Open) -> None:
    """
    Enter renames once, so one Undo takes it back; Escape renames nothing.
    """
    repo, address = own_server
    (run_hash,) = Repo(str(repo)).list_all_runs()
    page = open_page(f"{address}run/{run_hash}")
    name = page.locator("h1 .editable")
    before = name.inner_text()

    name.click()
    page.get_by_label("name", exact=True).fill("never")
    page.keyboard.press("Escape")
    expect(name).to_have_text(before)
    name.click()
    page.get_by_label("name", exact=True).fill("better")
    page.keyboard.press("Enter")

    expect(name).to_have_text("better")
    expect(page.locator(".toast", has_text="Renamed 1 run.")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(name).to_have_text(before)


def test_notes_are_seen_when_they_are_saved(own_server: tuple[Path, str], open_page: Open) -> None:
    """
    Who saves notes does not look at a page without them.
    """
    repo, address = own_server
    (run_hash,) = Repo(str(repo)).list_all_runs()
    page = open_page(f"{address}run/{run_hash}")

    page.get_by_role("button", name="Add notes").click()
    page.get_by_label("Notes").fill("# What I saw\n\n1. first\n\n2. second")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("heading", name="What I saw")).to_be_visible()
    expect(page.locator(".markdown ol")).to_have_count(1)


def test_a_report_that_is_being_written_is_not_lost(own_server: tuple[Path, str], open_page: Open) -> None:
    """
    What was written is there again after another page, after a reload, and after Close by its Undo; a deleted report
    comes back too.
    """
    _, address = own_server
    page = open_page(address + "reports")
    page.get_by_role("button", name="Write one").click()
    text = page.get_by_label("Text of the report")
    page.get_by_label("Name of the report").fill("Weekly")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Edit").click()

    text.fill("# Not yet saved")
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.locator(".grid .row")).to_have_count(1)
    page.go_back()
    expect(text).to_have_value("# Not yet saved")
    page.reload()
    expect(text).to_have_value("# Not yet saved")

    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("heading", name="What was tried")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(text).to_have_value("# Not yet saved")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Not yet saved")).to_be_visible()

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No reports yet")).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator(".report-item")).to_contain_text("Weekly")


def test_a_query_that_finds_nothing_says_what_may_have_been_meant(
    own_server: tuple[Path, str], open_page: Open
) -> None:
    """
    A mistyped param or metric is no error, but it is named with the nearest that is there.
    """
    _, address = own_server
    page = open_page(address + "runs?q=run.hparam.lr > 1 and metric.name == 'los'")

    notice = page.locator(".notice")
    expect(notice).to_contain_text("No run has a param 'hparam.lr'. Did you mean 'hparams.lr'?")
    expect(notice).to_contain_text("No run has a metric called 'los'. Did you mean 'loss'?")


@pytest.mark.parametrize("width", [700, 1000])
def test_the_bar_at_the_top_fits_a_narrow_window(own_server: tuple[Path, str], open_page: Open, width: int) -> None:
    """
    Nothing of it is beyond the window's edge, and nothing lies over another part.
    """
    _, address = own_server
    page = open_page(address + "runs")
    page.set_viewport_size({"width": width, "height": 700})
    page.locator(".grid .row").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    parts = [part for part in map(sync_api.Locator.bounding_box, page.locator(".top > *").all()) if part]
    assert [] == [pair for pair in itertools.combinations(parts, 2) if is_overlap(*pair)]


def is_overlap(first: sync_api.FloatRect, second: sync_api.FloatRect) -> bool:
    """Return whether two parts of a page lie over each other by more than a pixel; they may be in rows."""
    sides = (("x", "width"), ("y", "height"))
    return all(
        first[start] + first[size] > second[start] + 1 and second[start] + second[size] > first[start] + 1  # type: ignore[literal-required]
        for start, size in sides
    )


def test_a_repository_that_is_gone_is_said_and_comes_back(
    own_server: tuple[Path, str], open_page: Open, tolerated: list[str]
) -> None:
    """
    An open page keeps what it has and says what is missing; a new one is no invitation to a first run.
    """
    repo, address = own_server
    tolerated.append("status of 404")
    page = open_page(address + "runs")
    page.locator(".grid .row").wait_for()

    (repo / ".aim").rename(repo / "moved")
    expect(page.locator(".offline")).to_contain_text("is gone")
    expect(page.locator(".grid .row")).to_have_count(1)
    page.reload()
    expect(page.locator(".notice")).to_contain_text("is gone")

    (repo / "moved").rename(repo / ".aim")
    expect(page.locator(".grid .row")).to_have_count(1)


def test_an_address_that_nobody_could_have_made_is_an_answer(
    own_server: tuple[Path, str], open_page: Open, tolerated: list[str]
) -> None:
    """
    A broken escape in a link ends in a page that says so, not in an empty window.
    """
    _, address = own_server
    tolerated.append("status of 404")
    page = open_page(address + "run/%zz")

    expect(page.get_by_role("heading", name="There is no such run")).to_be_visible()
