"""
What can go wrong, by who must act.

    AimError
    ├── UsageError            the call is wrong; the caller can mend it
    │   ├── InvalidQuery      also a SyntaxError, as callers of Aim 3 expect
    │   ├── UntrackableValue  also a ValueError
    │   ├── UnstorableParam   also a TypeError and a ValueError
    │   ├── ReadOnly          a run or repository opened for reading is written to
    │   └── RunClosed         a run is written to after its end
    ├── NotFound
    │   ├── RepoNotFound      also a RuntimeError
    │   └── RunNotFound       also a RuntimeError
    ├── RunExists             a new run was asked for under a name that is taken
    ├── RunBusy               a run that is still being recorded is to be moved
    ├── UnsupportedFormat     the files are newer than this version of Aim
    ├── DiskRefused           also an OSError: a repository or run can't be opened or begun; which folder, what to do
    └── DamagedFile           the disk is wrong: file, place, what was found

Each message says what, where, and what to do. Other errors of the operating system pass through as `OSError`.
"""

from __future__ import annotations


class AimError(Exception):
    """Anything that Aim raises on purpose."""


class UsageError(AimError):
    """The call is wrong; the caller can mend it."""


class InvalidQuery(UsageError, SyntaxError):
    """
    A query that can't be understood, with the place and, if there is one, a suggestion.

    Attributes:
        query: the text as the user wrote it.
        start, end: the characters of *query* at fault, from 0, end excluded.
        suggestion: what may have been meant, or None.

    >>> print(InvalidQuery("`run` has no `hparam`", "run.hparam.lr", 4, 10, "hparams"))
    `run` has no `hparam`. Did you mean `hparams`?
        run.hparam.lr
            ^^^^^^
    """

    def __init__(
        self, message: str, query: str, start: int = 0, end: int | None = None, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.query = query
        self.start = start
        self.end = len(query) if end is None else end
        self.suggestion = suggestion
        self.msg = message
        self.text = query
        self.lineno = query.count("\n", 0, start) + 1
        self.offset = start - (query.rfind("\n", 0, start) + 1) + 1

    def __str__(self) -> str:
        line_start = self.query.rfind("\n", 0, self.start) + 1
        line_end = self.query.find("\n", self.start)
        line = self.query[line_start : line_end if line_end >= 0 else None]
        column = self.start - line_start
        width = max(1, min(self.end, line_start + len(line)) - self.start)
        hint = f". Did you mean `{self.suggestion}`?" if self.suggestion else ""
        return f"{self.message}{hint}\n    {line}\n    {' ' * column}{'^' * width}"


class UntrackableValue(UsageError, ValueError):
    """A value, step or context that `track()` can't record."""


class UnstorableParam(UsageError, TypeError, ValueError):
    """A param that can't be stored, with its path."""


class WrongType(UsageError, TypeError):
    """A value of a type that an image, a text ... can't be made from."""


class ReadOnly(UsageError):
    """A run or repository that was opened for reading is written to."""


class RunClosed(UsageError):
    """A run is written to after `close()`."""


class NotFound(AimError):
    """There is nothing under that name."""


class RepoNotFound(NotFound, RuntimeError):
    """No repository at that path."""


class RunNotFound(NotFound, RuntimeError):
    """No run with that hash."""


class RunExists(AimError):
    """A new run was asked for under a name that is taken."""


class RunBusy(AimError):
    """A run that is still being recorded is to be moved."""


class UnsupportedFormat(AimError, RuntimeError):
    """The files were written by a newer version of Aim."""


class DiskRefused(AimError, OSError):
    """
    The system refuses a folder, for reading or writing: no room, no right, no such place.

    Attributes:
        errno: the system's number, as of any OSError.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.errno = number


class DamagedFile(AimError):
    """A file does not hold what was written to it."""

    def __init__(self, file: str, position: str, defect: str) -> None:
        super().__init__(
            f"{file} is damaged at {position}: {defect}. "
            "`aim fsck` lists all damage; `aim repair` writes a mended copy."
        )
        self.file = file
        self.position = position
        self.defect = defect
