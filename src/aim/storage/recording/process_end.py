"""
How this process ends: by which exception, or with which exit code.

    way out                            seen by                                            the run is
    end of the program                 its outermost frame, which returned                finished
    an exception                       `sys.last_exc`, before Python prints it            failed: its class
    sys.exit(n), exit(n), quit(n)      these functions, which note the code               failed unless n is 0
    raise SystemExit(n)                `with Run()`; else exit_status.py, after the end   failed unless n is 0
    end of a multiprocessing child     the frame of `Process.run`, and what it raised     as above
    the same, from Python 3.13 on      the variable of its caller that has the exit code  as above

Libraries for command lines (click, typer, hydra, argparse, fire) leave by `sys.exit`. A code counts only if the program
really left: a frame that returned has caught its SystemExit, so the code is forgotten. A frame that has ended keeps the
offset of its last instruction, which is a return or what raised. So the frame is kept from the first run on; it lives
as long as the process in any case.
"""

from __future__ import annotations

import builtins
import functools
import opcode  # at the end of a process without a free descriptor it could not be loaded
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

CHILD_CALLER = "_bootstrap"  # what calls `Process.run` in a child of multiprocessing
CHILD_CODE = "exitcode"  # its variable

_frame: FrameType | None = None
_code: object = None
_has_left = False
_printed: str | None = None  # the class of the exception that a child has printed


def watch() -> None:
    """Begin to watch how the process ends; again: after a fork, when the child first records."""
    global _frame
    _frame = _entry()
    if _frame is not None and _is_child(_frame):
        import traceback

        if not hasattr(traceback.print_exc, "__wrapped__"):
            traceback.print_exc = _noting_printed(traceback.print_exc)
    if not hasattr(sys.exit, "__wrapped__"):
        sys.exit = _noting(sys.exit)
        for name in ("exit", "quit"):
            leave = getattr(builtins, name, None)
            if type(leave).__name__ == "Quitter":
                setattr(builtins, name, _noting(leave))


def forked() -> None:
    """In the child of a fork: it has not left, whatever its parent is about to do."""
    global _frame, _code, _has_left, _printed
    _frame, _code, _has_left, _printed = None, None, False, None


def outcome(raised: BaseException | None = None) -> str | None:
    """
    Return what ended this process, as the `error` of its runs: the class of an exception, or `SystemExit(n)`; None when
    it finished. To be asked at the end of the process only.

    Args:
        raised: the exception that is on its way, where the caller knows it.
    """
    if raised is not None:
        return error_name(raised)
    unhandled = _unhandled()
    if unhandled is not None:
        return unhandled
    if _frame is None or _has_returned(_frame):
        return None
    if _is_child(_frame):
        return _outcome_of_child(_frame)
    return failure_of(_code) if _has_left else None


def is_code_unknown() -> bool:
    """Return whether this process leaves by a `SystemExit` that was raised by name, whose code nothing here learns."""
    is_outside = _frame is not None and not _has_returned(_frame) and not _is_child(_frame)
    return is_outside and not _has_left and _unhandled() is None and not hasattr(sys, "ps1")


def _outcome_of_child(frame: FrameType) -> str | None:
    # multiprocessing has handled what was raised, and keeps the exit code
    code = frame.f_back.f_locals.get(CHILD_CODE) if frame.f_back is not None else None
    error = failure_of(code)
    return _printed if error is not None and _printed is not None else error


def error_name(raised: BaseException) -> str | None:
    """
    Return the `error` of a run that *raised* ends: its class; None for a `sys.exit()` that is no failure.

    >>> error_name(ValueError("x")), error_name(SystemExit(3)), error_name(SystemExit(0))
    ('ValueError', 'SystemExit(3)', None)
    """
    return failure_of(raised.code) if isinstance(raised, SystemExit) else type(raised).__name__


def failure_of(code: object) -> str | None:
    """
    Return the `error` of a process that leaves with *code*; None when that is no failure.

    Python leaves with 1 for whatever is no whole number, after printing it.

    >>> failure_of(0), failure_of(None), failure_of(3), failure_of("no data")
    (None, None, 'SystemExit(3)', 'SystemExit(1)')
    """
    if code is None or code == 0:
        return None
    return f"SystemExit({int(code) if isinstance(code, int) else 1})"


def _noting(leave: Any) -> Callable[..., Any]:
    @functools.wraps(leave)
    def noting(code: object = None, /) -> None:
        global _code, _has_left
        if threading.current_thread() is threading.main_thread():  # any other thread ends itself alone
            _code, _has_left = code, True
        leave(code)

    return noting


def _noting_printed(print_exc: Callable[..., None]) -> Callable[..., None]:
    # what calls `Process.run` prints each exception but SystemExit by this function
    @functools.wraps(print_exc)
    def noting(*args: Any, **kwargs: Any) -> None:
        global _printed
        if sys._getframe(1).f_code.co_name == CHILD_CALLER:
            _printed = error_name(sys.exc_info()[1] or SystemExit(1))
        print_exc(*args, **kwargs)

    return noting


def _unhandled() -> str | None:
    # An interactive session leaves each error there and goes on, so there it means nothing.
    if hasattr(sys, "ps1") or sys.flags.interactive:
        return None
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return None if error is None else type(error).__name__


def _entry() -> FrameType | None:
    """Return the outermost frame of the main thread; in a child of multiprocessing, that of `Process.run`."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_back is not None and not _is_child(frame):
        frame = frame.f_back
    return frame


def _is_child(frame: FrameType) -> bool:
    caller = frame.f_back
    return (
        caller is not None
        and caller.f_code.co_name == CHILD_CALLER
        and caller.f_globals.get("__name__") == "multiprocessing.process"
    )


def _has_returned(frame: FrameType) -> bool:
    return frame.f_lasti >= 0 and opcode.opname[frame.f_code.co_code[frame.f_lasti]] in ("RETURN_VALUE", "RETURN_CONST")
