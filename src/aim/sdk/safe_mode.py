"""
Safe mode: no call that records raises; what it would have raised goes to a callback, or is logged.

Safe mode is for the whole process, and costs nothing while it is off: switching it on replaces methods of `Run` by
guarded ones, switching it off puts the plain methods back. Guarded are `track`, `set`, `run[...] = ...`,
`del run[...]`, `log_*` and check-ins. The constructor still raises, because without a run nothing can be recorded.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any

from aim.core.shield import shielded
from aim.sdk.run import Run

Report = Callable[[Exception, Callable[..., Any]], None]
"""Takes an exception and the method that raised it."""

GUARDED = (
    "track",
    "set",
    "__setitem__",
    "__delitem__",
    "log_debug",
    "log_info",
    "log_warning",
    "log_error",
    "alert",
    "report_progress",
    "report_successful_finish",
)

log = logging.getLogger("aim")
_lock = threading.Lock()
_plain: dict[str, Callable[..., None]] = {}


def set_exception_callback(report: Report) -> None:
    """Stop calls that record from raising; *report* is called with the exception instead."""
    with _lock:
        _put_back()
        for name in GUARDED:
            _plain[name] = getattr(Run, name)
            setattr(Run, name, _guarded(_plain[name], report))


def enable_safe_mode() -> None:
    """Stop calls that record from raising; the exception is logged as a warning instead."""
    set_exception_callback(_warn)


def disable_safe_mode() -> None:
    """Let calls that record raise again."""
    with _lock:
        _put_back()


def _put_back() -> None:
    for name, method in _plain.items():
        setattr(Run, name, method)
    _plain.clear()


def _guarded(method: Callable[..., None], report: Report) -> Callable[..., None]:
    @functools.wraps(method)
    def call(self: Run, *args: Any, **kwargs: Any) -> None:
        shielded(functools.partial(method, self, *args, **kwargs), lambda error: report(error, method))

    return call


def _warn(error: Exception, call: Callable[..., Any]) -> None:
    log.warning("Aim: %s failed (%s: %s). The training goes on.", call.__qualname__, type(error).__name__, error)
