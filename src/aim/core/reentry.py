"""
Calls that interrupt another call of this package in the same thread: from a signal handler, or a garbage collection.

The call that was interrupted goes on only after the one that interrupts it, and never if a signal handler leaves by
`sys.exit`. So the inner call must not wait for it, nor for another thread that needs a lock which it holds: what has to
be done before the inner call returns, it does itself.

    run.track(image) -> ... -> a lock is taken -> SIGTERM -> handler -> run.close()      must not wait for `track`
"""

from __future__ import annotations

import sys
from types import FrameType

PACKAGE = f"{__name__.partition('.')[0]}."


def is_within_own_call() -> bool:
    """
    Return whether the caller's call into this package lies within another one, with foreign code between the two.

    Cost: some 50 ns a frame of the stack; for rare calls.

    >>> is_within_own_call()
    False
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    while frame is not None:
        if _is_ours(frame):
            return True
        frame = frame.f_back
    return False


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith(PACKAGE)
