"""
States, records and bytes for clients: bounds, and requests that are made up.
"""

from __future__ import annotations

import struct

import pytest

from aim import Text
from tests.server.conftest import Browser, MakeRun


def test_hashes_are_counted_and_listed(browser: Browser, make_run: MakeRun) -> None:
    """
    All, those that begin so, the first of them, and which of some are there.
    """
    hashes = sorted(str(make_run().hash) for _ in range(3))

    everything = browser.post("hashes", {})
    assert everything["runs"] == sorted(everything["runs"])
    assert set(hashes) <= set(everything["runs"])
    assert {"count": 1, "runs": [hashes[0]]} == browser.post("hashes", {"begin": hashes[0][:-1]})
    assert (everything["count"], []) == tuple(browser.post("hashes", {"limit": 0}).values())
    assert [hashes[1]] == browser.post("hashes", {"among": ["none", hashes[1], "../runs"]})["runs"]


def test_states_leave_out_what_is_gone(browser: Browser, make_run: MakeRun) -> None:
    """
    At most 500 runs are asked for at once.
    """
    run = make_run()
    answer = browser.post("states", {"runs": ["none", run.hash, "../../etc"]})

    assert [run.hash] == [state["run"] for state in answer["states"]]
    assert "at most 500" in browser.post("states", {"runs": ["x"] * 501}, status=400)["message"]


def test_what_a_writer_needs_to_go_on(browser: Browser, make_run: MakeRun) -> None:
    """
    `past` has the kinds and the next step of each sequence, and the newest time.
    """
    run = make_run()
    for step in range(5):
        run.track(0.5 * step, name="curve", context={"subset": "val"})
    run.close()
    past = browser.post("past", {"run": run.hash})
    curve = next(sequence for sequence in past["sequences"] if sequence["name"] == "curve")

    assert {"name": "curve", "context": {"subset": "val"}, "kinds": ["float"], "next_step": 5} == curve
    assert past["latest_at"] >= run.creation_time
    assert "not-found" == browser.post("past", {"run": "none"}, status=404)["kind"]


@pytest.mark.parametrize("writer", ["..", "../../x", "none", ""])
def test_names_from_outside_lead_to_no_file(browser: Browser, make_run: MakeRun, writer: str) -> None:
    """
    Only writers of the run are read from.
    """
    run_hash = make_run().hash
    for path, body in (("records", {"records": [[writer, 0, 0]]}), ("data", {"data": [[writer, 0, 0]]})):
        assert "no writer" in browser.post(path, {"run": run_hash, **body}, status=404)["message"]


def test_bytes_of_objects_come_with_their_lengths(browser: Browser, make_run: MakeRun) -> None:
    """
    What can't be read is an error in its place, and the others are sent.
    """
    run = make_run()
    run.track(Text("a text"), name="note", sync=True)
    run.close()
    state = browser.post("states", {"runs": [run.hash]})["states"][0]
    writer = state["writers"][0]["writer"]
    content = browser.bytes("data", {"run": run.hash, "data": [[writer, 7, 0], [writer, 0, 1 << 40]]})
    length, error_length = struct.unpack_from("<QI", content)

    assert (1 << 64) - 1 == length
    assert b"kind" in content[12 : 12 + error_length]
    for wrong in ([writer, -1, 0], [writer, 0], [writer, "0", 0], 7):
        assert "data[0]" in browser.post("data", {"run": run.hash, "data": [wrong]}, status=400)["message"]
