"""
Safe mode: no call that records raises; what it would have raised goes to a callback, or is logged.

It is for the whole process, and costs nothing while it is off: switching it on puts guarded methods in the place of
those of `Run`, switching it off puts the plain ones back. Guarded are `track`, `set`, `run[...] = ...`, `del
run[...]`, `log_*` and check-ins. A constructor has to raise, for there is no run to go on with.
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
    "report_progress",
    "report_successful_finish",
)

log = logging.getLogger("aim")
_lock = threading.Lock()
_plain: dict[str, Callable[..., None]] = {}


def set_exception_callback(report: Report) -> None:
    """Let no call that records raise from now on; *report* takes what it would have raised."""
    with _lock:
        _put_back()
        for name in GUARDED:
            _plain[name] = getattr(Run, name)
            setattr(Run, name, _guarded(_plain[name], report))


def enable_safe_mode() -> None:
    """Let no call that records raise from now on; what it would have raised is logged as a warning."""
    set_exception_callback(_warn)


def disable_safe_mode() -> None:
    """Let calls raise again."""
    with _lock:
        _put_back()


def _put_back() -> None:
    for name, method in _plain.items():
        if name in Run.__dict__ and method.__qualname__.startswith("Run."):
            setattr(Run, name, method)
        else:  # it is of a mixin
            delattr(Run, name)
    _plain.clear()


def _guarded(method: Callable[..., None], report: Report) -> Callable[..., None]:
    @functools.wraps(method)
    def call(self: Run, *args: Any, **kwargs: Any) -> None:
        shielded(functools.partial(method, self, *args, **kwargs), lambda error: report(error, method))

    return call


def _warn(error: Exception, call: Callable[..., Any]) -> None:
    log.warning("Aim: %s failed (%s: %s). The training goes on.", call.__qualname__, type(error).__name__, error)
