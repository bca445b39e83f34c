"""
What each call records as an event line, and what happens where no line can be written.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from aim.core.errors import RunClosed, UnstorableParam
from aim.storage.recording import background
from aim.storage.recording.event_lines import EventLines, about_this_process
from aim.storage.recording.lifecycle import WriterState
from tests.storage.disks import NotedDisk
from tests.storage.recording.parts import Parts, Reading

FUTURE_S = 4e9


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (lambda lines: lines.set_param(("a", 3), 1), {"set": ["a", 3], "value": 1}),
        (lambda lines: lines.set_param((), {}), {"set": [], "value": {}}),
        (lambda lines: lines.delete_param(("a", "b")), {"del": ["a", "b"]}),
        (
            lambda lines: lines.set_property(name="x", notes=None),
            {"property": {"name": "x", "notes": None}},
        ),
        (lambda lines: lines.change_tags(("x", "y"), ["z"]), {"tags": {"add": ["x", "y"], "remove": ["z"]}}),
        (lambda lines: lines.change_tags(), {"tags": {"add": [], "remove": []}}),
        (lambda lines: lines.check_in({"expect": 3}), {"check_in": {"expect": 3}}),
        (lambda lines: lines.add_artifact({"name": "model"}), {"artifact": {"name": "model"}}),
        (
            lambda lines: lines.add_exact_point(3, 2**60, 7, 1.5),
            {"point": 3, "step": 7, "epoch": 1.5, "value": 2**60},
        ),
        (
            lambda lines: lines.add_exact_point(3, -(2**60), 7, math.nan),
            {"point": 3, "step": 7, "epoch": None, "value": -(2**60)},
        ),
        (
            lambda lines: lines.declare([(2, "loss", {"subset": "val", "fold": (1, 2)}, "int")]),
            {"sequence": 2, "name": "loss", "context": {"subset": "val", "fold": [1, 2]}, "kind": "int"},
        ),
        (lambda lines: lines.rewind(4, 0.0), {"rewind": 4}),
    ],
)
def test_each_call_is_one_line(
    parts: Parts, reading: Reading, record: Callable[[EventLines], None], line: dict[str, Any]
) -> None:
    """
    The line that a call leaves in the event file is the one that docs/formats/events.md has.
    """
    record(parts.files.lines)

    assert [line] == reading.lines(parts.files.id)


@pytest.mark.parametrize(("path", "where"), [((), "params"), (("hparams", "lr"), "hparams.lr")])
def test_a_param_that_can_not_be_stored_is_named(
    parts: Parts, reading: Reading, path: tuple[str, ...], where: str
) -> None:
    """
    The error says where the value stands; without `strict` its text is stored in its place.
    """
    with pytest.raises(UnstorableParam, match=f"^{where}: expected"):
        parts.files.lines.set_param(path, object())
    assert [] == reading.lines(parts.files.id)
    parts.files.lines.set_param(path, object, strict=False)

    assert [{"set": list(path), "value": "object"}] == reading.lines(parts.files.id)


@pytest.mark.parametrize("recorded_at_s", [0.0, FUTURE_S])
def test_a_rewind_is_later_than_what_it_hides(parts: Parts, recorded_at_s: float) -> None:
    """
    The time of a rewind is after the newest point, also when the clock is behind that; the answer is the line's time.
    """
    before_s = time.time()
    rewind = parts.files.lines.rewind(4, recorded_at_s)

    assert (4, parts.files.lines.log.at_s) == (rewind.step, rewind.time_s)
    assert rewind.time_s > max(before_s, recorded_at_s)


def test_the_clock_of_the_lines_only_goes_forward(parts: Parts) -> None:
    """
    `advance_clock` says whether it changed anything, and an earlier time changes nothing.
    """
    lines = parts.files.lines
    at_s = lines.log.at_s

    assert [True, False, False] == [
        lines.advance_clock(FUTURE_S),
        lines.advance_clock(FUTURE_S),
        lines.advance_clock(at_s),
    ]
    lines.change_tags()
    assert lines.log.at_s > FUTURE_S


def test_a_line_that_the_disk_refuses_comes_with_the_next(
    parts: Parts, reading: Reading, disk: NotedDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A refusal is reported once and raises nothing; the line is written later, and none is lost.
    """
    disk.refused.add("write_at")
    for number in (1, 2):
        parts.files.lines.set_param(("a",), number)
    assert [] == reading.lines(parts.files.id)
    assert 1 == len(caplog.records)
    disk.refused.clear()
    parts.files.lines.log.retry()

    assert [1, 2] == sorted(line["value"] for line in reading.lines(parts.files.id))


@pytest.mark.parametrize("state", [WriterState.CLOSING, WriterState.CLOSED])
def test_after_the_close_a_line_is_an_error_until_the_process_ends(
    parts: Parts, reading: Reading, monkeypatch: pytest.MonkeyPatch, state: WriterState
) -> None:
    """
    A line after the end event would be damage: it is refused, and left out while the process ends.
    """
    parts.lifecycle.state = state
    with pytest.raises(RunClosed):
        parts.files.lines.change_tags(["x"])
    monkeypatch.setattr(background, "is_ending", lambda: True)
    parts.files.lines.change_tags(["y"])

    assert [] == reading.lines(parts.files.id)


def test_a_run_that_was_deleted_takes_lines_as_before(parts: Parts, reading: Reading) -> None:
    """
    The open event file of a deleted run still takes lines, so that no call of the training fails.
    """
    parts.lifecycle.state = WriterState.GONE
    parts.files.lines.change_tags(["x"])

    assert [{"tags": {"add": ["x"], "remove": []}}] == reading.lines(parts.files.id)


def test_what_waits_for_an_interrupted_line_is_written_when_the_run_ends_within_it(
    parts: Parts, reading: Reading, disk: NotedDisk
) -> None:
    """
    A signal handler that ends the run in the middle of a line writes the lines that wait for it.
    """
    lines = parts.files.lines
    whole = disk.write_at

    def interrupt(descriptor: int, data: bytes, offset: int) -> None:
        disk.write_at = whole  # type: ignore[method-assign]
        lines.change_tags(["second"])  # as a signal handler does: it waits
        assert [] == reading.lines(parts.files.id)
        lines.seize()
        raise KeyboardInterrupt

    disk.write_at = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        lines.change_tags(["first"])

    assert ["first", "second"] == [line["tags"]["add"][0] for line in reading.lines(parts.files.id)]


def test_a_refusal_while_the_run_ends_is_reported(
    parts: Parts, disk: NotedDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """
    `seize` raises nothing: the run ends all the same.
    """
    disk.refused.add("write_at")
    parts.files.lines.change_tags(["x"])
    caplog.clear()
    parts.refusals.forked()
    parts.files.lines.seize()

    assert ["No space left on device"] == [parts.refusals.reason]
    assert 1 == len(caplog.records)


def test_a_program_without_arguments_has_an_empty_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An interpreter that is embedded in another program may have no `sys.argv`.
    """
    monkeypatch.delattr(sys, "argv")

    assert [] == about_this_process("run", "0a1b2c3d")["command"]
