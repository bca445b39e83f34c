"""
Output of the whole process: what is written to the file descriptors 1 and 2, by child processes and C code too.

    descriptor 1 or 2 -> pipe -> a thread -> the descriptor as it was before
                                          -> the receiver

A terminal is replaced by a pseudo-terminal, so that programs keep their colours and progress bars. POSIX only.

`stop` puts the descriptors back. Output of children that started before is forwarded until they or this process end.
"""

from __future__ import annotations

import codecs
import errno
import os
import select
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aim.core.errors import UsageError

DESCRIPTORS = (1, 2)
READ_BYTES = 1 << 16
POLL_S = 0.05
DRAIN_S = 5.0


@dataclass
class _Channel:
    """One descriptor that is read."""

    descriptor: int
    before: int
    source: int
    decoder: Any = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def close(self) -> None:
        os.close(self.source)
        os.close(self.before)


class DescriptorCapture:
    """
    Reads descriptors 1 and 2 from its construction to `stop`.

    Args:
        receive: called with what was written, in a thread.

    Raises:
        UsageError: this system is not POSIX.
        OSError: a descriptor is not open, or there are no more descriptors.
    """

    def __init__(self, receive: Callable[[str], None], descriptors: tuple[int, ...] = DESCRIPTORS) -> None:
        if os.name != "posix":
            raise UsageError(
                "Output of child processes can't be captured on this system: use capture_terminal_logs=True."
            )
        self._receive = receive
        self._ends = threading.Event()
        self._is_drained = threading.Event()
        _flush()
        self._channels = [_replace(descriptor) for descriptor in descriptors]
        self._thread = threading.Thread(target=self._pump, name="aim-output", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # nobody would read what is printed
            for channel in self._channels:
                os.dup2(channel.before, channel.descriptor)
                channel.close()
            raise OSError(errno.EAGAIN, f"no thread reads the output: {error}") from None

    def stop(self) -> None:
        """Put the descriptors back, after all that was written before was handed to the receiver."""
        if self._ends.is_set():
            return
        _flush()
        for channel in self._channels:
            os.dup2(channel.before, channel.descriptor)
        self._ends.set()
        if threading.current_thread() is not self._thread:
            self._is_drained.wait(DRAIN_S)

    def _pump(self) -> None:
        by_source = {channel.source: channel for channel in self._channels}
        poll = select.poll()
        for source in by_source:
            poll.register(source, select.POLLIN)
        while by_source:
            has_ended = self._ends.is_set()
            ready = poll.poll(POLL_S * 1000)
            if has_ended and not ready:
                self._is_drained.set()
            for source, _ in ready:
                if not self._forward(by_source[source]):
                    poll.unregister(source)
                    by_source.pop(source).close()
        self._is_drained.set()

    def _forward(self, channel: _Channel) -> bool:
        try:
            data = os.read(channel.source, READ_BYTES)
        except OSError:  # a pseudo-terminal that nobody writes to any more
            data = b""
        text = channel.decoder.decode(data, final=not data)
        if text and not self._is_drained.is_set():
            self._receive(text)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(channel.before, view) :]
        except OSError:  # the terminal is gone; what is printed is recorded all the same
            pass
        return bool(data)


def _replace(descriptor: int) -> _Channel:
    before = os.dup(descriptor)
    os.set_inheritable(before, False)
    source, sink = _pair(descriptor)
    os.dup2(sink, descriptor, inheritable=True)
    os.close(sink)
    return _Channel(descriptor, before, source)


def _pair(descriptor: int) -> tuple[int, int]:
    if os.isatty(descriptor) and hasattr(os, "openpty"):
        import fcntl
        import termios

        source, sink = os.openpty()
        mode = termios.tcgetattr(sink)
        mode[1] &= ~termios.OPOST  # the real terminal does what is to be done to newlines
        termios.tcsetattr(sink, termios.TCSANOW, mode)
        fcntl.ioctl(sink, termios.TIOCSWINSZ, fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
        return source, sink
    return os.pipe()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # none, gone, or closed
            pass
    import ctypes  # only here: it costs the start of each training 2 ms

    ctypes.CDLL(None).fflush(None)  # what C code has not written yet
