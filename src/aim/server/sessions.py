"""
The sessions of people who signed in by OIDC: `.auth/sessions.jsonl`, so that a restart signs nobody out.

The browser has a random id in a cookie; the file has its SHA-256. A session ends after 12 h, or when its person signs
out. What its person may do is looked up with each request, by the rules that the server was started with.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aim.core import clock
from aim.server.private_file import PrivateFile
from aim.storage.forms import events

FILE_NAME = "sessions.jsonl"
LIFETIME_S = 12 * 3600.0
BYTES_MAX = 4 << 20


@dataclass(frozen=True)
class PersonSession:
    """Who signed in, with which groups, and until when it counts, in Unix seconds."""

    user: str
    groups: tuple[str, ...]
    ends_at_s: float


class Sessions:
    """
    The sessions in a folder. Any thread and any number of processes may use it.

    >>> import tempfile
    >>> sessions = Sessions(Path(tempfile.mkdtemp()))
    >>> session_id = sessions.begin("ada", ["ml"])
    >>> sessions.session(session_id).user, sessions.session("another")
    ('ada', None)
    """

    def __init__(self, folder: Path) -> None:
        self._file: PrivateFile[Mapping[str, PersonSession]] = PrivateFile(folder / FILE_NAME, _read, {})

    def begin(self, user: str, groups: Iterable[str]) -> str:
        """Begin a session, and return its id. Raises UsageError, OSError: the file can't be written."""
        session_id = secrets.token_urlsafe(32)
        if self._file.exists and self._file.path.stat().st_size > BYTES_MAX:
            self._file.path.unlink(missing_ok=True)  # thousands of sessions: whoever is in signs in once more
        begun = {"session": _digest(session_id), "user": user, "groups": list(groups)}
        self._file.append({"at": clock.now(), **begun, "until": clock.now() + LIFETIME_S})
        return session_id

    def session(self, session_id: str) -> PersonSession | None:
        """Return a session; None: there is none of that id, or it has ended. Raises UsageError, OSError."""
        session = self._file.content().get(_digest(session_id))
        return session if session is not None and clock.now() < session.ends_at_s else None

    def end(self, session_id: str) -> None:
        """End a session. Raises UsageError, OSError: the file can't be written."""
        if self.session(session_id) is not None:
            self._file.append({"at": clock.now(), "end": _digest(session_id)})


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()


def _read(content: bytes) -> dict[str, PersonSession]:
    lines = events.parse(content)
    sessions: dict[str, PersonSession] = {}
    if lines.bad_spans:  # a damaged line may have ended one
        return sessions
    for event in lines.events:
        match event:
            case {
                "session": str(digest),
                "user": str(user),
                "groups": [*groups],
                "until": int() | float() as ends_at_s,
            }:
                sessions[digest] = PersonSession(user, tuple(map(str, groups)), ends_at_s)
            case {"end": str(digest)}:
                sessions.pop(digest, None)
    return sessions
