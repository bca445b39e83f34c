"""
A call that interrupts another one of the same thread, at each place where Python looks for signals.

CPython looks at the start of a Python function and after a call (since 3.10, and at the end of a loop). The profiler of
the interpreter reports these moments, so a handler is put into one of them after the other: what `test_signals` finds
by chance with real signals is tried here place by place.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from aim import Image, Run, Text
from aim.core.statuses import FINISHED
from aim.storage.reading.folder_source import open_run

PIXELS = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
FIRST_SEGMENT_RECORDS = 384
MOMENTS = ("call", "return", "c_return")

Place = tuple[str, int, str, str]
"""Module, line, moment, and the name of what was called."""


def record(run: Run, step: int) -> None:
    """Record one value of each kind in each way."""
    run.track(Image(PIXELS), name="image", step=step)
    run.track(Text("text"), name="text", step=step)
    run.track(0.5, name="loss", step=step)
    run.track(2**60, name="exact", step=step)
    run.track({"first": 1.0, "second": 2}, step=step)
    run["params", str(step)] = step


def interrupt(run: Run) -> None:
    """Record new sequences, and those that are recorded just now."""
    run.track(Image(PIXELS), name="handled image", step=7)
    run.track(Text("handled"), name="handled text", step=7)
    run.track(1.5, name="handled loss", step=7)
    record(run, 7)


class Interruption:
    """Does *work* once, at the moment number *at*; counts the moments, and notes their places."""

    def __init__(self, work: Callable[[], object], at: int) -> None:
        self.places: list[Place] = []
        self._work = work
        self._at = at
        self._is_within = False

    def __call__(self, frame: FrameType, moment: str, callee: Any) -> None:
        module = str(frame.f_globals.get("__name__"))
        if self._is_within or moment not in MOMENTS or not module.startswith("aim."):
            return
        self.places.append((module, frame.f_lineno, moment, getattr(callee, "__name__", "")))
        if len(self.places) == self._at:
            self._is_within = True
            self._work()
            self._is_within = False


def steps_after(folder: Path, warm_count: int, at: int) -> tuple[dict[str, list[int]], list[Place]]:
    """
    Record a run that is interrupted at the moment number *at*; return the steps of each sequence, and all places.

    Args:
        warm_count: how many records are there before.
    """
    run = Run(repo=str(folder), system_tracking_interval=None, capture_terminal_logs=False)
    for step in range(warm_count):
        run.track(0.1, name="warm", step=step)
    interruption = Interruption(lambda: interrupt(run), at)
    sys.setprofile(interruption)
    try:
        record(run, 0)
        record(run, 1)
    finally:
        sys.setprofile(None)
    run.close()
    reader = open_run(folder / ".aim" / "runs" / run.hash)
    state = reader.state()
    assert FINISHED == state.status()[0]
    points = {key[0]: reader.points(key) for key in state.sequences}
    return {name: sorted(found.steps.tolist()) for name, found in points.items() if found}, interruption.places


def first_moments(places: Iterable[Place]) -> list[int]:
    """Return the number of the first moment at each place."""
    numbers: dict[Place, int] = {}
    for number, place in enumerate(places, 1):
        numbers.setdefault(place, number)
    return list(numbers.values())


@pytest.mark.parametrize("warm_count", [0, FIRST_SEGMENT_RECORDS - 5], ids=["new", "before the next segment"])
def test_a_call_may_be_interrupted_at_each_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, warm_count: int
) -> None:
    """
    Wherever a handler records, all that it records is there, and all that the interrupted call records, once.
    """
    caplog.set_level(logging.WARNING, "aim")
    names = ("image", "text", "loss", "exact", "first", "second")
    expected = {"warm": list(range(warm_count))} if warm_count else {}
    expected |= {name: [0, 1, 7] for name in names}
    expected |= {f"handled {name}": [7] for name in ("image", "text", "loss")}
    _, places = steps_after(tmp_path / "whole", warm_count, 0)
    moments = first_moments(places)
    assert 200 < len(moments)

    wrong = {}
    for at in moments:
        steps, interrupted = steps_after(tmp_path / str(at), warm_count, at)
        if expected != steps:
            wrong[interrupted[at - 1]] = {name: found for name, found in steps.items() if expected.get(name) != found}

    assert {} == wrong
    assert "" == caplog.text
