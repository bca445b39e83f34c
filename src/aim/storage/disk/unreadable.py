"""
Files that can't be read: there is no right to, or the disk fails. Such a file hides itself and nothing else.

    describe   why the file can't be read, and what to do: the problem of a damage
    note       the same, with a warning once a process. It raises an error that is no fault of the file: the file is
               gone, or this process has no descriptors or memory left

A reader goes on with the other files and tries this one again the next time. Nothing is kept of a run that lacks a
file, so the run is whole again as soon as the file can be read.
"""

from __future__ import annotations

import errno
import os

from aim.core.logs import log

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
ADVICE = {
    errno.EACCES: "get the right to read it, as by chmod",
    errno.EPERM: "get the right to read it, as by chmod",
    errno.EIO: "the disk fails: copy what can be read elsewhere (`aim repair`)",
}
OTHER_ADVICE = "look at the file and its disk"
WARNED_MAX = 1000  # files; if none of a disk can be read, these warnings are enough

_warned: set[str] = set()


def describe(error: OSError) -> str:
    """
    Return why a file can't be read, and what to do.

    >>> describe(PermissionError(errno.EACCES, "Permission denied"))
    "can't be read: Permission denied; get the right to read it, as by chmod"
    """
    return f"can't be read: {error.strerror or error}; {ADVICE.get(error.errno or 0, OTHER_ADVICE)}"


def note(path: str | os.PathLike[str], error: OSError) -> str:
    """
    Warn, once a process, that the file *path* can't be read; return the text of `describe`.

    Raises:
        OSError: *error* itself, when it is no fault of the file.
    """
    if isinstance(error, FileNotFoundError) or error.errno in SHORTAGES:
        raise error
    description = describe(error)
    name = os.fspath(path)
    if name not in _warned and len(_warned) < WARNED_MAX:
        _warned.add(name)
        log.warning("Aim: %s %s. What it holds is left out.", name, description)
    return description
