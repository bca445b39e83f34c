"""
The stream of whole sequences: what is in it, its bounds, and sequences that can't be read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pytest

from aim import Repo
from aim.server import points as module
from tests.server.conftest import Browser, MakeBrowser, MakeRun


def rows_of(browser: Browser, *sequences: Sequence[object], **more: object) -> list[dict[str, object]]:
    """Ask for sequences, and return the rows of the stream as wire.md has them."""
    content = browser.bytes("points", {"sequences": list(sequences), **more})
    rows: list[dict[str, object]] = pyarrow.ipc.open_stream(content).read_all().to_pylist()
    return rows


@pytest.fixture(name="run_hash")
def _run_hash(make_run: MakeRun) -> str:
    """
    A run with a loss, and with numbers of both kinds.
    """
    run = make_run()
    for step in range(4):
        run.track(step * 0.5, name="curve", context={"subset": "val"})
        run.track(step if step % 2 else step + 0.5, name="mixed", epoch=step)
        run.track(step, name="whole", step=2 * step)
    run.close()
    return str(run.hash)


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_sequence_is_a_row(browser: Browser, run_hash: str, compression: str) -> None:
    """
    Rows come in the order asked for; a context is an object or its text; what is not there has no row.
    """
    rows = rows_of(
        browser,
        [run_hash, "whole", {}],
        [run_hash, "none", {}],
        [run_hash, "curve", '{"subset":"val"}'],
        [run_hash, "mixed", "{}"],
        compression=compression,
    )

    assert [(0, "int"), (2, "float"), (3, "number")] == [(row["number"], row["kind"]) for row in rows]
    assert ([0, 2, 4, 6], [0, 1, 2, 3], [], []) == tuple(rows[0][name] for name in ("step", "whole", "value", "epoch"))
    assert [0.0, 0.5, 1.0, 1.5] == rows[1]["value"]
    assert (["0.5", "1", "2.5", "3"], [0.0, 1.0, 2.0, 3.0]) == (rows[2]["text"], rows[2]["epoch"])


def test_only_the_last_points_are_sent_on_request(browser: Browser, run_hash: str) -> None:
    """
    `total` says how many there are; what has no more points than that is sent as ever.
    """
    sequences = [run_hash, "whole", {}], [run_hash, "mixed", {}], [run_hash, "curve", {"subset": "val"}]
    last, both, whole = (rows_of(browser, *sequences, tail=tail) for tail in (1, 2, 9))

    assert [([6], 4), ([3], 4), ([3], 4)] == [(row["step"], row["total"]) for row in last]
    assert ([3], ["3"], [1.5], [3.0]) == (last[0]["whole"], last[1]["text"], last[2]["value"], last[1]["epoch"])
    assert [[4, 6], [2, 3], [2, 3]] == [row["step"] for row in both]
    assert rows_of(browser, *sequences) == whole
    assert {None} == {row["total"] for row in whole}


def test_a_frame_of_last_values_receives_no_curves(
    make_run: MakeRun, make_browser: MakeBrowser, root: Path, tmp_path: Path
) -> None:
    """
    It is that of the folder, and some bytes for each of its metrics arrive, however long they are.
    """
    for number in range(3):
        with make_run(f"run-{number}") as run:
            for step in range(5_000):
                run.track(step * 0.5 + number, name="loss", step=step)
            run.track(number, name="short", step=7)
    log = tmp_path / "access.log"
    browser = make_browser(access_log=str(log))
    address = f"{browser.server.address}demo"

    def frame(repo: str, *, only_last: bool) -> str:
        metrics = Repo(repo).query_metrics("metric.name in ('loss', 'short')")
        table = metrics.dataframe(only_last=only_last)
        assert table is not None
        return str(table.sort_values(["run.hash", "metric.name", "idx"]).to_csv())

    assert frame(str(root), only_last=True) == frame(address, only_last=True)
    last_bytes = _received_bytes(log)
    assert frame(str(root), only_last=False) == frame(address, only_last=False)
    assert last_bytes < 20_000 < 3 * 5_000 * 8 < _received_bytes(log) - last_bytes


def _received_bytes(log: Path) -> int:
    lines = map(json.loads, log.read_text("utf-8").splitlines())
    return sum(line["bytes"] for line in lines if line["path"].endswith("/points"))


def test_a_run_that_is_not_there_is_said_in_its_row(browser: Browser, run_hash: str) -> None:
    """
    The sequences of other runs are sent all the same.
    """
    rows = rows_of(browser, ["none", "curve", {}], [run_hash, "whole", {}])

    assert "not-found" == json.loads(str(rows[0]["error"]))["kind"]
    assert (1, None) == (rows[1]["number"], rows[1]["error"])


def test_too_much_is_refused_before_anything_is_read(
    browser: Browser, run_hash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    413 says how many points there are and how many are sent; a longer list than 1,000 sequences is 400.
    """
    monkeypatch.setattr(module, "POINTS_MAX", 7)
    two = [[run_hash, "whole", {}], [run_hash, "mixed", {}]]
    refused = browser.post("points", {"sequences": two}, status=413)

    assert (8, "These sequences have 8 points; at most 7 are sent at once. Ask for fewer sequences.") == (
        refused["points"],
        refused["message"],
    )
    assert 1 == len(rows_of(browser, two[0]))
    assert "at most 1,000" in browser.post("points", {"sequences": two * 501}, status=400)["message"]


@pytest.mark.parametrize("sequence", [[], ["run"], ["run", "loss"], ["run", 1, {}], ["run", "a", {}, [1]], "run", None])
def test_a_sequence_of_another_form_is_refused(browser: Browser, sequence: object) -> None:
    """
    The error names the place in the request.
    """
    assert "sequences[0]" in browser.post("points", {"sequences": [sequence]}, status=400)["message"]
