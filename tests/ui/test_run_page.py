"""
The page of a run: where it comes from, what it was before a rewind, its machine beside its training, its changed
sources; and runs that no page was made for.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run, Text
from tests.ui.conftest import Open, serving
from tests.ui.test_journeys import COLOURS, wait_drawn

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect

# How much of a canvas is not ground, which is its most common colour.
COVERED = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const counts = new Map();
    for (const word of new Uint32Array(data.buffer)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return data.length / 4 - Math.max(...counts.values());
}"""
LONG_NAME = "a run with a very long name " * 20
SCRIPT_NAME = "<script>document.title = 'taken'</script> & \"quotes\""
RTL_NAME = "ריצה 🚀 العربية"
SYSTEM = "__system__cpu"


def record(repo: Path, name: str) -> Run:
    """Begin a run that records nothing by itself."""
    run = Run(repo=str(repo), system_tracking_interval=None, capture_terminal_logs=False)
    run.name = name
    return run


def record_odd_runs(repo: Path) -> None:
    """Record values and names that are hard to show."""
    with record(repo, LONG_NAME) as run:
        for place in range(200):
            run.add_tag(f"tag-{place}")
        run.track(3.5, name="single", step=7)
        run["hparams"] = {f"a_param_with_a_long_name_{place}": "v" * 200 for place in range(40)}
    with record(repo, RTL_NAME) as run:
        for step in range(50):
            run.track(math.nan, name="all_nan", step=step)
            run.track(5.0, name="constant", step=step)
            run.track(1e300 * (step + 1), name="huge", step=step)
            run.track(1e9 + step * 1e-3, name="close", step=step)
            run.track(float(step - 25), name="negative", step=step)
            run.track(math.inf if step % 10 == 0 else float(step), name="infinite", step=step)
    with record(repo, SCRIPT_NAME) as run:
        run.track(Text("<img src=x onerror=alert(1)>"), name="said", step=0)
        run["<b>key</b>"] = {"<i>inner</i>": "<u>value</u>"}
    record(repo, "nothing at all").close()


@pytest.fixture(name="rewound", scope="module")
def _rewound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    A server of a run that was taken back twice, of one forked from it, and of runs that are hard to show.
    """
    repo = tmp_path_factory.mktemp("rewound")
    with record(repo, "origin") as run:
        for height in (3.0, 2.0, 1.0):
            start = len(run.get_metric("loss", {}).values) if height < 3 else 0
            for step in range(start, 100):
                run.track(height + math.sin(step / 5), name="loss", step=step)
                run.track(40 + step % 10, name=SYSTEM, step=step)
            if height > 1:
                run.rewind(30)
        fork = run.fork(60, system_tracking_interval=None, capture_terminal_logs=False)
        fork.name = "branch"
        fork.track(9.0, name="loss", step=61)
        fork.close()
    record_odd_runs(repo)
    with serving("--repo", str(repo)) as address:
        yield address


def open_run(open_page: Open, address: str, name: str) -> sync_api.Page:
    """Open a run's page from the table."""
    page = open_page(address + "runs")
    page.locator(".grid .row .name", has_text=name).first.click()
    page.locator(".run-head h1").wait_for()
    return page


def test_what_was_before_a_rewind_is_drawn_behind(rewound: str, open_page: Open, shot: Shot) -> None:
    """
    The head tells of the rewinds; the history is drawn on demand, and the address keeps that.
    """
    page = open_run(open_page, rewound, "origin")
    expect(page.locator(".run-head .facts")).to_contain_text("rewound 2 times, last to step 30")
    wait_drawn(page, "loss")
    canvas = page.locator("[data-card='loss'] canvas").first
    page.wait_for_load_state("networkidle")
    before = canvas.evaluate(COVERED)

    with page.expect_request(lambda sent: "/series" in sent.url and '"branches":50' in (sent.post_data or "")):
        page.get_by_role("button", name="history").click()
    page.wait_for_function(f"canvas => ({COVERED})(canvas) > 1.25 * {before}", arg=canvas.element_handle())
    assert "history=shown" in page.url
    shot(page)


