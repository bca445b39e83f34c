"""
The stream of whole sequences: what is in it, its bounds, and sequences that can't be read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow
import pytest

from aim.server import points as module
from tests.server.conftest import Browser, MakeRun


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
