"""
Tables of samples, as people record them of language models.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run, Table
from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes, serving

expect = sync_api.expect
ROWS = 100_000
WINDOW_BYTES_MAX = 60_000  # of a window of 100 rows
COLUMNS = ["id", "prompt", "answer", "score"]
# Whether all that a row holds is within it, and each value within the lines that it has.
INSIDE = """row => [...row.querySelectorAll("*")].every(part => {
    const box = part.parentElement.closest(".values, .text") ?? row;
    const [inner, outer] = [part.getBoundingClientRect(), box.getBoundingClientRect()];
    return inner.right <= outer.right + 1 && inner.bottom <= outer.bottom + 1;
})"""


def sample(number: int, step: int) -> list[object]:
    """Return one row."""
    answer = f"Row {number} says {'yes' if step else 'no'} after some thought"
    return [number, f"What is {number}?", answer, number % 10 / 10]


@pytest.fixture(name="samples", scope="module")
def _samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    A server of two runs with tables at two steps, and of one with a table of 100,000 rows.
    """
    folder = tmp_path_factory.mktemp("samples") / "samples"
    folder.mkdir()
    for name in ("first", "second"):
        with Run(repo=str(folder), system_tracking_interval=None, capture_terminal_logs=False) as run:
            run.name = name
            for step in (0, 10):
                rows = [sample(number, step) for number in range(40)]
                run.track(Table(rows if name == "first" else rows[::-1], COLUMNS), name="samples", step=step)
    with Run(repo=str(folder), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "large"
        rows = [[number, f"text {number} " + "word " * 60, number % 977] for number in range(ROWS)]
        run.track(Table(rows, ["id", "text", "score"]), name="many", step=0)
    with serving("--repo", str(folder)) as address:
        yield address


def table_of(page: sync_api.Page) -> sync_api.Locator:
    """Return the first table of a page."""
    return page.locator(".tableview").first


@in_both_themes
def test_a_row_is_compared_over_steps_and_runs(samples: str, open_page: Open, theme: str) -> None:
    """
    A press opens a row; over steps, and over runs that have it at another position, the words that differ are marked.
    """
    page = open_page(f"{samples}media?type=tables&q=run.name == 'second'")
    table_of(page).locator(".grid .row", has_text="What is 33?").click()
    panel = page.locator(".sample-row")
    expect(panel.locator("td", has_text="after some thought")).to_have_text("Row 33 says yes after some thought")
    panel.get_by_role("button", name="over steps").click()
    expect(panel.locator("thead th")).to_have_text(["", "step 10", "step 0"])
    expect(panel.locator("ins")).to_have_text("no")
    expect(panel.locator("del")).to_have_text("yes")
    panel.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / f"samples-{theme}.png")
    page.goto(f"{samples}media?type=tables&q=run.name != 'large'")
    expect(page.locator(".tableview")).to_have_count(2)
    table_of(page).locator(".grid .row", has_text="What is 33?").click()
    page.locator(".sample-row").get_by_role("button", name="over runs").click()
    expect(page.locator(".sample-row thead th")).to_have_text(["", "second", "first"])
    expect(page.locator(".sample-row ins")).to_have_count(0)


def test_rows_are_searched_filtered_and_joined(samples: str, open_page: Open) -> None:
    """
    Over all rows, with the number of those that match; a table that is joined has its columns beside the others.
    """
    page = open_page(f"{samples}media?type=tables&q=run.name == 'first'")
    table = table_of(page)
    table.get_by_role("textbox", name="Search the rows").fill("what 3?")
    expect(table).to_contain_text("4 of 40 rows")
    table.get_by_role("button", name="Filter").click()
    page.get_by_role("combobox", name="Column").select_option("score")
    page.get_by_role("combobox", name="Condition").select_option("at least")
    page.get_by_role("textbox", name="Value").fill("0.3")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(table.get_by_role("button", name="score >= 0.3")).to_be_visible()
    table.get_by_role("columnheader", name="id").get_by_role("button").click()
    table.get_by_role("columnheader", name="id").get_by_role("button").click()
    expect(table.locator(".grid .body .row").first).to_contain_text("What is 33?")
    table.get_by_role("button", name="Join").click()
    page.get_by_role("option", name="step 0").click()
    page.keyboard.press("Escape")
    expect(table.get_by_role("columnheader", name="answer")).to_have_count(2)
    expect(table.locator(".grid .row", has_text="What is 33?")).to_contain_text("Row 33 says no")


