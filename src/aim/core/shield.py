"""
Work whose failure must not stop anything else: the threads beside a training, and the callbacks of users.

This is one of the two modules that catch every exception; the other is the boundary of the server.
"""

from __future__ import annotations

from collections.abc import Callable


def shielded(work: Callable[[], object], report: Callable[[Exception], object]) -> bool:
    """
    Do *work*, and pass an exception that it raises to *report*. Returns whether the work was done.

    `KeyboardInterrupt` and `SystemExit` pass through: they are requests, not failures. So does one that a second
    exception took the place of on its way out, as in an interrupted `import` (before Python 3.13, KeyError).

    >>> seen = []
    >>> shielded(lambda: 1 / 0, seen.append), seen
    (False, [ZeroDivisionError('division by zero')])
    """
    try:
        work()
    except Exception as error:
        request = _replaced_request(error)
        if request is not None:
            raise request from None
        report(error)
        return False
    return True


def _replaced_request(error: BaseException) -> BaseException | None:
    # the exception that was on its way when *error*, or the one before it, was raised; `from` says it was dealt with
    while not error.__suppress_context__ and error.__context__ is not None:
        error = error.__context__
        if not isinstance(error, Exception):
            return error
    return None
