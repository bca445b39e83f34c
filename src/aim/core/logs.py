"""
The logger `aim`, for what a training loads: `logging`, with what that imports, is loaded by the first message.

Where it can't be loaded then, because the process has no descriptor left or is ending, warnings and errors go to
standard error, as those of `logging` do when a program has not set it up.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import logging

QUIET_LEVELS = frozenset({"debug", "info"})


class _Unloaded:
    def __getattr__(self, name: str) -> Any:
        try:
            import logging
        except (OSError, ImportError):
            return _ignored if name in QUIET_LEVELS else _told
        value = getattr(logging.getLogger("aim"), name)
        if callable(value):
            setattr(self, name, value)  # the next message does not come here
        return value


def _told(message: object, *values: object, **options: object) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{str(message) % values if values else message}\n")


def _ignored(message: object, *values: object, **options: object) -> None:
    pass


log = cast("logging.Logger", _Unloaded())
