"""
What a server refuses, as the errors that a folder raises for the same: callers catch one kind of errors, wherever the
repository is.
"""

from __future__ import annotations

from collections.abc import Mapping

from aim.core.errors import (
    AimError,
    DamagedFile,
    InvalidQuery,
    NotFound,
    ReadOnly,
    RepoNotFound,
    RunBusy,
    RunExists,
    RunNotFound,
    ServerRefused,
    UnstorableParam,
    UntrackableValue,
    UsageError,
)
from aim.engine.documents import StaleRevision

BY_NAME = {
    error_class.__name__: error_class
    for error_class in (
        NotFound,
        ReadOnly,
        RepoNotFound,
        RunBusy,
        RunExists,
        RunNotFound,
        StaleRevision,
        UnstorableParam,
        UntrackableValue,
        UsageError,
    )
}
TOO_LARGE = 413  # the status of HTTP
BY_KIND: Mapping[str, type[AimError]] = {
    "not-found": NotFound,
    "read-only": ReadOnly,
    "request": UsageError,
    "conflict": StaleRevision,
}


class TooManyPoints(UsageError):
    """More was asked for than one request may ask for."""


def error_of(refused: ServerRefused, query: str = "") -> AimError:
    """Return the error that a folder raises in place of *refused*; *refused* itself when only a server raises it."""
    if refused.status == TOO_LARGE and refused.kind == "request":
        return TooManyPoints(str(refused.body.get("message", refused)))
    return error_of_body(refused.body, query) or refused


def error_of_body(body: Mapping[str, object], query: str = "") -> AimError | None:
    """
    Return the error of the body of an error of wire.md; None when only a server has such an error.

    Args:
        query: the query that was asked.
    """
    message, kind = str(body.get("message", "")), str(body.get("kind", ""))
    if kind == "query":
        return _invalid_query(body, message, query)
    if body.get("error") == "DamagedFile":
        return DamagedFile(str(body.get("file")), str(body.get("position")), str(body.get("defect")))
    error_class = BY_NAME.get(str(body.get("error"))) or BY_KIND.get(kind)
    return None if error_class is None else error_class(message)


def _invalid_query(body: Mapping[str, object], message: str, query: str) -> InvalidQuery:
    start, end, suggestion = body.get("start"), body.get("end"), body.get("suggestion")
    if isinstance(suggestion, str):
        message = message.removesuffix(f". Did you mean `{suggestion}`?")
    return InvalidQuery(
        message,
        query,
        start if isinstance(start, int) else 0,
        end if isinstance(end, int) else None,
        suggestion if isinstance(suggestion, str) else None,
    )
