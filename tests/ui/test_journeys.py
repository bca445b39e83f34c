"""
Ten journeys of a person, in a real browser on real runs, in dark and in light. Each leaves a picture to look at.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run
from tests.ui.conftest import Open, in_both_themes, serving
from tests.ui.recording import BEST_RUN, FAILED_RUN, FAILURE, SPIKE_STEP, SPIKE_VALUE, record_run

pytestmark = in_both_themes

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect

# How many different colours a chart's canvas has: an empty one has three or four.
COLOURS = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""
DRAWN_COLOURS_MIN = 12


def wait_drawn(page: sync_api.Page, card: str) -> None:
    """Wait until the chart of a card is drawn."""
    canvas = page.locator(f"[data-card='{card}'] canvas").first
    canvas.wait_for()
    page.wait_for_function(f"(canvas) => ({COLOURS})(canvas) > {DRAWN_COLOURS_MIN}", arg=canvas.element_handle())


ACCURACY = 'accuracy{"subset":"val"}'
TRAIN_LOSS = 'loss{"subset":"train"}'


def test_the_first_look_shows_charts_without_a_click(open_page: Open, server: str, shot: Shot) -> None:
    """
    The address alone shows all metrics of all runs, with the runs beside them, best first.
    """
    page = open_page(server)

    wait_drawn(page, ACCURACY)
    wait_drawn(page, TRAIN_LOSS)
    assert 4 == page.locator(".card").count()
    expect(page.locator(".runlist .run .name").first).to_have_text(BEST_RUN)
    shot(page)


def test_a_query_finds_the_best_run(open_page: Open, server: str, shot: Shot) -> None:
    """
    A query typed after `/` narrows the runs; a wrong one is underlined, a completion is offered.
    """
    page = open_page(server + "runs")
    page.locator(".grid .row").first.wait_for()

    page.keyboard.press("/")
    page.keyboard.type("run.hpar")
    expect(page.locator(".cm-tooltip-autocomplete li").first).to_contain_text("hparams")
    page.keyboard.type('ams.lr == 0.001 and run.hparams.model == "vit-s"')
    page.keyboard.press("Enter")
    expect(page.locator(".query .count")).to_contain_text("2 runs")
    page.get_by_role("button", name="accuracy val best").click()
    expect(page.locator(".grid .row .name").first).to_have_text(BEST_RUN)
    assert "q=run.hparams.lr+==+0.001" in page.url
    shot(page)

    page.goto(server + "runs?q=run.nmae.upper() ==")
    expect(page.locator(".query-error")).to_be_visible()
    expect(page.locator(".q-error")).to_be_visible()


def test_two_runs_are_compared_in_three_steps(open_page: Open, server: str, shot: Shot) -> None:
    """
    Tick, tick, C: params that differ are tinted, results have their difference, curves are drawn.
    """
    page = open_page(server + 'runs?q=run.hparams.model == "vit-s"&sort=-metric:accuracy{"subset":"val"}:last')
    page.locator(".grid .row").nth(7).wait_for()

    page.locator(".grid .row").nth(0).get_by_role("checkbox").click()
    page.locator(".grid .row").nth(4).get_by_role("checkbox").click()
    page.keyboard.press("c")

    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    params = page.get_by_role("region", name="Params")
    expect(params.locator(".diff-row")).to_have_count(1)
    expect(params.locator(".changed")).to_have_count(1)
    expect(page.get_by_role("region", name="Results").locator(".delta").first).to_be_visible()
    wait_drawn(page, "loss")
    shot(page)


def test_runs_are_grouped_and_put_together_over_their_seeds(open_page: Open, server: str, shot: Shot) -> None:
    """
    Coloured by learning rate, and one line with a band for all seeds of a setting.
    """
    page = open_page(server + "metrics")
    wait_drawn(page, ACCURACY)

    page.get_by_title("Colour runs by").click()
    page.keyboard.type("lr")
    page.keyboard.press("Enter")
    expect(page.locator(".runlist .group")).to_have_count(5)  # four rates, and the run that has none
    page.get_by_title("Draw several runs").click()
    with page.expect_response("**/series?*") as answered:
        page.get_by_role("button", name="average over seeds").click()
    assert 200 == answered.value.status
    assert '"by":{"equal":"params"' in (answered.value.request.post_data or "")
    assert "color=hparams.lr" in page.url
    assert "agg=seed" in page.url
    page.keyboard.press("Escape")
    wait_drawn(page, ACCURACY)
    page.locator(f"[data-card='{ACCURACY}'] canvas").last.hover()
    expect(page.locator(".tip .hit").first).to_contain_text(re.compile(r"lr=0\.\d+ · model=(resnet\d+|vit-s)"))
    shot(page)


def test_a_spike_is_found_by_zooming(open_page: Open, server: str, shot: Shot) -> None:
    """
    A drag asks for the detail of that part; the spike's value is in the tip, and in no sampled average.
    """
    page = open_page(server + "metrics?outliers=show")
    wait_drawn(page, TRAIN_LOSS)
    chart = page.locator(f"[data-card='{TRAIN_LOSS}'] canvas").last
    box = chart.bounding_box()
    assert box is not None
    left, width = box["x"] + 40, box["width"] - 52

    page.mouse.move(left + width * 0.25, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(left + width * 0.35, box["y"] + 90, steps=4)
    with page.expect_request(lambda sent: "/series" in sent.url and '"window":[' in (sent.post_data or "")):
        page.mouse.move(left + width * 0.42, box["y"] + 90, steps=4)
        page.mouse.up()
    window = re.search(r"win=([\d.]+),([\d.]+)", page.url)
    assert window is not None
    low, high = float(window[1]), float(window[2])
    assert low < SPIKE_STEP < high
    wait_drawn(page, TRAIN_LOSS)
    page.mouse.move(left + width * (SPIKE_STEP - low) / (high - low), box["y"] + 14, steps=3)
    expect(page.locator(".tip")).to_contain_text(f"{SPIKE_VALUE:g}")
    shot(page)

    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("win="))


@pytest.fixture(name="own_server")
def _own_server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """
    A small repository of the test's own, and the address of its server.
    """
    repo = tmp_path / "own"
    repo.mkdir()
    for seed in (0, 1):
        record_run(repo, "resnet18", 0.001, seed, has_objects=False)
    with serving("--repo", str(repo)) as address:
        yield repo, address


def test_a_live_run_arrives_by_itself(own_server: tuple[Path, str], open_page: Open, shot: Shot) -> None:
    """
    A run that begins while the page is open appears, grows, and leaves the reader's zoom alone.
    """
    repo, address = own_server
    page = open_page(address + "metrics?win=0,50")
    wait_drawn(page, TRAIN_LOSS)
    expect(page.locator(".runlist .run")).to_have_count(2)

    with Run(repo=str(repo), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "newcomer"
        run["hparams"] = {"model": "live", "lr": 0.1}
        for step in range(40):
            run.track(2 - step / 50, name="loss", step=step, context={"subset": "train"})
        expect(page.locator(".runlist .run", has_text="newcomer")).to_be_visible()
        expect(page.locator(".live")).to_contain_text("1 live")
        with page.expect_response("**/series?*") as answered:
            for step in range(40, 60):
                run.track(2 - step / 50, name="loss", step=step, context={"subset": "train"})
        assert '"since":"' in (answered.value.request.post_data or "")
        assert "win=0,50" in page.url
        shot(page)
    expect(page.locator(".runlist .run .pulse")).to_have_count(0)


def test_runs_are_tagged_and_archived_and_it_is_undone(
    own_server: tuple[Path, str], open_page: Open, shot: Shot
) -> None:
    """
    A tag and an archived run are written at once, and taken back by Undo.
    """
    _, address = own_server
    page = open_page(address + "runs")
    page.locator(".grid .row").nth(1).wait_for()

    page.locator(".grid .row").nth(0).get_by_role("checkbox").click()
    page.keyboard.press("t")
    page.get_by_label("New tag").fill("paper")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Tagged 1 run")
    expect(page.locator(".grid .tag", has_text="paper")).to_have_count(1)
    shot(page)
    page.keyboard.press("a")
    expect(page.locator(".grid .row")).to_have_count(1)
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator(".grid .row")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator(".grid .tag")).to_have_count(0)


def test_a_shared_address_shows_the_same(open_page: Open, server: str, shot: Shot) -> None:
    """
    What one reader set, another one sees who opens the copied link: same runs, same drawing, to the pixel.
    """
    page = open_page(server + "metrics?color=hparams.model&smooth=0.6&y=log&fold=train&win=20,150")
    wait_drawn(page, ACCURACY)
    page.locator(".runlist .group .eye").first.click()
    page.get_by_role("button", name="Share").click()
    expect(page.locator(".toast")).to_contain_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    other = open_page(str(link))
    wait_drawn(other, ACCURACY)

    def state(of: sync_api.Page) -> tuple[list[str], str]:
        of.wait_for_load_state("networkidle")
        picture = of.locator(f"[data-card='{ACCURACY}'] canvas").first.evaluate("canvas => canvas.toDataURL()")
        return of.locator(".runlist .name, .toolbar .pill").all_inner_texts(), str(picture)

    page.mouse.move(5, 5)
    deadline = time.monotonic() + 60
    while state(page) != state(other) and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert state(page) == state(other)
    shot(other)


def test_the_keyboard_is_enough(open_page: Open, server: str, shot: Shot) -> None:
    """
    From the first page to a comparison and to a run by name, without the mouse.
    """
    page = open_page(server)
    wait_drawn(page, ACCURACY)

    page.keyboard.press("g")
    page.keyboard.press("r")
    page.locator(".grid .row").nth(5).wait_for()
    for key in ("j", "x", "j", "j", "x", "c"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type(BEST_RUN)
    expect(page.locator(".palette .hit.on")).to_contain_text(BEST_RUN)
    shot(page)
    page.keyboard.press("Enter")
    expect(page.locator(".run-head h1")).to_contain_text(BEST_RUN)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_a_failed_run_tells_why(open_page: Open, server: str, shot: Shot) -> None:
    """
    From the table to the exception in the log: the state says failed, the log has what was printed, in colours.
    """
    page = open_page(server + 'runs?q=run.status == "failed"')
    page.locator(".grid .row .name", has_text=FAILED_RUN).click()

    expect(page.locator(".run-head .state")).to_contain_text("failed")
    why = page.get_by_role("region", name="Why it failed")
    expect(why).to_contain_text("RuntimeError")
    expect(why.locator(".last-lines")).to_contain_text(FAILURE)
    page.get_by_role("button", name="Read the log").click()
    expect(page.locator(".terminal")).to_contain_text("step 29")
    expect(page.locator(".terminal")).to_contain_text(FAILURE)
    page.get_by_label("Find in the log").fill("step 7")
    expect(page.locator(".terminal .found.now mark")).to_have_text("step 7")
    shot(page)