def test_a_fork_leads_to_its_origin(rewound: str, open_page: Open) -> None:
    """
    A forked run says from which run and step it goes on, by name, and the name leads there.
    """
    page = open_run(open_page, rewound, "branch")
    expect(page.locator(".run-head .facts")).to_contain_text("forked from origin at step 60")
    page.locator(".run-head").get_by_role("link", name="origin").click()
    expect(page.locator(".run-head h1")).to_contain_text("origin")


def test_the_machine_is_shown_beside_the_training(rewound: str, open_page: Open) -> None:
    """
    System metrics come under the curves, over the same time, and a zoom of one zooms all.
    """
    page = open_run(open_page, rewound, "origin")
    wait_drawn(page, "loss")
    page.get_by_role("button", name="system beside").click()
    cards = page.locator(".run-charts .card .chart[data-scales]")
    expect(cards).to_have_count(2)
    assert "x=relative" in page.url
    page.wait_for_load_state("networkidle")
    box = cards.first.locator("canvas").last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 60, steps=3)
    page.mouse.up()
    page.wait_for_function(
        """() => {
            const ends = [...document.querySelectorAll(".run-charts .chart[data-scales]")]
                .map((chart) => JSON.parse(chart.dataset.scales).x.slice(0, 2).join());
            return ends.length === 2 && ends[0] === ends[1];
        }"""
    )
    expect(page.get_by_role("button", name="zoomed")).to_be_visible()


def test_odd_names_are_shown_as_they_are(rewound: str, open_page: Open, shot: Shot) -> None:
    """
    Names of any length, script and direction, 200 tags, markup: shown as text, and no page gets wider than its window.
    """
    page = open_page(rewound + "runs")
    for name in (SCRIPT_NAME, RTL_NAME, LONG_NAME.strip(), "nothing at all"):
        expect(page.locator(".grid .row .name", has_text=name)).to_have_count(1)
    shot(page)
    for name in (SCRIPT_NAME, RTL_NAME, LONG_NAME[:40], "nothing at all"):
        one = open_run(open_page, rewound, name)
        expect(one.locator(".run-head h1")).to_contain_text(name[:40])
        assert "taken" != one.title()
        assert one.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert one.evaluate("[...document.querySelectorAll('main')].every((box) => box.scrollWidth <= box.clientWidth)")


def test_odd_values_are_drawn(rewound: str, open_page: Open, shot: Shot) -> None:
    """
    One point is a dot, NaN and infinity are marks, and the marks of an axis are told apart; on a log axis too.
    """
    page = open_page(f'{rewound}metrics?q=run.name == "{RTL_NAME}" or "tag-3" in run.tags')
    for card in ("single", "all_nan", "constant", "huge", "close", "negative", "infinite"):
        canvas = page.locator(f"[data-card='{card}'] canvas").first
        canvas.scroll_into_view_if_needed()
        page.wait_for_function(f"canvas => ({COLOURS})(canvas) > 3", arg=canvas.element_handle())
    shot(page)
    page.keyboard.press("l")
    expect(page.locator(".toolbar")).to_contain_text("y log")
    for card in ("negative", "close"):
        canvas = page.locator(f"[data-card='{card}'] canvas").first
        page.wait_for_function(f"canvas => ({COLOURS})(canvas) > 3", arg=canvas.element_handle())


