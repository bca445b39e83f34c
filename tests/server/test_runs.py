"""
The table of runs, and the fields of runs.
"""

from __future__ import annotations

import math
from pathlib import Path

from tests.server.conftest import Browser, MakeBrowser, MakeRun

LOSS = ["metric", "loss", {"subset": "val"}, "last"]


def test_a_table_has_a_typed_column_for_each_field(browser: Browser) -> None:
    """
    Each requested field is a column of the type of its values, newest run first.
    """
    fields = [["run", "name"], ["param", "hparams", "lr"], ["run", "archived"], ["run", "tags"], LOSS]
    answer = browser.post("runs", {"query": "", "fields": fields})

    assert ["c", "b", "a"] == answer["hash"]
    assert (3, 3) == (answer["total"], answer["count"])
    assert [
        {"type": "string", "values": answer["columns"][0]["values"], "codes": answer["columns"][0]["codes"]},
        {"type": "number", "values": [0.001, 0.01, 0.1]},
        {"type": "bool", "values": [False, False, False]},
        {"type": "list", "values": [[], [], []]},
        {"type": "number", "values": [0.001 * 9, 0.01 * 9, 0.1 * 9]},
    ] == answer["columns"]
    names = answer["columns"][0]
    assert ["run c", "run b", "run a"] == [names["values"][code] for code in names["codes"]]


def test_missing_values_are_told_from_nan(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    The cell of a run without the metric is null; that of a last value of NaN is "NaN".
    """
    make_run("none").close()
    odd = make_run("odd")
    odd.track(math.nan, name="loss", step=0)
    odd.close()
    answer = make_browser().post("runs", {"fields": [["metric", "loss", {}, "last"], ["param", "lr"]]})

    assert {"odd": "NaN", "none": None} == dict(zip(answer["hash"], answer["columns"][0]["values"], strict=True))
    assert {"type": "json", "values": [None, None]} == answer["columns"][1]


def test_runs_are_sorted_with_nan_and_then_missing_last_both_ways(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    In both directions NaN is after all numbers, and missing values are after NaN.
    """
    for run_hash, value in (("one", 1.0), ("two", 2.0), ("nan", math.nan), ("none", None)):
        run = make_run(run_hash)
        if value is not None:
            run.track(value, name="loss", step=0)
        run.close()
    browser = make_browser()
    field = ["metric", "loss", {}, "last"]

    def order(is_descending: bool) -> list[str]:
        answer = browser.post("runs", {"sort": [{"field": field, "descending": is_descending}]})
        hashes: list[str] = answer["hash"]
        return hashes

    assert ["one", "two", "nan", "none"] == order(False)
    assert ["two", "one", "nan", "none"] == order(True)


def test_rows_are_sent_in_pages(browser: Browser) -> None:
    """
    `offset` and `limit` select a page of the sorted matches.
    """
    answer = browser.post("runs", {"sort": [{"field": LOSS, "descending": True}], "offset": 1, "limit": 1})

    assert (["b"], 3) == (answer["hash"], answer["count"])


def test_a_query_about_sequences_selects_the_runs_that_have_one(browser: Browser) -> None:
    """
    A query about metrics selects the runs that have a metric that matches.
    """
    answer = browser.post("runs", {"query": "metric.name == 'loss' and metric.last > 0.05"})

    assert ["b", "a"] == answer["hash"]


def test_archived_runs_are_listed_only_on_request(browser: Browser) -> None:
    """
    Archived runs are left out, unless the query names `run.archived` or the request lists the run.
    """
    browser.post("edits", {"runs": ["b"], "change": {"archived": True}})

    assert ["c", "a"] == browser.post("runs", {})["hash"]
    assert ["b"] == browser.post("runs", {"query": "run.archived"})["hash"]
    assert ["b", "a"] == browser.post("runs", {"runs": ["a", "b", "gone"]})["hash"]
    assert ["b"] == browser.post("runs", {"runs": ["a", "b"], "query": "run.hparams.lr < 0.1"})["hash"]


def test_without_a_match_each_clause_has_its_count(browser: Browser) -> None:
    """
    If no run matches, the answer has the number of runs that each clause matches alone.
    """
    query = "run.hparams.lr > 1 and run.hparams.optimizer == 'sgd'"

    clauses = browser.post("runs", {"query": query})["clauses"]

    assert [("run.hparams.lr > 1", 0), ("run.hparams.optimizer == 'sgd'", 2)] == [
        (query[clause["start"] : clause["end"]], clause["count"]) for clause in clauses
    ]


def test_without_a_match_there_are_hints(browser: Browser) -> None:
    """
    The hint names a param that no run has, its position in the query, and the nearest param.
    """
    query = "run.hparam.lr > 1"

    hints = browser.post("runs", {"query": query})["hints"]

    assert [("No run has a param 'hparam.lr'. Did you mean 'hparams.lr'?", "run.hparam.lr")] == [
        (hint["text"], query[hint["start"] : hint["end"]]) for hint in hints
    ]


def test_a_repository_that_is_gone_is_not_one_without_runs(
    root: Path, make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    The error names a folder that was moved while the server runs; when it is back, its runs are listed again.
    """
    make_run("a").close()
    browser = make_browser()
    assert ["a"] == browser.post("runs", {})["hash"]

    (root / ".aim").rename(root / "moved")
    error = browser.post("runs", {}, status=404)
    (root / "moved").rename(root / ".aim")

    assert f"The repository in {root} is gone. Was it moved, or is its disk not mounted?" == error["message"]
    assert ["a"] == browser.post("runs", {})["hash"]


def test_the_error_of_a_query_has_its_position(browser: Browser) -> None:
    """
    The error has the characters that are wrong, and a suggestion.
    """
    query = "metric.nmae == 'loss'"
    error = browser.post("runs", {"query": query}, status=400)

    assert ("query", "nmae", "name") == (error["kind"], query[error["start"] : error["end"]], error["suggestion"])
    assert "Did you mean `name`?" in error["message"]


def test_a_wrong_request_says_which_member_is_wrong(browser: Browser) -> None:
    """
    The error names the member of the request and what it must be.
    """
    assert "`limit` must be 1 or more, got 0." == browser.post("runs", {"limit": 0}, status=400)["message"]
    assert browser.post("runs", {"fields": [["run", "nmae"]]}, status=400)["message"].startswith("`fields[0]`")


def test_fields_list_params_sequences_and_facets(browser: Browser) -> None:
    """
    Params have types and values, sequences have counts, and facets count each value of a property.
    """
    answer = browser.post("fields", {"query": "run.hparams.optimizer == 'sgd'"})

    assert (3, 2) == (answer["total"], answer["count"])
    assert {"path": ["hparams", "lr"], "type": "number", "runs": 2, "distinct": 2, "examples": [0.001, 0.01]} in answer[
        "params"
    ]
    assert [
        {"name": "acc", "context": {}, "kind": "float", "runs": 2, "points": 2},
        {"name": "loss", "context": {"subset": "val"}, "kind": "float", "runs": 2, "points": 20},
    ] == answer["sequences"]
    assert [["finished", 2]] == answer["facets"]["status"]


def test_fields_of_a_query_about_sequences_are_those_that_match(browser: Browser) -> None:
    """
    If the query names `metric`, only the sequences that match are listed.
    """
    answer = browser.post("fields", {"query": "metric.name == 'acc'"})

    assert ["acc"] == [sequence["name"] for sequence in answer["sequences"]]