def test_of_100000_rows_only_those_in_view_are_sent(samples: str, open_page: Open) -> None:
    """
    The first window comes with the page, the last one after a jump to the end; nothing between is sent.
    """
    page = open_page(f"{samples}runs")
    answers: list[sync_api.Response] = []
    page.on("response", lambda answer: answers.append(answer) if answer.url.endswith("/tables") else None)
    page.goto(f"{samples}media?type=tables&q=run.name == 'large'")
    grid = table_of(page).locator(".grid")
    expect(grid.locator(".body .row").first).to_contain_text("text 0 word")
    with page.expect_response(lambda answer: answer.url.endswith("/tables")):
        grid.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(grid.locator(".body .row").last).to_contain_text(f"text {ROWS - 1} word")
    sizes = [len(answer.body()) for answer in answers]
    assert 2 <= len(sizes) <= 4
    assert max(sizes) <= WINDOW_BYTES_MAX


def test_on_a_telephone_rows_are_cards(samples: str, open_page: Open) -> None:
    """
    Nothing of a row is beyond the window: texts wrap, rows are sorted by a list of choices, and an opened row stands
    below itself, step by step.
    """
    page = open_page(f"{samples}media?type=tables&q=run.name == 'second'")
    page.set_viewport_size({"width": 390, "height": 800})
    table = table_of(page)
    grid = table.locator(".grid")
    card = grid.locator(".row", has_text="What is 39?")
    expect(card).to_contain_text("Row 39 says yes after some thought")
    assert grid.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert card.evaluate(INSIDE)
    table.get_by_role("combobox", name="Order of the rows").select_option("id ↑")
    expect(grid.locator(".body .row").first).to_contain_text("What is 0?")
    grid.locator(".body .row").first.click()
    panel = page.locator(".sample-row")
    panel.get_by_role("button", name="over steps").click()
    expect(panel.locator("td[data-label='step 0']")).not_to_have_count(0)
    expect(panel.locator("ins")).to_have_text("no")
    scroller = panel.get_by_role("region", name="Values of the row")
    assert scroller.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(f"{samples}media?type=tables&q=run.name == 'large'")
    text = table_of(page).locator(".grid .row", has_text="text 0 word").locator(".words")
    expect(text).to_be_visible()
    assert text.evaluate("words => words.getClientRects().length") >= 3, "a long text has its lines"


def test_an_opened_row_stays_when_the_next_table_comes(open_page: Open, tmp_path: Path) -> None:
    """
    While a training records, the newest table takes the place of the one before it: its row is shown in the panel that
    is open, with the other steps beside it, and the search stays. So it is on both pages.
    """
    run = Run(repo=str(tmp_path), name="live", system_tracking_interval=None, capture_terminal_logs=False)
    run.track(Table([sample(number, 0) for number in range(40)], COLUMNS), name="samples", step=0, sync=True)
    with serving("--repo", str(tmp_path)) as address:
        pages = [open_page(f"{address}{path}") for path in ("media?type=tables", f"run/{run.hash}?tab=tables")]
        for page in pages:
            table_of(page).get_by_role("textbox", name="Search the rows").fill("what 3")
            expect(table_of(page)).to_contain_text("13 of 40 rows")
            table_of(page).locator(".grid .row", has_text="What is 33?").click()
            page.locator(".sample-row").get_by_role("button", name="over steps").click()
            page.get_by_role("combobox", name="The column by which rows are the same").select_option("prompt")
            expect(page.locator(".sample-row td", has_text="Row 33 says no")).to_be_visible()
        run.track(Table([sample(number, 10) for number in range(40)], COLUMNS), name="samples", step=10, sync=True)
        for page in pages:
            panel = page.locator(".sample-row")
            expect(panel.locator("thead th")).to_have_text(["", "step 10", "step 0"])
            expect(panel.locator("ins")).to_have_text("no")
            expect(table_of(page)).to_contain_text("13 of 40 rows")
            expect(table_of(page).locator(".grid .row", has_text="What is 33?")).to_contain_text("Row 33 says yes")
            page.close()
    run.close()


def test_rows_far_down_are_there_after_a_sort(samples: str, open_page: Open) -> None:
    """
    Sorted while its end is in view, a table shows the end of the new order.
    """
    page = open_page(f"{samples}media?type=tables&q=run.name == 'large'")
    grid = table_of(page).locator(".grid")
    expect(grid.locator(".body .row").first).to_contain_text("text 0 word")
    grid.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(grid.locator(".body .row").last).to_contain_text(f"text {ROWS - 1} word")
    for _ in range(2):
        table_of(page).get_by_role("columnheader", name="id").get_by_role("button").click()
    expect(grid.locator(".body .row").last).to_contain_text("text 0 word")
