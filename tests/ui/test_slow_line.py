"""
Charts of a running run over a slow line: every card on the screen gets its turn, and says how old it is.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright import sync_api

from tests.ui.conftest import Open, serving
from tests.ui.proxy import stripping_proxy

expect = sync_api.expect
METRICS = 30
LATENCY_S = 1
TURNS_MS_MAX = 120_000  # a busy machine; the order of the requests is what counts, not how long they take

# A training that records 30 metrics, ten steps a second, until its standard input is closed.
TRAINING = f"""
import sys, threading
from aim import Run
end = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
with Run(repo=sys.argv[1], system_tracking_interval=None, capture_terminal_logs=False) as run:
    step = 0
    while not end.wait(0.1):
        for number in range({METRICS}):
            run.track(1 / (step + 1), name=f"metric_{{number:02}}", step=step)
        step += 1
        if step == 10:
            print("runs", flush=True)
"""


@contextmanager
def training(repo: Path) -> Iterator[None]:
    """Run the training; it has recorded some steps when the body begins."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(repo)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert "runs\n" == process.stdout.readline()
        yield
    finally:
        process.communicate()


def metric_of(request: sync_api.Request) -> str:
    """Return the name of the metric that curves are asked for."""
    return str(json.loads(request.post_data or "{}")["metrics"][0]["name"])


def test_every_card_gets_its_turn_when_answers_are_slow(open_page: Open, tmp_path: Path) -> None:
    """
    Thirty live metrics and a second of latency: all cards on the screen are loaded and are brought up to date twice, no
    request is begun while its like is under way or given up for a tick, and the cards say how old they are.
    """
    (tmp_path / "live").mkdir()
    with training(tmp_path / "live"), serving("--repo", str(tmp_path / "live")) as address:
        with stripping_proxy(re.sub(r"(?<=\d)/.*", "/", address), latency_s=LATENCY_S) as public:
            page = open_page(public + "settings")
            under_way: Counter[str] = Counter()
            doubled: list[str] = []
            given_up: list[str] = []
            answered: Counter[str] = Counter()

            def key(request: sync_api.Request) -> str:
                what = urlsplit(request.url).path.rsplit("/", 1)[1]
                return f"{what} {metric_of(request)}" if what == "series" else what

            def begin(request: sync_api.Request) -> None:
                if request.method == "POST":
                    under_way[key(request)] += 1
                    if under_way[key(request)] > 1 and key(request).startswith("series"):
                        doubled.append(key(request))

            def end(request: sync_api.Request) -> None:
                if request.method == "POST":
                    under_way[key(request)] -= 1
                    answered[key(request)] += 1

            page.goto(public + "metrics")
            cards = page.locator(".card")
            expect(cards).to_have_count(METRICS)
            page.on("request", begin)
            page.on("requestfinished", end)
            page.on("requestfailed", lambda request: given_up.append(key(request)))

            expect(page.locator(".card .age").first).to_be_visible(timeout=TURNS_MS_MAX)
            visible = cards.evaluate_all(
                "(all) => all.filter((card) => card.getBoundingClientRect().top < innerHeight)"
                ".map((card) => card.dataset.card)"
            )
            names = {f"series {re.sub('[^a-z_0-9].*', '', name)}" for name in visible}
            assert len(names) >= 6
            while min(answered[name] for name in names) < 3:
                page.wait_for_event("requestfinished", timeout=TURNS_MS_MAX)
            assert [] == doubled
            assert [] == [what for what in given_up if what.startswith(("series", "runs"))]
            page.close()
