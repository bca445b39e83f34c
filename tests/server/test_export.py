"""
Export of runs and points.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet
import pytest

from tests.server import frames
from tests.server.conftest import Browser, MakeBrowser, MakeRun

LONG = 2**53 + 1
FIELDS = [["run", "name"], ["param", "hparams", "lr"], ["metric", "loss", {"subset": "val"}, "max"], ["run", "tags"]]
COLUMNS = ["hash", "run.name", "hparams.lr", 'loss{"subset":"val"}.max', "run.tags"]


def export(browser: Browser, name: str, **request: Any) -> bytes:
    """Return the content of a file, which must be an attachment."""
    answer = browser.client.get(f"{browser.base}export/{name}", params={"request": json.dumps(request)})
    assert 200 == answer.status_code, answer.text
    assert f"attachment; filename*=UTF-8''demo-{name}" == answer.headers["content-disposition"]
    return answer.content


def test_runs_are_exported_with_a_column_for_each_field(browser: Browser) -> None:
    """
    CSV, JSON and Parquet have the same columns and all runs that match; `limit` is ignored.
    """
    asked: dict[str, Any] = {"fields": FIELDS, "limit": 1, "query": "run.hparams.lr < 0.1"}
    rows = list(csv.reader(io.StringIO(export(browser, "runs.csv", **asked).decode())))
    objects = json.loads(export(browser, "runs.json", **asked))
    table = pyarrow.parquet.read_table(io.BytesIO(export(browser, "runs.parquet", **asked)))

    assert [
        COLUMNS,
        ["c", "run c", "0.001", "0.009000000000000001", "[]"],
        ["b", "run b", "0.01", "0.09", "[]"],
    ] == rows
    assert dict(zip(COLUMNS, ["b", "run b", 0.01, 0.09, []], strict=True)) == objects[1]
    assert objects == table.to_pylist()


@pytest.fixture(name="odd")
def _odd(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    A browser on a run with 5,000 points, NaN and infinity among them, and some epochs.
    """
    run = make_run("r")
    for step in range(5000):
        value = {7: math.nan, 8: math.inf}.get(step, step / 2)
        run.track(value, name="loss", step=step, epoch=1 if step == 3 else None, context={"subset": "val"})
    run.close()
    return make_browser()


def test_every_point_is_exported(odd: Browser) -> None:
    """
    All points are exported; NaN is `NaN`, a missing epoch is empty or null.
    """
    asked = {"metrics": [{"name": "loss"}], "buckets": 10, "smooth": 0.5}
    rows = list(csv.DictReader(io.StringIO(export(odd, "series.csv", **asked).decode())))
    objects = json.loads(export(odd, "series.json", **asked))
    table = pyarrow.parquet.read_table(io.BytesIO(export(odd, "series.parquet", **asked)))

    assert [5000] * 3 == [len(rows), len(objects), table.num_rows]
    assert ["run", "name", "context", "step", "epoch", "time", "value"] == list(rows[0])
    assert [*rows[0], "exact"] == table.column_names
    assert ("r", "loss", '{"subset":"val"}', "3", "1.0", "1.5") == tuple(
        rows[3][name] for name in ("run", "name", "context", "step", "epoch", "value")
    )
    assert ["NaN", "Infinity", ""] == [rows[7]["value"], rows[8]["value"], rows[8]["epoch"]]
    values = [point["value"] for point in objects]
    assert ([3.0, 4.5], [None, 1]) == ([values[6], values[9]], [objects[2]["epoch"], objects[3]["epoch"]])
    exact = table.column("value").to_pylist()
    assert [step / 2 for step in range(9, 5000)] == exact[9:]
    assert math.isnan(exact[7])
    assert math.inf == exact[8]


def test_a_window_of_steps_limits_what_is_exported(odd: Browser) -> None:
    """
    With a window in steps only the points in it are exported.
    """
    assert [10, 11] == [point["step"] for point in json.loads(export(odd, "series.json", window=[10, 11]))]


def test_nothing_that_matches_is_an_empty_file(browser: Browser) -> None:
    """
    Without a match the files are valid and have no rows.
    """
    query = "run.hparams.lr > 9"

    assert [] == json.loads(export(browser, "series.json", query=query))
    assert 0 == pyarrow.parquet.read_table(io.BytesIO(export(browser, "series.parquet", query=query))).num_rows
    assert b"hash\r\n" == export(browser, "runs.csv", query=query)


def test_an_unknown_export_is_not_found(browser: Browser) -> None:
    """
    Other subjects and formats are not found; a wrong request is refused before the file begins.
    """
    assert 404 == browser.client.get(f"{browser.base}export/runs.xlsx").status_code
    assert 404 == browser.client.get(f"{browser.base}export/secrets.csv").status_code
    wrong = browser.client.get(f"{browser.base}export/runs.csv", params={"request": '{"query":"run.("}'})
    assert (400, "query") == (wrong.status_code, wrong.json()["kind"])


