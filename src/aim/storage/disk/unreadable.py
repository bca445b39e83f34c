"""
Files that the system does not give: no right to read them, or a disk that fails. Each hides itself and nothing else.

    note       says once which file it is, why it can't be read and what to do; gives that as the words of a damage
    raises     what is no fault of the file: it is gone, or this process has no descriptors or memory left

Whoever meets one goes on with the other files, and asks for it again the next time: nothing is kept of a run that lacks
one, so that it is whole again as soon as the file can be read.
"""

from __future__ import annotations

import errno
import logging
import os

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
ADVICE = {
    errno.EACCES: "get the right to read it, as by chmod",
    errno.EPERM: "get the right to read it, as by chmod",
    errno.EIO: "the disk fails: copy what can be read elsewhere (`aim repair`)",
}
OTHER_ADVICE = "look at the file and its disk"
SAID_MAX = 1000  # files; of a disk that gives none, the log says enough

log = logging.getLogger("aim")
_said: set[str] = set()


def describe(error: OSError) -> str:
    """
    Return what was found of a file that can't be read, and what to do.

    >>> describe(PermissionError(errno.EACCES, "Permission denied"))
    "can't be read: Permission denied; get the right to read it, as by chmod"
    """
    return f"can't be read: {error.strerror or error}; {ADVICE.get(error.errno or 0, OTHER_ADVICE)}"


def note(path: str | os.PathLike[str], error: OSError) -> str:
    """
    Say once a process that the file *path* can't be read; give the words of `describe`.

    Raises:
        OSError: *error* itself, when it is no fault of the file.
    """
    if isinstance(error, FileNotFoundError) or error.errno in SHORTAGES:
        raise error
    found = describe(error)
    name = os.fspath(path)
    if name not in _said and len(_said) < SAID_MAX:
        _said.add(name)
        log.warning("Aim: %s %s. What it holds is left out.", name, found)
    return found
