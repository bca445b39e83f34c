"""
What a run records by itself, beside the training: system metrics, captured output, the environment.

Each service is a module of its own, imported when it is asked for, and records through the writer
(storage/recording/services.py). No service holds the `Run`: so a run ends when nobody holds it any more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aim.core.errors import UsageError
from aim.core.kinds import LINES_NAME
from aim.core.levels import LEVELS
from aim.core.logs import log
from aim.core.reserved import SYSTEM_PARAMS
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.engine.door import Door
    from aim.storage.recording.sequence_writer import SequenceWriter

DESCRIPTORS = "fd"


def check_capture(mode: object) -> None:
    """Raise `UsageError` unless *mode* is what `capture_terminal_logs` may be."""
    if isinstance(mode, str) and mode != DESCRIPTORS:
        raise UsageError(f"capture_terminal_logs is {mode!r}; it has to be True, False or {DESCRIPTORS!r}.")


def check_promise(expect_next_in: object) -> float:
    """Return *expect_next_in* as seconds. Raises UsageError when it is no number of seconds."""
    if not isinstance(expect_next_in, (int, float)) or not 0 <= expect_next_in < float("inf"):
        raise UsageError(f"expect_next_in is {expect_next_in!r}; it has to be a number of seconds, 0 or more.")
    return float(expect_next_in)


def check_progress(done: object, total: object, unit: object) -> dict[str, Any]:
    """Return what a check-in says of progress; {}: nothing. Raises UsageError when it is no progress."""
    if done is None and total is None:
        return {}
    numbers = [value for value in (done, total) if isinstance(value, (int, float)) and 0 <= value < float("inf")]
    if len(numbers) < 2 or not numbers[1]:
        raise UsageError(f"done is {done!r} and total {total!r}; both have to be numbers, total above 0.")
    return {"done": float(numbers[0]), "total": float(numbers[1]), "unit": str(unit)}


def check_alert(title: object, text: object, level: object) -> tuple[str, str, str]:
    """Return an alert as it is recorded. Raises UsageError when it is none."""
    if not isinstance(title, str) or not title.strip():
        raise UsageError(f"The title of an alert is a text that says what is wrong, not {title!r}.")
    if level not in LEVELS:
        raise UsageError(f"level is {level!r}; it has to be one of {', '.join(LEVELS)}.")
    return title.strip(), str(text), str(level)


def start(
    writer: Writer,
    door: Door,
    *,
    system_tracking_interval: float | None,
    log_system_params: bool,
    capture_terminal_logs: bool | str,
) -> None:
    """Start the services that the options ask for; see `Run` for the options."""
    if capture_terminal_logs:
        _start_capture(writer, door, capture_terminal_logs)
    if log_system_params:
        _start_environment(writer)
    if system_tracking_interval is not None:
        start_resources(writer, system_tracking_interval, {})


def start_resources(writer: Writer, interval_s: float, context: Mapping[str, Any]) -> None:
    """Record system metrics; *context* is added to the context of each, to tell processes of one run apart."""
    from aim.sdk.capture.resources import ResourceTracker

    if ResourceTracker.check_interval(interval_s):
        tracker = ResourceTracker(_recorder(writer, context), interval_s)
        writer.services.add(tracker)
        tracker.start()


def _recorder(writer: Writer, shared_context: Mapping[str, Any]) -> Callable[[float, str, Mapping[str, Any]], None]:
    handles: dict[Any, SequenceWriter] = {}

    def record(value: float, name: str, context: Mapping[str, Any]) -> None:
        key = (name, *context.items())
        handle = handles.get(key)
        if handle is None:
            handle = handles[key] = writer.sequence(name, {**shared_context, **context})
        handle.track(value)

    return record


def _start_environment(writer: Writer) -> None:
    from aim.sdk.capture.environment import EnvironmentRecorder

    recorder = EnvironmentRecorder(lambda system: writer.lines.set_param((SYSTEM_PARAMS,), system, strict=False))
    writer.services.add(recorder)
    recorder.start()


def _start_capture(writer: Writer, door: Door, mode: bool | str) -> None:
    from aim.sdk.capture.terminal import TerminalLog

    def sequence() -> SequenceWriter:
        # the lines of two processes are numbered from 0: in one sequence they would replace each other
        others = door.run(writer.run_hash).state().writers.values()
        is_shared = any(other.id != writer.id and other.is_alive(time.time()) for other in others)
        return writer.sequence(LINES_NAME, {"writer": writer.id} if is_shared else None)

    terminal = TerminalLog(sequence, reads_descriptors=mode == DESCRIPTORS)
    writer.services.add(terminal)
    try:
        terminal.start()
    except OSError as error:
        log.warning("Aim: output can't be captured (%s); it is not recorded.", os.strerror(error.errno or 0))
