"""
Runs and points as files.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pyarrow.parquet
import pytest

from tests.server.conftest import Browser, MakeBrowser, MakeRun

FIELDS = [["run", "name"], ["param", "hparams", "lr"], ["metric", "loss", {"subset": "val"}, "max"], ["run", "tags"]]
COLUMNS = ["hash", "run.name", "hparams.lr", 'loss{"subset":"val"}.max', "run.tags"]


def export(browser: Browser, name: str, **request: Any) -> bytes:
    """Ask for a file; it is an attachment."""
    answer = browser.client.get(f"{browser.base}export/{name}", params={"request": json.dumps(request)})
    assert 200 == answer.status_code, answer.text
    assert f"attachment; filename*=UTF-8''demo-{name}" == answer.headers["content-disposition"]
    return answer.content


def test_runs_are_exported_with_a_column_for_each_field(browser: Browser) -> None:
    """
    CSV, JSON and Parquet hold the same runs and columns, all that match, whatever `limit` says.
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
    Nothing is sampled; NaN is NaN, a missing epoch is empty or null.
    """
    asked = {"metrics": [{"name": "loss"}], "buckets": 10, "smooth": 0.5}
    rows = list(csv.DictReader(io.StringIO(export(odd, "series.csv", **asked).decode())))
    objects = json.loads(export(odd, "series.json", **asked))
    table = pyarrow.parquet.read_table(io.BytesIO(export(odd, "series.parquet", **asked)))

    assert [5000] * 3 == [len(rows), len(objects), table.num_rows]
    assert ["run", "name", "context", "step", "epoch", "time", "value"] == list(rows[0]) == table.column_names
    assert ("r", "loss", '{"subset":"val"}', "3", "1.0", "1.5") == tuple(
        rows[3][name] for name in ("run", "name", "context", "step", "epoch", "value")
    )
    assert ["NaN", "Infinity", ""] == [rows[7]["value"], rows[8]["value"], rows[8]["epoch"]]
    values = [one["value"] for one in objects]
    assert ([3.0, 4.5], [None, 1]) == ([values[6], values[9]], [objects[2]["epoch"], objects[3]["epoch"]])
    exact = table.column("value").to_pylist()
    assert [step / 2 for step in range(9, 5000)] == exact[9:]
    assert math.isnan(exact[7])
    assert math.inf == exact[8]


def test_a_window_of_steps_limits_what_is_exported(odd: Browser) -> None:
    """
    With a window in steps only the points in it are exported.
    """
    assert [10, 11] == [one["step"] for one in json.loads(export(odd, "series.json", window=[10, 11]))]


def test_nothing_that_matches_is_an_empty_file(browser: Browser) -> None:
    """
    Without a match the files are whole and have no rows.
    """
    query = "run.hparams.lr > 9"

    assert [] == json.loads(export(browser, "series.json", query=query))
    assert 0 == pyarrow.parquet.read_table(io.BytesIO(export(browser, "series.parquet", query=query))).num_rows
    assert b"hash\r\n" == export(browser, "runs.csv", query=query)


def test_an_unknown_export_is_not_found(browser: Browser) -> None:
    """
    There are runs and series, as csv, json and parquet; a wrong request is refused before the file begins.
    """
    assert 404 == browser.client.get(f"{browser.base}export/runs.xlsx").status_code
    assert 404 == browser.client.get(f"{browser.base}export/secrets.csv").status_code
    wrong = browser.client.get(f"{browser.base}export/runs.csv", params={"request": '{"query":"run.("}'})
    assert (400, "query") == (wrong.status_code, wrong.json()["kind"])
