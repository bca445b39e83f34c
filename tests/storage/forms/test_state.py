"""
What is known of a run without its points: its sequences, names and status.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from aim.core import clock
from aim.core.statuses import FAILED, FINISHED, LOST, RUNNING
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import SequencePart, SequenceState, WriterInfo
from aim.storage.recording.writer import Writer
from tests.storage.event_files import ONE, OTHER, begin, end, lines_of


def test_sequences_are_joined_over_writers_and_kinds(tmp_path: Path) -> None:
    """
    One name and one context are one sequence, whoever records it; ints and floats are `number`.
    """
    lines_of(
        tmp_path,
        ONE,
        {"at": 1.0, "sequence": 1, "name": "loss", "context": {"a": 1, "b": 2}, "kind": "float"},
        {"at": 2.0, "sequence": 2, "name": "loss", "context": {"b": 2, "a": 1}, "kind": "int"},
        {"at": 2.0, "sequence": 2, "name": "loss", "context": {"b": 2, "a": 1}, "kind": "int"},
        {"at": 3.0, "point": 2, "step": 7, "epoch": None, "value": 2**60},
    )
    lines_of(
        tmp_path, OTHER, {"at": 1.5, "sequence": 1, "name": "loss", "context": {"a": True, "b": 2.0}, "kind": "float"}
    )
    state_now = RunLog(tmp_path).refresh()
    ((key, sequence),) = state_now.sequences.items()

    assert ("loss", '{"a":1,"b":2}') == key == sequence.key
    assert [
        SequencePart(ONE, 1, "float"),
        SequencePart(OTHER, 1, "float"),
        SequencePart(ONE, 2, "int"),
    ] == sequence.parts
    assert ("number", True) == (sequence.kind, sequence.is_numeric)
    assert [(7, 2**60, ONE)] == [(point.step, point.value, point.writer) for point in sequence.exact_points]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], ""),
        (["int"], "int"),
        (["float", "int"], "number"),
        (["list"], "list"),
        (["list", "list(aim.image)"], "list(aim.image)"),
        (["aim.image"], "aim.image"),
    ],
)
def test_a_sequence_has_one_kind(kinds: list[str], expected: str) -> None:
    """
    The kind of a sequence follows from those of its parts; an empty list goes with any.
    """
    parts = [SequencePart(ONE, number, kind) for number, kind in enumerate(kinds)]

    assert expected == SequenceState("s", {}, "{}", parts).kind


def test_names_have_defaults(tmp_path: Path) -> None:
    """
    Without a name a run is called after its hash, and its experiment is `default`; None is a value.
    """
    folder = tmp_path / "3df7"
    folder.mkdir()
    state_now = RunLog(folder).refresh()
    assert ("Run: 3df7", "default") == (state_now.name, state_now.experiment)
    lines_of(folder, ONE, {"at": 1.0, "property": {"name": None, "experiment": None}})
    state_now = RunLog(folder).refresh()

    assert (None, None) == (state_now.name, state_now.experiment)


def test_a_live_process_is_running(tmp_path: Path) -> None:
    """
    A writer without an end whose process is there is running, however old its file.
    """
    os.utime(lines_of(tmp_path, ONE, begin(1.0)), (1.0, 1.0))
    state_now = RunLog(tmp_path).refresh()

    assert (RUNNING, None) == state_now.status()
    assert not state_now.writers[ONE].has_ended(clock.now())


@pytest.mark.parametrize(
    ("changed", "heard_s_ago", "alive", "ended"),
    [
        ({"pid": 2**31 - 1}, 0, False, True),
        ({"process": 1}, 0, False, True),
        ({"boot": "another"}, 0, False, True),
        ({"host": "elsewhere"}, 10, True, False),
        ({"host": "elsewhere"}, 59, True, False),
        ({"host": "elsewhere"}, 61, False, False),
        ({"host": "elsewhere"}, 24 * 3600 - 5, False, False),
        ({"host": "elsewhere"}, 24 * 3600 + 5, False, True),
        ({"pids": "pid:[1]"}, 10, True, False),
        ({"pids": "pid:[1]"}, 61, False, False),
        ({"pids": "pid:[1]"}, 24 * 3600 + 5, False, True),
        ({"pid": "x"}, 10, True, False),
        ({"pid": None}, 61, False, False),
    ],
)
def test_a_writer_is_judged_by_its_process_or_by_its_heartbeat(
    tmp_path: Path, changed: dict[str, Any], heard_s_ago: float, alive: bool, ended: bool
) -> None:
    """
    On this host and in this container the process decides; elsewhere the event file's time: 60 s for being alive, 24
    hours for being sealed.
    """
    path = lines_of(tmp_path, ONE, begin(1.0, **changed))
    now_s = 2e9
    os.utime(path, (now_s - heard_s_ago,) * 2)
    state_now = RunLog(tmp_path).refresh()

    assert (alive, ended) == (state_now.writers[ONE].is_alive(now_s), state_now.writers[ONE].has_ended(now_s))
    assert (RUNNING if alive else LOST) == state_now.status(now_s)[0]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([end(5.0)], (FINISHED, 5.0, None)),
        ([end(5.0, "failed", "ValueError")], (FAILED, 5.0, "ValueError")),
        ([end(5.0, "failed", "ValueError"), end(9.0)], (FINISHED, 9.0, None)),
        ([end(9.0, "failed", "OSError"), end(5.0)], (FAILED, 9.0, "OSError")),
        ([end(5.0), None], (LOST, 7.0, None)),
        ([end(9.0), None], (FINISHED, 9.0, None)),
    ],
)
def test_the_writer_that_was_heard_of_last_decides(
    tmp_path: Path, ends: list[dict[str, Any] | None], expected: tuple[str, float, str | None]
) -> None:
    """
    Of ended writers the last says how the run ended; one that was lost after all ends leaves the run lost.
    """
    for writer, how in zip((ONE, OTHER), ends, strict=False):
        path = lines_of(tmp_path, writer, begin(1.0, pid=2**31 - 1), *([how] if how else []))
        os.utime(path, (7.0, 7.0))
    state_now = RunLog(tmp_path).refresh()

    assert expected == (*state_now.status(), state_now.error())


def test_a_run_that_was_resumed_runs_again(tmp_path: Path) -> None:
    """
    An ended run with a live writer is running; it was created when its first writer began.
    """
    lines_of(tmp_path, ONE, begin(1.0), end(2.0))
    log = RunLog(tmp_path)
    assert FINISHED == log.refresh().status()[0]
    writer = Writer(tmp_path, "run")
    assert (RUNNING, None) == log.refresh().status()
    writer.close()

    assert FINISHED == log.refresh().status()[0]
    assert 1.0 == log.refresh().created_at_s


BEGIN = {"host": "elsewhere", "boot": "another", "pid": 1, "process": 1}


def writer_of(**more: object) -> WriterInfo:
    """Return a writer of another host that was heard at second 0."""
    writer = WriterInfo("8c2f01ab")
    writer.take(0.0, {"begin": {**BEGIN, **more}})
    return writer


def test_a_shipped_writer_does_not_end_by_silence() -> None:
    """
    A writer that ships from a spool has ended with its end line, when it is complete, or after 30 days of silence.
    """
    day_s = 24 * 3600.0
    shipped, complete = writer_of(spool=True), writer_of(spool=True)
    complete.is_complete = True

    assert [False, True] == [writer.has_ended(2 * day_s) for writer in (shipped, writer_of())]
    assert [False, True] == [shipped.has_ended(29 * day_s), shipped.has_ended(31 * day_s)]
    assert complete.has_ended(1.0)


def test_a_shipped_writer_of_this_host_does_not_end_with_its_process() -> None:
    """
    A server on the trainer's own host sees that the process is gone: the run is lost, and may not be sealed.
    """
    process = clock.this_process()
    gone = {"host": process.host, "boot": process.boot, "pid": 2**22 + 7, "pids": process.namespace}

    assert [True, False] == [writer_of(**gone, spool=more).has_ended(1.0) for more in (None, True)]
    assert not writer_of(**gone, spool=True).is_alive(1.0)


def test_a_shipped_writer_of_another_boot_lives_by_its_heartbeat() -> None:
    """
    Many hosts of a cluster may have one name, so another boot id says nothing of a writer that ships.
    """
    other = {"host": clock.this_process().host, "boot": "another"}

    assert [False, True] == [writer_of(**other, spool=more).is_alive(1.0) for more in (None, True)]
