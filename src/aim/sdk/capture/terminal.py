"""
Captured output: what the process prints, as lines of its runs.

    print -> sys.stdout.write -> the terminal
                              -> a deque of each run that captures: 0.3 us a write, all that the caller pays
    once a second, and at flush() and close(): the deque -> Screen -> the lines that changed, in one blob entry

The `write` of the stream objects is what is replaced, so that whoever holds `sys.stderr` from before (a logging
handler) is heard too. With `descriptors` the file descriptors 1 and 2 are read instead (descriptors.py): child
processes and C code.

Kept: the order of writes of both streams, colours, the last state of a line that was overwritten. A resumed run goes on
with the numbers of lines. In the child of a fork nothing is captured: it would write lines under the numbers of its
parent. An exception that ends a `with Run(...)` is printed after the run has ended: its traceback is recorded before,
as far as the block knows it. Streams that somebody puts in the place of `sys.stdout` meanwhile (pytest,
`redirect_stdout`) are not heard: what is written to them is not printed.
"""

from __future__ import annotations

import io
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from aim.core import forks
from aim.core.errors import RunClosed
from aim.core.values import Stored
from aim.sdk.capture.screen import Screen
from aim.sdk.objects.custom import sound_text
from aim.sdk.objects.log_line import KIND
from aim.storage.recording.sequence_writer import SequenceWriter

if TYPE_CHECKING:
    from aim.sdk.capture.descriptors import DescriptorCapture

HELD_CHARACTERS_MAX = 4 << 20  # more than this is recorded by whoever writes it
LINES_AN_ENTRY_MAX = 2_000


class Listener(Protocol):
    """What hears the output."""

    reads_descriptors: bool

    def hear(self, text: str) -> None:
        """Take what was written."""


class _Ear:
    """Stands where a stream's `write` was."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.write = stream.write
        self.is_descriptor = _is_descriptor(stream)
        self.listeners: tuple[Listener, ...] = ()

    def __call__(self, text: str) -> Any:
        written = self.write(text)
        for listener in self.listeners:
            listener.hear(text)
        return written

    def wants(self, listener: Listener) -> bool:
        return not (self.is_descriptor and listener.reads_descriptors)


def _is_descriptor(stream: Any) -> bool:
    try:
        return stream.fileno() in (1, 2)
    except (AttributeError, OSError, ValueError, io.UnsupportedOperation):
        return False


class Capture:
    """
    The ears on this process's streams, and who listens.

    Args:
        streams: gives the streams to listen to, when somebody begins.
    """

    def __init__(self, streams: Callable[[], tuple[Any, ...]]) -> None:
        self._streams = streams
        self._ears: list[_Ear] = []
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._descriptors: DescriptorCapture | None = None

    def add(self, listener: Listener) -> None:
        """Let *listener* hear what is written from now on."""
        with self._lock:
            self._listeners.append(listener)
            for stream in self._streams():
                if stream is not None and not any(ear.stream is stream for ear in self._ears):
                    self._listen(stream)
            self._tell()
            if listener.reads_descriptors and self._descriptors is None:
                from aim.sdk.capture.descriptors import DescriptorCapture

                self._descriptors = DescriptorCapture(self._hear_descriptors)

    def _listen(self, stream: Any) -> None:
        ear = _Ear(stream)
        try:
            stream.write = ear
        except AttributeError:  # a stream that can't be changed is not captured
            return
        self._ears.append(ear)

    def _tell(self) -> None:
        for ear in self._ears:
            ear.listeners = tuple(listener for listener in self._listeners if ear.wants(listener))

    def _hear_descriptors(self, text: str) -> None:
        for listener in tuple(self._listeners):
            if listener.reads_descriptors:
                listener.hear(text)

    def remove(self, listener: Listener) -> None:
        """Let *listener* hear nothing more; what was written before has reached it."""
        with self._lock:
            if listener not in self._listeners:
                return
            is_last_reader = [other for other in self._listeners if other.reads_descriptors] == [listener]
            if is_last_reader and self._descriptors is not None:
                self._descriptors.stop()
                self._descriptors = None
            self._listeners.remove(listener)
            self._tell()
            if not self._listeners:
                for ear in self._ears:
                    # where somebody has put a write of his own over ours, ours stays below it and only hands on
                    if getattr(ear.stream, "__dict__", {}).get("write") is ear:
                        del ear.stream.write
                self._ears = []

    def forked(self) -> None:
        """In the child of a fork: nobody listens; the descriptors are the parent's to read."""
        self._lock = threading.RLock()
        self._listeners = []
        self._descriptors = None
        self._tell()


CAPTURE = Capture(lambda: (sys.stdout, sys.stderr))


class TerminalLog:
    """
    Records what is printed as lines of one run. It is a `services.Service`.

    Args:
        sequence: gives the handle of the lines' sequence; asked once, beside the training.
        reads_descriptors: hear child processes and C code too.
        capture: where to listen.
    """

    def __init__(
        self,
        sequence: Callable[[], SequenceWriter],
        *,
        reads_descriptors: bool = False,
        capture: Capture = CAPTURE,
    ) -> None:
        self.reads_descriptors = reads_descriptors
        self._sequence = sequence
        self._capture = capture
        self._parts: deque[str] = deque()
        self._held_characters = 0
        self._open: tuple[SequenceWriter, Screen] | None = None
        self._lock = threading.RLock()
        self._is_feeding = self._is_over = False

    def start(self) -> None:
        """Begin to hear."""
        self._capture.add(self)

    def hear(self, text: str) -> None:
        """Take what was written."""
        if self._is_over:
            return
        self._parts.append(text)
        self._held_characters += len(text)
        if self._held_characters > HELD_CHARACTERS_MAX:
            self.feed(wait=False)

    def feed(self, *, wait: bool) -> None:
        """Record the lines that have changed."""
        with self._lock:
            if self._is_feeding:  # recording itself has written something, such as an error: next time
                return
            self._is_feeding = True
            try:
                self._record()
            except RunClosed:
                self._is_over = True
            finally:
                self._is_feeding = False

    def _record(self) -> None:
        parts = []
        while self._parts:
            parts.append(self._parts.popleft())
        self._held_characters = 0
        if not parts:
            return
        if self._open is None:
            with forks.whole():  # a resumed run is read, which imports numpy
                sequence = self._sequence()
            self._open = (sequence, Screen(sequence.next_step()))
        sequence, screen = self._open
        screen.write("".join(parts))
        lines = screen.take()
        for start in range(0, len(lines), LINES_AN_ENTRY_MAX):
            some = lines[start : start + LINES_AN_ENTRY_MAX]
            items = [Stored(KIND, {"text": sound_text(text)}) for _, text in some]
            sequence.track_shared(items, [row for row, _ in some])

    def failed(self, error: BaseException) -> None:
        """Record the traceback, which is printed when the run has ended; that of `sys.exit` never is."""
        if not isinstance(error, SystemExit):
            import traceback

            self.hear("".join(traceback.format_exception(type(error), error, error.__traceback__)))

    def stop(self, deadline_s: float) -> None:
        """Hear nothing more, and record the rest."""
        self._capture.remove(self)
        self.feed(wait=True)

    def forked(self) -> None:
        """In the child of a fork: what is printed there is not heard."""
        self._capture.forked()
        self._parts = deque()
        self._lock = threading.RLock()
