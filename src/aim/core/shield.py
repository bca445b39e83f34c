"""
Work whose failure must not end somebody else's: the threads beside a training, and callbacks of users.

It is one of the two places of the package that catch every exception; the other is the server's boundary.
"""

from __future__ import annotations

from collections.abc import Callable


def shielded(work: Callable[[], object], report: Callable[[Exception], object]) -> bool:
    """
    Do *work*; when it raises, hand the exception to *report* and go on. Gives whether the work was done.

    `KeyboardInterrupt` and `SystemExit` pass through: they are somebody's wish, not a failure.

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
