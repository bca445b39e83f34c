"""
Work whose failure must not stop anything else: the threads beside a training, and the callbacks of users.

This is one of the two modules that catch every exception; the other is the boundary of the server.
"""

from __future__ import annotations

from collections.abc import Callable


def shielded(work: Callable[[], object], report: Callable[[Exception], object]) -> bool:
    """
    Do *work*, and pass an exception that it raises to *report*. Returns whether the work was done.

    `KeyboardInterrupt` and `SystemExit` pass through: they are requests, not failures.

    >>> seen = []
    >>> shielded(lambda: 1 / 0, seen.append), seen
    (False, [ZeroDivisionError('division by zero')])
    """
    try:
        work()
    except Exception as error:
        report(error)
        return False
    return True
