"""
The errors of Aim, by who can act on them.

    AimError
    ├── UsageError                  the caller: InvalidQuery, UntrackableValue (IncompatibleValue),
    │                               UnstorableParam, WrongType, ReadOnly, RunClosed, InsecureAddress
    ├── NotFound                    the caller: RepoNotFound, RunNotFound
    ├── RunExists, RunBusy          the caller, with another name or later
    ├── UnsupportedFormat           the user, with a newer Aim: OldRepository (RepoIntegrityError), with an import
    ├── DiskRefused, DamagedFile    the administrator of the disk
    └── ServerUnreachable,          the administrator of the network or of the server
        ServerRefused

Each message says what is wrong, where, and what to do. Some are builtin errors as well, as callers of Aim 3 expect.
Other errors of the operating system pass through as `OSError`.
"""

from __future__ import annotations

from collections.abc import Mapping


class AimError(Exception):
    """The base of all errors that Aim raises on purpose."""


class UsageError(AimError):
    """The call is wrong, and the caller can correct it."""


class InvalidQuery(UsageError, SyntaxError):
    """
    A query that can't be understood.

    Attributes:
        query: the text as the user wrote it.
        start, end: the span of *query* at fault, counted from 0, end excluded.
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
    """
    A value, step or context that `track()` can't record.

    Where Aim 3 has a sentence for it, `args[0]` is that sentence, which scripts compare; `str()` adds the advice.

    Attributes:
        advice: what to do, or "" where the sentence says it.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.args[0]} {self.advice}" if self.advice else str(self.args[0])


class IncompatibleValue(UntrackableValue):
    """
    A value of another type than its sequence holds.

    >>> error = IncompatibleValue("[1]", "loss", "It holds float.")
    >>> error.args[0]
    "Cannot log value '[1]' on sequence 'loss'. Incompatible data types."
    >>> print(error)
    Cannot log value '[1]' on sequence 'loss'. Incompatible data types. It holds float.
    """

    def __init__(self, value: str, sequence: str, advice: str) -> None:
        super().__init__(f"Cannot log value '{value}' on sequence '{sequence}'. Incompatible data types.", advice)
        self._made_of = (value, sequence, advice)

    def __reduce__(self) -> tuple[type[IncompatibleValue], tuple[str, str, str]]:
        return type(self), self._made_of


class UnstorableParam(UsageError, TypeError, ValueError):
    """A param that can't be stored, with its path."""


class WrongType(UsageError, TypeError):
    """A value from which an image, a text ... can't be made."""


class ReadOnly(UsageError):
    """A run or repository that was opened for reading can't be changed."""


class RunClosed(UsageError):
    """A run can't be changed after `close()`."""


class NotFound(AimError):
    """There is nothing under that name."""


class RepoNotFound(NotFound, RuntimeError):
    """No repository at that path."""


class RunNotFound(NotFound, RuntimeError):
    """No run with that hash."""


class RunExists(AimError):
    """A new run can't have the name of an existing one."""


class RunBusy(AimError):
    """A run that is still being recorded can't be moved."""


class UnsupportedFormat(AimError, RuntimeError):
    """The files were written by a newer version of Aim."""


class RepoIntegrityError(AimError, RuntimeError):
    """A repository that can't be opened as it is."""


class OldRepository(UnsupportedFormat, RepoIntegrityError):
    """A repository of Aim 3, whose runs have to be imported first."""


class DiskRefused(AimError, OSError):
    """
    The system refuses to read or write a folder: the disk is full, a right is missing, the folder does not exist.

    Attributes:
        errno: the number of the system's error, as in any OSError.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.errno = number


class Unavailable(AimError, ConnectionError):
    """What keeps the runs does not answer at this moment. Nothing is lost, and the same can be asked again later."""


class DamagedFile(AimError):
    """
    A file does not contain what was written to it.

    Attributes:
        position: where in the file, such as "byte 4,096".
        defect: what is wrong there.
    """

    def __init__(self, file: str, position: str, defect: str) -> None:
        super().__init__(
            f"{file} is damaged at {position}: {defect}. "
            "`aim fsck` lists all damage; `aim repair` writes a mended copy."
        )
        self.file = file
        self.position = position
        self.defect = defect


class InsecureAddress(UsageError):
    """A token is not sent in the clear over a network that others may read."""


class ServerUnreachable(AimError, ConnectionError):
    """
    No Aim server answers at an address: it is down, the network is cut, or its certificate is not trusted.

    What was asked may be asked again later.
    """


class ServerRefused(AimError):
    """
    A server answered that it does not do what it was asked.

    Attributes:
        status: the status of HTTP: 401, the token is missing or wrong; 403, it may not do this; 413, too much was asked
            for; 503, the server is busy.
        kind: the kind of the error, of those in docs/formats/wire.md; empty when the server named none.
        retry_after_s: after how many seconds the server wishes to be asked again; None: it did not say.
        body: what the server answered beside the message.
    """

    def __init__(
        self,
        message: str,
        status: int = 0,
        kind: str = "",
        retry_after_s: float | None = None,
        body: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.body = dict(body or {})
