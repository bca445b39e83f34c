"""
The tokens of a server: made, listed, revoked, and recognised. Specified in docs/formats/tokens.md.

    <root>/.auth/tokens.jsonl     mode 0600; checked lines as in events.md; only ever grows

    {"crc":…,"at":…,"token":"3fa09c1e","name":"slurm","role":"writer","projects":["vision*"],"sha256":…,"expires":…}
    {"crc":…,"at":…,"revoke":"3fa09c1e"}

A token is `aim_<id>_<secret>`. The secret is 256 random bits, which nobody can guess, so its SHA-256 is all that is
stored, and a slow hash would protect nothing more. The file is looked at with each request, so a new token counts at
once, and so does a revocation, in all processes that serve the folder.

A line that fails its check may have been a revocation. So the tokens of the lines before it are refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.core.errors import UsageError
from aim.server.private_file import PrivateFile
from aim.server.roles import ADMINISTRATOR, RIGHTS
from aim.storage.forms import events

FILE_NAME = "tokens.jsonl"
FORM = re.compile(r"aim_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
NAME_CHARS_MAX = 100
PATTERN = re.compile(r"[a-z0-9*?\[\]!._-]{1,64}")
LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hdw])")
HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True)
class Token:
    """
    A token, without its secret.

    Attributes:
        token_id: 8 hex digits; people name the token by it.
        name: what it is for, for people.
        role: one of `roles.RIGHTS`.
        projects: patterns of the projects that it is for.
        digest: the SHA-256 of the secret, in hex.
        created_at_s: when it was made, in Unix seconds.
        expires_at_s: when it ends; None: never.
        user: who made it for themselves; empty: an administrator made it.
        is_revoked: whether it was revoked.
    """

    token_id: str
    name: str
    role: str
    projects: tuple[str, ...]
    digest: str
    created_at_s: float
    expires_at_s: float | None
    user: str = ""
    is_revoked: bool = False

    @property
    def state(self) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.is_revoked:
            return "revoked"
        return "valid" if self.expires_at_s is None or clock.now() < self.expires_at_s else "expired"


def lifetime_s(text: str) -> float | None:
    """
    Return how long a token is valid, in seconds; None for `never`.

    Raises:
        UsageError: it is neither `never` nor a number of hours, days or weeks.

    >>> lifetime_s("90d"), lifetime_s("12h"), lifetime_s("never")
    (7776000.0, 43200.0, None)
    """
    if text == "never":
        return None
    match = LIFETIME.fullmatch(text)
    if match is None:
        raise UsageError(
            f"A token expires after a number of hours, days or weeks (12h, 90d, 4w) or never, not {text!r}."
        )
    return int(match[1]) * HOURS[match[2]] * 3600.0


class TokenFile:
    """
    The tokens in a folder. Any thread and any number of processes may use it.

    Args:
        folder: holds `tokens.jsonl`; it is made with the first token.

    >>> import tempfile
    >>> tokens = TokenFile(Path(tempfile.mkdtemp()) / ".auth")
    >>> text = tokens.create("slurm", "writer", ["vision*"], None)
    >>> tokens.recognised(text).name, tokens.recognised(text[:-1] + "~")
    ('slurm', None)
    """

    def __init__(self, folder: Path) -> None:
        self._file: PrivateFile[Mapping[str, Token]] = PrivateFile(folder / FILE_NAME, _read, {})
        self.path = self._file.path

    @property
    def exists(self) -> bool:
        """Whether there was ever a token. Cost: a few microseconds."""
        return self._file.exists

    def create(self, name: str, role: str, projects: Iterable[str], lifetime_s: float | None, *, user: str = "") -> str:
        """
        Make a token and return its text, which is stored nowhere.

        Raises:
            UsageError: the name, the role or a pattern of projects can't be used; others may read the file.
            OSError: the disk refuses.
        """
        patterns = list(projects)
        _check(name, role, patterns)
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode("ascii")
        created_at_s = clock.now()
        token_id = secrets.token_hex(4)
        event: dict[str, Any] = {
            "at": created_at_s,
            "token": token_id,
            "name": name,
            "role": role,
            "projects": patterns,
            "sha256": _digest(secret),
            "expires": None if lifetime_s is None else created_at_s + lifetime_s,
        }
        self._file.append({**event, "user": user} if user else event)
        return f"aim_{token_id}_{secret}"

    def revoke(self, token_id: str) -> Token:
        """
        Revoke a token and return it; one that is revoked already stays so.

        Raises:
            UsageError: there is no such token; others may read the file.
            OSError: the disk refuses.
        """
        token = self.tokens().get(token_id)
        if token is None:
            raise UsageError(f"There is no token {token_id!r}. `aim token ls` lists them.")
        if not token.is_revoked:
            self._file.append({"at": clock.now(), "revoke": token_id})
        return token

    def recognised(self, text: str) -> Token | None:
        """Return the token that *text* is; None for one that is not there, expired or revoked. Constant in time."""
        match = FORM.fullmatch(text)
        if match is None:
            return None
        token = self.tokens().get(match[1])
        is_equal = hmac.compare_digest(_digest(match[2]), token.digest if token is not None else _digest(""))
        return token if token is not None and is_equal and token.state == "valid" else None

    def is_valid(self, token_id: str) -> bool:
        """Return whether a token is neither expired nor revoked."""
        token = self.tokens().get(token_id)
        return token is not None and token.state == "valid"

    def has_administrator(self) -> bool:
        """Return whether there is a valid token of an administrator. Raises as `tokens`."""
        return any(token.role == ADMINISTRATOR and token.state == "valid" for token in self.tokens().values())

    def tokens(self) -> Mapping[str, Token]:
        """
        Return all tokens by id, in the order in which they were made; none when there is no file.

        Raises:
            UsageError: others may read the file.
            OSError: it can't be read.
        """
        return self._file.content()


def _check(name: str, role: str, patterns: list[str]) -> None:
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise UsageError(f"The name of a token has 1 to {NAME_CHARS_MAX} characters that can be printed, not {name!r}.")
    if role not in RIGHTS:
        raise UsageError(f"A role is one of {', '.join(RIGHTS)}, not {role!r}.")
    wrong = [pattern for pattern in patterns if not PATTERN.fullmatch(pattern)]
    if wrong or not patterns:
        raise UsageError(
            f"A token is for projects, whose names have a-z, 0-9, dots, dashes and underscores, and * for any "
            f"characters; not {wrong[0] if wrong else 'none'!r}."
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _read(content: bytes) -> dict[str, Token]:
    lines = events.parse(content)
    trusted_from = lines.bad_spans[-1][0] if lines.bad_spans else 0
    if trusted_from:  # the tokens before a damaged line, which may be their revocation, are lost
        lines = events.parse(content[trusted_from:])
    tokens: dict[str, Token] = {}
    for event in lines.events:
        token = _token_of(event)
        if token is not None:
            tokens[token.token_id] = token
        revoked = tokens.get(str(event.get("revoke")))
        if revoked is not None:
            tokens[revoked.token_id] = Token(**{**vars(revoked), "is_revoked": True})
    return tokens


def _token_of(event: Mapping[str, Any]) -> Token | None:
    match event:
        case {
            "at": int() | float() as created_at_s,
            "token": str(token_id),
            "name": str(name),
            "role": str(role),
            "projects": [*projects],
            "sha256": str(digest),
            "expires": int() | float() | None as expires_at_s,
        } if role in RIGHTS and all(isinstance(pattern, str) for pattern in projects):
            user = str(event.get("user", ""))
            return Token(token_id, name, role, tuple(projects), digest, created_at_s, expires_at_s, user)
    return None
