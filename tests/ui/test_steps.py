"""
How many presses, keys and typed texts a reader needs: what docs/decisions/steps.md says of each journey, counted here.

The project is that of `project.py`. Each journey begins on the start page, and ends when the page shows what is looked
for. A press, a key and a typed text are one step each; looking and scrolling are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api
from playwright.sync_api import expect

from bench.repository import Size, build
from tests.ui.conftest import Open, in_both_themes, serving
from tests.ui.project import record_project, recording_live
from tests.ui.recording import FAILED_RUN, FAILURE

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "steps.md"
SIZES = ((1440, 900), (1920, 1080), (1024, 768), (390, 844))


class Reader:
    """Somebody before a page, whose steps are counted."""

    def __init__(self, page: sync_api.Page) -> None:
        self.page = page
        self.steps = 0

    def press(self, target: sync_api.Locator) -> None:
        """Press something with the mouse."""
        self.steps += 1
        target.click()

    def key(self, name: str) -> None:
        """Press a key."""
        self.steps += 1
        self.page.keyboard.press(name)

    def type(self, text: str) -> None:
        """Type a text."""
        self.steps += 1
        self.page.keyboard.type(text)

    def button(self, name: str) -> sync_api.Locator:
        """Return a button by its words."""
        return self.page.get_by_role("button", name=name).first

    def go(self, page: str) -> None:
        """Press the link to a page."""
        self.press(self.page.get_by_role("navigation").get_by_role("link", name=page, exact=True).first)


def find_by_name(reader: Reader) -> None:
    """Find a run by a part of its name."""
    reader.key("/")
    reader.type("vit-117")
    expect(reader.page.locator(".runlist .run")).to_have_count(1)


def see_best(reader: Reader) -> None:
    """See which run is the best."""
    expect(reader.page.locator(".runlist .run .name").first).to_have_attribute("title", re.compile("vit-199"))


def average_seeds(reader: Reader) -> None:
    """Average over the seeds of a sweep."""
    reader.press(reader.button("aggregate"))
    reader.press(reader.button("average over seeds"))
    expect(reader.page.locator(".group-legend .entry").first).to_be_visible()


def color_by(reader: Reader, field: str) -> None:
    reader.press(reader.button("+ colour"))
    reader.press(reader.page.get_by_role("option").filter(has_text=field).first)


def compare_settings(reader: Reader) -> None:
    """Learn by how much two batch sizes differ, with an interval."""
    color_by(reader, "hparams.batch_size")
    reader.press(reader.button("Compare groups"))
    expect(reader.page.get_by_role("dialog")).to_contain_text("95 % interval")


def draw_one_group(reader: Reader) -> None:
    """Colour by a param, and draw one of its values alone."""
    color_by(reader, "hparams.batch_size")
    reader.press(reader.page.locator(".group-legend .entry [aria-pressed]").first)
    expect(reader.page.locator(".group-legend .entry.off").first).to_be_visible()


def compare_runs(reader: Reader) -> None:
    """Compare two runs: params, curves and results."""
    boxes = reader.page.locator(".runlist .run input")
    reader.press(boxes.nth(0))
    reader.press(boxes.nth(1))
    reader.key("c")
    expect(reader.page).to_have_url(re.compile("/compare"))


def make_chart(reader: Reader) -> None:
    """Make a chart of the losses of training and validation."""
    reader.press(reader.button("+ chart"))
    reader.page.get_by_label("Metrics, by name or /pattern/").focus()
    reader.type("train/loss, val/loss")
    reader.press(reader.button("Add the chart"))
    expect(reader.page.locator("[data-card^='chart:'] [data-scales]")).to_be_visible()


def only_a_value(reader: Reader) -> None:
    """Leave only the runs with one value of a param."""
    reader.go("Runs")
    reader.page.locator(".grid .row .name").first.wait_for()
    labels = [head.inner_text().partition("\n")[0] for head in reader.page.get_by_role("columnheader").all()]
    cell = reader.page.locator(".grid .row", has_text="vit-").first.get_by_role("gridcell").nth(labels.index("lr"))
    reader.press(cell)
    reader.press(reader.page.get_by_role("menuitem").first)
    expect(reader.page).to_have_url(re.compile("q="))


def logarithmic(reader: Reader) -> None:
    """Show all charts with a logarithmic axis."""
    reader.key("l")
    expect(reader.page).to_have_url(re.compile("y=log"))


def smoother(reader: Reader) -> None:
    """Smooth all curves."""
    reader.key("s")
    expect(reader.page).to_have_url(re.compile("smooth=0.6"))


def see_images(reader: Reader) -> None:
    """See the images of all runs."""
    reader.page.locator(".workspace-media").first.scroll_into_view_if_needed()
    expect(reader.page.locator("main img").first).to_be_visible()


def see_reason(reader: Reader) -> None:
    """Learn why a job failed last night."""
    reader.key("/")
    reader.type(FAILED_RUN)
    expect(reader.page.locator(".runlist .run")).to_have_count(1)
    reader.press(reader.page.locator(".runlist .run .name").first)
    expect(reader.page.get_by_role("region", name="Why it failed")).to_contain_text(FAILURE)


def see_importance(reader: Reader) -> None:
    """See which params matter for the result."""
    reader.go("Params")
    expect(reader.page.get_by_text("Importance", exact=False).first).to_be_visible()


def watch_training(reader: Reader) -> None:
    """Watch a training that runs."""
    reader.press(reader.page.locator(".live"))
    expect(reader.page.locator(".runlist .run .pulse")).to_have_count(1)


def choose_baseline(reader: Reader) -> None:
    """Show every result as the difference to a baseline."""
    reader.page.locator(".runlist .run").first.hover()
    reader.press(reader.page.locator(".runlist .run").first.get_by_role("button", name="baseline"))
    expect(reader.page.locator(".runlist .value em").first).to_be_visible()


def archive_all(reader: Reader) -> None:
    """Select all runs that match."""
    reader.go("Runs")
    reader.press(reader.page.get_by_role("checkbox", name="Select all matching runs"))
    expect(reader.page.get_by_text(re.compile("2\\d\\d runs selected"))).to_be_visible()


def read_worst(reader: Reader) -> None:
    """Read the answers of a language model, the worst first."""
    reader.go("Text")
    table = reader.page.locator(".tableview").first
    reader.press(table.get_by_role("columnheader", name="score").get_by_role("button").first)
    expect(table.get_by_role("columnheader", name="score")).to_have_attribute("aria-sort", "ascending")
    expect(table.locator(".grid .body .row").first).to_contain_text("What is 0?")


def see_change(reader: Reader) -> None:
    """See which words of an answer changed during the training."""
    reader.go("Text")
    reader.press(reader.page.locator(".tableview .grid .body .row", has_text="What is 3?").first)
    reader.press(reader.page.locator(".sample-row").get_by_role("button", name="over steps"))
    expect(reader.page.locator(".sample-row ins").first).to_be_visible()


def play_steps(reader: Reader) -> None:
    """Play the images of all runs, step by step."""
    reader.go("Media")
    reader.press(reader.button("Play the steps"))
    expect(reader.button("Pause")).to_be_visible()
    expect(reader.page).to_have_url(re.compile("step="))


def write_note(reader: Reader) -> None:
    """Write at a step of a chart what happened there."""
    reader.press(reader.page.locator(".card canvas").nth(1))
    reader.press(reader.page.get_by_label("Annotate this step"))
    reader.type("lr dropped here")
    with reader.page.expect_response(lambda answer: "/documents/annotation/" in answer.url):
        reader.key("Enter")


def see_spread(reader: Reader) -> None:
    """See mean, spread and number of runs of each learning rate."""
    reader.go("Runs")
    reader.press(reader.button("+ group"))
    reader.press(reader.page.get_by_role("option").filter(has_text="hparams.lr").first)
    expect(reader.page.locator(".grid .row.grouped").first).to_contain_text("±")


def hide_failed(reader: Reader) -> None:
    """Leave the failed runs out of all charts."""
    reader.press(reader.page.locator(".runlist header").get_by_role("button").first)
    reader.press(reader.page.get_by_role("menuitem", name="Hide failed and lost runs"))
    expect(reader.page).to_have_url(re.compile("failed=hide"))


def make_heat_map(reader: Reader) -> None:
    """Make a heat map of the accuracy over learning rate and batch size."""
    reader.press(reader.button("+ chart"))
    form = reader.page.get_by_role("dialog")
    reader.press(form.get_by_role("button", name="heat map", exact=True))
    reader.press(form.get_by_role("button", name="Add the chart"))
    heat = reader.page.get_by_role("img", name="heat chart")
    expect(heat.locator("rect").nth(5)).to_be_visible()


def save_picture(reader: Reader) -> None:
    """Save a chart as a picture for a paper."""
    reader.press(reader.page.get_by_role("button", name=re.compile("^More for accuracy")).first)
    with reader.page.expect_download():
        reader.press(reader.page.get_by_role("menuitem", name="SVG picture"))


def best_of_many(reader: Reader) -> None:
    """Group 10,000 runs by a param, and see the best group."""
    color_by(reader, "model.name")
    expect(reader.page.locator(".group-legend .entry")).to_have_count(8)


JOURNEYS: tuple[Callable[[Reader], None], ...] = (
    find_by_name, see_best, average_seeds, compare_settings, draw_one_group, compare_runs, make_chart, only_a_value,
    logarithmic, smoother, see_images, see_reason, see_importance, watch_training, choose_baseline, archive_all,
    read_worst, see_change, play_steps, write_note, see_spread, hide_failed, make_heat_map, save_picture,
)  # fmt: skip


@pytest.fixture(name="project_server", scope="module")
def _project_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The address of a server of the project, while one of its runs records.
    """
    folder = tmp_path_factory.mktemp("project") / "project"
    folder.mkdir()
    record_project(folder)
    with recording_live(folder), serving("--repo", str(folder)) as address:
        yield address