def test_changed_sources_are_shown_and_compared(open_page: Open, tmp_path: Path) -> None:
    """
    What was changed and not committed is on the run's page, coloured, and beside that of another run.
    """
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        (tmp_path / "train.py").write_text("lr = 0.1\n")
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    program = """
import sys
from aim import Run
with Run(repo=sys.argv[1], log_system_params=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
    run.name = sys.argv[2]
    run.track(1.0, name="loss")
"""
    repo = tmp_path / "runs"
    repo.mkdir()
    (tmp_path / ".gitignore").write_text("runs\n")
    for name, rate in (("first", "0.2"), ("second", "0.3")):
        (tmp_path / "train.py").write_text(f"lr = {rate}\n")
        subprocess.run([sys.executable, "-c", program, str(repo), name], cwd=tmp_path, check=True)
    with serving("--repo", str(repo)) as address:
        page = open_run(open_page, address, "first")
        page.get_by_role("tab", name="Environment").click()
        expect(page.locator(".patch .new")).to_have_text("+lr = 0.2")
        expect(page.locator(".patch .old")).to_have_text("-lr = 0.1")
        page.goto(address + "runs")
        for place in (0, 1):
            page.locator(".grid .row").nth(place).get_by_role("checkbox").click()
        page.keyboard.press("c")
        changes = page.get_by_role("region", name="Uncommitted changes")
        expect(changes.locator(".patch .new")).to_have_text(["+lr = 0.3", "+lr = 0.2"])


def test_a_server_that_is_away_is_told_and_waited_for(open_page: Open, tmp_path: Path, tolerated: list[str]) -> None:
    """
    The page keeps what it shows, says that nobody answers, and goes on when the server is back at its address.
    """
    tolerated.append("net::ERR_")
    record(tmp_path, "first").close()
    with serving("--repo", str(tmp_path), closes_pages=False) as address:
        page = open_page(address + "runs")
        expect(page.locator(".grid .row")).to_have_count(1)
        expect(page.locator(".live")).to_contain_text("live")
        fields = "performance.getEntriesByType('resource').some(({name}) => name.includes('/fields?'))"
        page.wait_for_function(fields)  # what the page keeps is what it has
        port = address.rstrip("/").rpartition(":")[2]
    expect(page.locator(".offline")).to_contain_text("The server does not answer")
    expect(page.locator(".grid .row")).to_have_count(1)
    record(tmp_path, "second").close()
    with serving("--repo", str(tmp_path), "--port", port):
        expect(page.locator(".offline")).to_have_count(0)
        expect(page.locator(".grid .row")).to_have_count(2)


def test_an_empty_repository_can_be_filled_to_look_at(open_page: Open, tmp_path: Path) -> None:
    """
    The page of no runs shows what to write, and turns into the runs when demo data is asked for.
    """
    with serving("--repo", str(tmp_path), "-y") as address:
        page = open_page(address)
        expect(page.get_by_role("heading", name="Waiting for the first run")).to_be_visible()
        expect(page.locator(".snippet")).to_contain_text("from aim import Run")
        page.get_by_role("button", name="Load demo data").click()
        expect(page.locator(".runlist .run")).to_have_count(23)
        wait_drawn(page, 'accuracy{"subset":"val"}')


def test_a_page_of_an_older_version_loads_the_new_one(open_page: Open, server: str, tolerated: list[str]) -> None:
    """
    A part that is not on the server any more, as after an upgrade, is asked for anew with the whole page.
    """
    tolerated.extend(["status of 404", "dynamically imported module"])
    page = open_page(server + "metrics")
    page.locator(".card canvas").first.wait_for()
    gone = []

    def lose(route: sync_api.Route) -> None:
        gone.append(route.request.url)
        route.fulfill(status=404, body="")

    page.route("**/assets/params-*.js", lose, times=1)
    page.get_by_role("link", name="Params").click()
    expect(page.locator(".params-table .row").first).to_be_visible()
    assert 1 == len(gone)


def test_a_wrong_address_says_so(open_page: Open, server: str, tolerated: list[str]) -> None:
    """
    A page that is not there leads back, and a report opens by its own address.
    """
    tolerated.append("status of 404")
    page = open_page(server + "metrics")
    page.goto(server + "no/such/page")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="Go to the metrics").click()
    page.locator(".card canvas").first.wait_for()
