"""
The states of a writer, as the table in lifecycle.py has them.
"""

from __future__ import annotations

import re
import threading

import pytest

from aim.core.errors import RunClosed
from aim.storage.recording import background, lifecycle
from aim.storage.recording.lifecycle import NEXT, Lifecycle, Turn, WriterState

COLUMNS = {"fork, in the child": Turn.FORK, "the run was deleted": Turn.DELETE, "close()": Turn.CLOSE}
COLUMNS["the last sync"] = Turn.FINISH


def in_state(state: WriterState, begins: bool = True) -> Lifecycle:
    """Return a life that is in *state*; the files of a forked child can be begun if *begins*."""

    def begin_again() -> bool:
        return begins and life.take(Turn.BEGIN)

    life = Lifecycle("run", begin_again)
    life.state = state
    return life


def test_the_table_in_the_header_is_the_one_that_counts() -> None:
    """
    Every cell of the table leads where the code goes, and every empty one nowhere.
    """
    lines = (lifecycle.__doc__ or "").splitlines()
    head = next(line for line in lines if line.strip().startswith("state "))
    starts = {turn: head.index(title) for title, turn in COLUMNS.items()}
    rows = [line for line in lines if re.match(r" {4}[A-Z]+ ", line)]
    cells = {
        (WriterState[line.split()[0]], turn): cell
        for line in rows
        for turn, start in starts.items()
        if (cell := (line[start:].split() or [""])[0] if line[start : start + 1].strip() else "")
    }

    assert len(WriterState) == len(rows)
    assert {key: state.name for key, state in NEXT.items() if key[1] is not Turn.BEGIN} == cells


@pytest.mark.parametrize("state", WriterState)
@pytest.mark.parametrize("turn", Turn)
def test_a_turn_that_leads_nowhere_changes_nothing(state: WriterState, turn: Turn) -> None:
    """
    What the table does not have is refused, and the state stays.
    """
    life = in_state(state)

    assert ((state, turn) in NEXT) == life.take(turn)
    assert NEXT.get((state, turn), state) == life.state


@pytest.mark.parametrize(
    ("state", "expected"),
    [(WriterState.OPEN, True), (WriterState.GONE, True), (WriterState.FORKED, True)],
)
def test_what_is_not_closed_admits_records(state: WriterState, expected: bool) -> None:
    """
    Records are taken while the run is open, those of a deleted run too (they are counted as lost later); the child of a
    fork begins its files first.
    """
    life = in_state(state)

    assert expected == life.admits()
    assert (WriterState.GONE if state is WriterState.GONE else WriterState.OPEN) == life.state


def test_a_child_that_can_not_begin_takes_nothing() -> None:
    """
    Where the disk refuses the files of a forked child, the next record tries again.
    """
    life = in_state(WriterState.FORKED, begins=False)

    assert (False, WriterState.FORKED) == (life.admits(), life.state)
    life.check_open()  # and that is no mistake of the caller


@pytest.mark.parametrize("state", [WriterState.CLOSING, WriterState.CLOSED])
def test_after_the_close_a_record_is_a_mistake_until_the_process_ends(
    state: WriterState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A record after `close()` raises; at the end of the process it is left out, with one warning.
    """
    life = in_state(state)
    for refused in (life.admits, life.check_open):
        with pytest.raises(RunClosed, match="Resume it with"):
            refused()
    monkeypatch.setattr(background, "is_ending", lambda: True)

    assert [False, False, True] == [life.admits(), life.admits(), life.is_left_out()]
    assert 1 == len(caplog.records)


@pytest.mark.parametrize("state", [WriterState.CLOSING, WriterState.CLOSED])
def test_the_thread_that_ends_a_run_may_record_what_came_late(state: WriterState) -> None:
    """
    Within `admitting_late` its own records are admitted after the close, those of other threads are not; then no more.
    """
    life = in_state(state)
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(life.admits())
        except RunClosed:
            answers.append("closed")

    with life.admitting_late():
        ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    ask()

    assert [True, "closed", "closed"] == answers


def test_a_close_does_not_wait_for_the_lock() -> None:
    """
    While another thread hangs with the lock, the state changes all the same.
    """
    life = in_state(WriterState.OPEN)
    held, done = threading.Event(), threading.Event()

    def hang() -> None:
        with life.lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hang)
    thread.start()
    held.wait()
    closed = life.take(Turn.CLOSE)
    done.set()
    thread.join()

    assert (True, WriterState.CLOSING) == (closed, life.state)


def test_a_forked_child_has_locks_of_its_own() -> None:
    """
    A lock that a thread of the parent held is not the child's.
    """
    life = in_state(WriterState.OPEN)
    lock = life.lock
    life.fork()

    assert (WriterState.FORKED, True) == (life.state, lock is not life.lock)