AXES: list[Any] = ["step", "epoch", "time", "relative", {"name": "speed"}, {"name": "speed", "context": {}}]


@pytest.mark.parametrize("x", AXES, ids=str)
@pytest.mark.parametrize(
    ("share", "is_outside"), [(None, False), ((0.25, 0.6), False), ((0.0, 0.0), True)], ids=["all", "some", "none"]
)
def test_what_is_exported_is_what_the_chart_shows(
    make_run: MakeRun, make_browser: MakeBrowser, x: Any, share: tuple[float, float] | None, is_outside: bool
) -> None:
    """
    For each x, with and without a window, the rows are all points of the chart in its order: also with decreasing
    epochs, points without an epoch, and steps that the other metric lacks.
    """
    run = make_run("r")
    for step in range(400):
        epoch = None if step % 7 == 0 else (step % 50 if step < 100 else step // 4)
        run.track(math.nan if step == 120 else step**0.5, name="loss", step=step, epoch=epoch)
        if step % 3:
            run.track(abs(200 - step) / 3, name="speed", step=step)
    run.close()
    browser = make_browser()
    asked = {"metrics": [{"name": "loss"}], "x": x, "buckets": 10_000}
    whole = frames.read(browser.bytes("series", asked)).only("r")
    ordered = sorted(whole.x)
    window = None if share is None else [ordered[int(part * len(ordered))] for part in share]
    if window is not None and is_outside:
        window = [ordered[-1] + 1, ordered[-1] + 2]
    if window is not None:
        asked["window"] = window
    rows = json.loads(export(browser, "series.json", **asked))
    column = x if x in ("step", "epoch", "time") else "x"
    (part,) = frames.read(browser.bytes("series", asked)).parts
    points = zip(part.x, part.y, strict=True)
    expected = [(at, value) for at, value in points if window is None or window[0] <= at <= window[1]]

    assert [row["value"] if row["value"] != "NaN" else None for row in rows] == [
        None if math.isnan(value) else pytest.approx(value, rel=1e-6) for _, value in expected
    ]
    assert [row[column] for row in rows] == [pytest.approx(at, rel=1e-6) for at, _ in expected]
    assert bool(rows) is not is_outside
    assert ("x" in rows[0] if rows else False) is (bool(rows) and column == "x")
    table = pyarrow.parquet.read_table(io.BytesIO(export(browser, "series.parquet", **asked)))
    assert [row["step"] for row in rows] == table.column("step").to_pylist()
    assert ("x" in table.column_names) is (column == "x")


def test_runs_as_a_whole_are_written_by_what_the_server_was_given(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    The writer of a format gets the repository, the chosen hashes and the query; the file that it writes is the answer.
    A format without a writer is unknown, and `api/info` tells which there are.
    """
    for run_hash, rate in (("a", 0.1), ("b", 0.01)):
        make_run(run_hash, lr=rate).close()
    asked: list[object] = []

    def write(root: Path, path: Path, hashes: Sequence[str], query: str) -> None:
        asked.append((root.name, sorted(hashes), query))
        path.write_bytes(b"written")

    browser = make_browser(writers={"zip": write})
    request = json.dumps({"query": "run.hparams.lr > 0.05", "fields": []})

    assert b"written" == browser.bytes(f"export/runs.zip?request={quote(request)}")
    assert [("demo", ["a"], "run.hparams.lr > 0.05")] == asked
    assert ["zip"] == browser.client.get("/api/info").json()["exports"]
    browser.get("export/runs.html", status=404)


def test_long_integers_are_exported_with_all_their_digits(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    CSV and JSON have every digit of an integer beyond 2^53; Parquet has it in a column beside the doubles.
    """
    run = make_run("r")
    for step, value in enumerate((7, LONG)):
        run.track(value, name="tokens", step=step)
    run.close()
    browser = make_browser()
    asked = {"metrics": [{"name": "tokens"}], "x": "relative"}
    rows = list(csv.DictReader(io.StringIO(export(browser, "series.csv", **asked).decode())))
    objects = json.loads(export(browser, "series.json", **asked))
    table = pyarrow.parquet.read_table(io.BytesIO(export(browser, "series.parquet", **asked)))

    assert str(LONG) == rows[1]["value"]
    assert [7, LONG] == [point["value"] for point in objects]
    assert [7.0, float(LONG)] == table["value"].to_pylist()
    assert [None, LONG] == table["exact"].to_pylist()
    assert ["value", "x", "exact"] == table.column_names[-3:]
