"""
Groups of runs: their heads, and the runs and curves of one.
"""

from __future__ import annotations

import math
import statistics

import pytest

from tests.server.conftest import Browser, MakeBrowser, MakeRun
from tests.server.frames import read

LOSS = ["metric", "loss", {}, "last"]
MODEL = ["param", "hparams", "model"]


def _grouped(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    for number, model in enumerate(("cnn", "vit", "cnn", None, "vit", "cnn")):
        run = make_run(f"run{number}")
        run["hparams"] = {"lr": 0.1 * number, **({} if model is None else {"model": model})}
        run.track(float(number) if number != 4 else math.nan, name="loss", step=0)
        run.close()
    return make_browser()


def test_a_head_has_the_values_the_count_and_what_its_runs_have(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Groups come in the order of their newest run; a spread is count, lowest, highest, mean and deviation of the numbers.
    """
    browser = _grouped(make_run, make_browser)
    answer = browser.post("groups", {"query": "", "by": [MODEL], "fields": [LOSS, MODEL]})

    assert (6, 6) == (answer["count"], answer["total"])
    heads = {head["key"][0]: head for head in answer["groups"]}
    assert {"cnn": 3, "vit": 2, None: 1} == {key: head["runs"] for key, head in heads.items()}
    assert ["run5", "run4", "run3"] == [head["first"] for head in answer["groups"]]
    values = [0.0, 2.0, 5.0]
    spread = [3, 0.0, 5.0, statistics.fmean(values), pytest.approx(statistics.stdev(values))]
    assert {"spread": spread, "numeric": True, "distinct": 3} == heads["cnn"]["cells"][0]
    assert [1, 1.0, 1.0, 1.0, 0.0] == heads["vit"]["cells"][0]["spread"]
    assert {"spread": None, "numeric": False, "distinct": 1, "values": ["cnn"]} == heads["cnn"]["cells"][1]


def test_the_runs_of_a_group_come_by_windows(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    `group` narrows runs to those with the values of a head, also missing ones; a window is an offset and a limit.
    """
    browser = _grouped(make_run, make_browser)

    def hashes(key: object, offset: int = 0, limit: int = 100) -> list[str]:
        group = {"by": [MODEL], "key": [key]}
        body = {"query": "", "fields": [], "group": group, "offset": offset, "limit": limit}
        return list(browser.post("runs", body)["hash"])

    assert ["run5", "run2", "run0"] == hashes("cnn")
    assert ["run2"] == hashes("cnn", 1, 1)
    assert ["run3"] == hashes(None)
    assert [] == hashes("mlp")
    by_number = {"by": [["param", "hparams", "lr"]], "key": [0]}  # a browser writes 0.0 so
    assert ["run0"] == browser.post("runs", {"fields": [], "group": by_number})["hash"]


def test_curves_are_those_of_a_group_and_tell_what_their_runs_have(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    A frame has the curves of the runs of `group` alone, and the values of `fields` of these runs.
    """
    browser = _grouped(make_run, make_browser)
    body = {"query": "", "metrics": None, "buckets": 100, "group": {"by": [MODEL], "key": ["vit"]}, "fields": [MODEL]}
    header = read(browser.bytes("series", body)).header

    assert ["run4", "run1"] == header["runs"]
    assert [{"type": "string", "values": ["vit"], "codes": [0, 0]}] == header["columns"]


def test_a_group_needs_a_value_for_each_field(browser: Browser) -> None:
    """
    A key with another number of values is refused with both numbers.
    """
    answer = browser.post("runs", {"fields": [], "group": {"by": [MODEL], "key": []}}, status=400)

    assert "`group.key` must have a value for each field of `group.by`, 1, got 0." == answer["message"]
