"""
Captured output: what the process prints, as lines of its runs.

    print -> sys.stdout.write -> the terminal
                              -> a deque of each run that captures: 0.3 us a write, all that the caller pays
    once a second, and at flush() and close(): the deque -> Screen -> the lines that changed, in one blob entry

The `write` of the stream objects is replaced, so that a logging handler that took `sys.stderr` earlier is captured too.
With `descriptors` the file descriptors 1 and 2 are read instead (descriptors.py): child processes and C code as well.

The order of writes of both streams, colours, and the last state of a line that was overwritten are kept. A resumed run
continues the numbers of its lines. In the child of a fork nothing is captured: it would reuse its parent's line
numbers. An exception that ends a `with Run(...)` is printed after the run has ended, so its traceback is recorded when
the block ends. Streams that replace `sys.stdout` later (pytest, `redirect_stdout`) are not captured, because what is
written to them is not printed.
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

HELD_CHARACTERS_MAX = 4 << 20  # the write that exceeds this records all of it
LINES_AN_ENTRY_MAX = 2_000


class Listener(Protocol):
    """A receiver of the output."""

    reads_descriptors: bool

    def receive(self, text: str) -> None:
        """Accept *text*, which was written to a stream."""


class _Tee:
    """Replaces a stream's `write`: writes, and hands the text to the listeners."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.write = stream.write
        self.is_descriptor = _is_descriptor(stream)
        self.listeners: tuple[Listener, ...] = ()

    def __call__(self, text: str) -> Any:
        written = self.write(text)
        for listener in self.listeners:
            listener.receive(text)
        return written

    def wants(self, listener: Listener) -> bool:
        return not (self.is_descriptor and listener.reads_descriptors)


def _is_descriptor(stream: Any) -> bool:
    try:
        return stream.fileno() in (1, 2)
    except (AttributeError, OSError, ValueError, io.UnsupportedOperation):
        return False


class StreamCapture:
    """
    The captured streams of this process, and their listeners.

    Args:
        streams: returns the streams to capture; called when a listener is added.
    """

    def __init__(self, streams: Callable[[], tuple[Any, ...]]) -> None:
        self._streams = streams
        self._tees: list[_Tee] = []
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._descriptors: DescriptorCapture | None = None

    def add(self, listener: Listener) -> None:
        """Send *listener* what is written from now on."""
        with self._lock:
            self._listeners.append(listener)
            for stream in self._streams():
                if stream is not None and not any(tee.stream is stream for tee in self._tees):
                    self._listen(stream)
            self._tell()
            if listener.reads_descriptors and self._descriptors is None:
                from aim.sdk.capture.descriptors import DescriptorCapture

                self._descriptors = DescriptorCapture(self._receive_from_descriptors)

    def _listen(self, stream: Any) -> None:
        tee = _Tee(stream)
        try:
            stream.write = tee
        except AttributeError:  # a stream that can't be changed is not captured
            return
        self._tees.append(tee)

    def _tell(self) -> None:
        for tee in self._tees:
            tee.listeners = tuple(listener for listener in self._listeners if tee.wants(listener))

    def _receive_from_descriptors(self, text: str) -> None:
        for listener in tuple(self._listeners):
            if listener.reads_descriptors:
                listener.receive(text)

    def remove(self, listener: Listener) -> None:
        """Send *listener* nothing more; it has received all that was written before."""
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
                for tee in self._tees:
                    # a write that was put over ours later keeps calling ours, which then only hands on
                    if getattr(tee.stream, "__dict__", {}).get("write") is tee:
                        del tee.stream.write
                self._tees = []

    def forked(self) -> None:
        """Drop all listeners in the child of a fork; the parent reads the descriptors."""
        self._lock = threading.RLock()
        self._listeners = []
        self._descriptors = None
        self._tell()


STREAMS = StreamCapture(lambda: (sys.stdout, sys.stderr))


class TerminalLog:
    """
    Records what is printed as lines of one run. It is a `services.Service`.

    Args:
        sequence: returns the writer of the lines' sequence; called once, in the background thread.
        reads_descriptors: capture child processes and C code too.
        capture: the streams to capture.
    """

    def __init__(
        self,
        sequence: Callable[[], SequenceWriter],
        *,
        reads_descriptors: bool = False,
        capture: StreamCapture = STREAMS,
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
        """Begin to capture."""
        self._capture.add(self)

    def receive(self, text: str) -> None:
        """Accept *text*, which was written to a stream."""
        if self._is_over:
            return
        self._parts.append(text)
        self._held_characters += len(text)
        if self._held_characters > HELD_CHARACTERS_MAX:
            self.record_pending(wait=False)

    def record_pending(self, *, wait: bool) -> None:
        """Record the lines that have changed."""
        with self._lock:
            if self._is_feeding:  # recording itself printed something, such as an error: it is recorded next time
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

            self.receive("".join(traceback.format_exception(type(error), error, error.__traceback__)))

    def stop(self, deadline_s: float) -> None:
        """Stop capturing, and record what was captured."""
        self._capture.remove(self)
        self.record_pending(wait=True)

    def forked(self) -> None:
        """Capture nothing in the child of a fork."""
        self._capture.forked()
        self._parts = deque()
        self._lock = threading.RLock()