@pytest.fixture(name="many_server", scope="module")
def _many_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The address of a server of 10,000 small runs.
    """
    root = tmp_path_factory.mktemp("many") / "many"
    build(root, Size(10_000, params=14, sequences=1, points=2))
    with serving("--repo", str(root)) as address:
        yield address


def rows_of_page() -> dict[str, tuple[int, str]]:
    """Return what the page says: of each journey our steps, and the rest of its row."""
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {journey: (int(steps), peer) for journey, steps, peer in rows}


def title_of(journey: Callable[[Reader], None]) -> str:
    """Return what the page calls a journey."""
    return (journey.__doc__ or "").strip().removesuffix(".")


def steps_of(journey: Callable[[Reader], None], page: sync_api.Page) -> int:
    """Return how many steps a journey takes that begins at *page*, which is closed after it."""
    page.locator(".card [data-scales]").first.wait_for()
    reader = Reader(page)
    journey(reader)
    page.close()
    return reader.steps


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__)
def test_a_journey_takes_as_many_steps_as_the_page_says(
    journey: Callable[[Reader], None], project_server: str, open_page: Open
) -> None:
    """
    The steps of a journey through a project of 200 runs are those of docs/decisions/steps.md.
    """
    page = open_page(project_server)
    assert rows_of_page()[title_of(journey)][0] == steps_of(journey, page)


def test_ten_thousand_runs_are_grouped_in_as_few_steps(many_server: str, open_page: Open) -> None:
    """
    The journey through 10,000 runs takes the steps that docs/decisions/steps.md says, too.
    """
    page = open_page(many_server)
    assert rows_of_page()[title_of(best_of_many)][0] == steps_of(best_of_many, page)


@in_both_themes
@pytest.mark.parametrize("width, height", SIZES)
def test_the_project_fits_every_width(
    width: int, height: int, theme: str, project_server: str, open_page: Open
) -> None:
    """
    At four widths no page of the project is wider than the window, in light and in dark.
    """
    page = open_page(project_server)
    page.set_viewport_size({"width": width, "height": height})
    for name in ("metrics", "runs", "params", "media"):
        page.goto(f"{project_server}{name}")
        page.locator("main").first.wait_for()
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()
