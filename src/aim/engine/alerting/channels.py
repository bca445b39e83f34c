"""
Channels: where alerts go. They hold addresses and passwords, so they are a file of this user alone, mode 0600, beside
the configuration of other programs, and not in the repository:

    ~/.config/aim/channels.json      $XDG_CONFIG_HOME/aim/channels.json

    {"team": {"kind":"webhook","shape":"slack","url":"https://…","level":"warning","quiet":"22:00-07:00"},
     "ops @ /data/vision": {"kind":"smtp", …, "is_guarded":true}}

A channel takes the alerts of all repositories that this user watches, or, with ` @ ` and an address behind its name, of
that one only. Those that people add on the pages of a server are of one repository, and *guarded*, see `sending.py`.
Whatever is printed of a channel is `masked`.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time as DayTime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aim.core.errors import NotFound, UsageError
from aim.core.levels import INFO, LEVELS
from aim.engine.alerting.private_files import changing, write_private

WEBHOOK, SMTP, DESKTOP, COMMAND = KINDS = ("webhook", "smtp", "desktop", "command")
SHAPES = ("slack", "mattermost", "discord", "teams", "json")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
MASK = "***"
OF_REPO = " @ "
HOSTS = {"slack.com": "slack", "discord.com": "discord", "office.com": "teams", "logic.azure.com": "teams"}
TLS = ("none", "starttls", "implicit")
IMPLICIT_PORT = 465


@dataclass(frozen=True)
class AlertChannel:
    """
    One way to reach people.

    Attributes:
        kind: one of `KINDS`.
        values: of a webhook `url` and `shape`; of SMTP `host`, `port`, `user`, `password`, `sender`, `to`, `tls`; of a
            command `command`, a list of words.
        level: alerts below it do not go here.
        quiet: hours in which only errors go, such as `22:00-07:00`; "": none.
        repo: the address of the one repository of which it takes the alerts; "": of all.
        is_guarded: whether it may not reach the machine of the server itself.
    """

    name: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    level: str = INFO
    quiet: str = ""
    repo: str = ""
    is_guarded: bool = False

    @property
    def key(self) -> str:
        """Its name in the file."""
        return f"{self.name}{OF_REPO}{self.repo}" if self.repo else self.name

    def masked(self) -> dict[str, Any]:
        """
        Return the channel for people, without its secrets.

        >>> AlertChannel("team", "webhook", {"url": "https://hooks.test/T0/secret", "shape": "slack"}).masked()["where"]
        'slack at https://hooks.test/***'
        """
        values = self.values
        if self.kind == WEBHOOK:
            parts = urlsplit(str(values["url"]))
            port = f":{parts.port}" if parts.port else ""
            where = f"{values['shape']} at {parts.scheme}://{parts.hostname}{port}/{MASK}"
        elif self.kind == SMTP:
            login = f"{values.get('user')}:{MASK}@" if values.get("password") else ""
            where = f"{values['to']} by {login}{values['host']}:{values['port']}"
        elif self.kind == COMMAND:
            where = f"{values['command'][0]}{' ' + MASK if len(values['command']) > 1 else ''}"
        else:
            where = "this machine"
        shown_values = {"kind": self.kind, "where": where, "level": self.level, "quiet": self.quiet, "repo": self.repo}
        return {"name": self.name, **shown_values}

    def secrets(self) -> list[str]:
        """Return the texts that no message may contain, the longest first."""
        url = str(self.values.get("url") or "")
        parts = urlsplit(url)
        command = [str(word) for word in self.values.get("command") or ()][1:]
        texts = [url, f"{parts.path}?{parts.query}", parts.path, parts.query, str(self.values.get("password") or "")]
        return sorted({text for text in [*texts, *command] if len(text) > 3}, key=len, reverse=True)

    def is_quiet(self, moment: DayTime) -> bool:
        """
        Return whether it is quiet at a time of the day.

        >>> night = AlertChannel("a", "desktop", quiet="22:00-07:00")
        >>> night.is_quiet(DayTime(23, 0)), night.is_quiet(DayTime(6, 59)), night.is_quiet(DayTime(12, 0))
        (True, True, False)
        """
        match = QUIET.fullmatch(self.quiet)
        if match is None:
            return False
        begin, end = DayTime(int(match[1]), int(match[2])), DayTime(int(match[3]), int(match[4]))
        return begin <= moment < end if begin <= end else moment >= begin or moment < end


def channels_path() -> Path:
    """Return the file of the channels of this user."""
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "aim" / "channels.json"


class AlertChannels:
    """The channels in a file."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or channels_path()

    def all(self) -> list[AlertChannel]:
        """
        List the channels, by name.

        Raises:
            UsageError: other users may read the file, or it is no JSON.
        """
        return [_channel(key, form) for key, form in sorted(self._read().items())]

    def of(self, address: str) -> list[AlertChannel]:
        """List the channels that take the alerts of the repository at *address*, by name. Raises UsageError."""
        return [channel for channel in self.all() if channel.repo in ("", address)]

    def _read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                content = file.read()
        except FileNotFoundError:
            return {}
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(f"Other users may read {self.path}, which holds secrets: chmod 600 {self.path}")
        try:
            form = json.loads(content)
        except ValueError:
            raise UsageError(f"{self.path} is no JSON. Mend it, or remove it and add the channels again.") from None
        return form if isinstance(form, dict) else {}

    def add(self, channel: AlertChannel) -> None:
        """
        Add a channel, or replace the one of its name and repository.

        Raises:
            UsageError: it is wrong, or a channel of that name takes the same alerts already.
        """
        if not NAME.fullmatch(channel.name):
            raise UsageError(f"{channel.name!r} can't name a channel: use letters, digits, '_', '-' and '.'.")
        if channel.level not in LEVELS:
            raise UsageError(f"{channel.level!r} is no level of alerts: they are {', '.join(LEVELS)}.")
        if channel.quiet and not QUIET.fullmatch(channel.quiet):
            raise UsageError(f"{channel.quiet!r} are no quiet hours. Write 22:00-07:00.")
        for other in self.all():
            if other.name == channel.name and other.repo != channel.repo and "" in (other.repo, channel.repo):
                where = f"the repository {other.repo}" if other.repo else "all repositories"
                raise UsageError(f"There is a channel {channel.name!r} of {where} already. Choose another name.")
        form = {**channel.values, "kind": channel.kind, "level": channel.level, "quiet": channel.quiet}
        if channel.is_guarded:
            form["is_guarded"] = True
        with changing(self.path):
            write_private(self.path, {**self._read(), channel.key: form})

    def remove(self, key: str) -> None:
        """Remove a channel by its `AlertChannel.key`. Raises NotFound."""
        with changing(self.path):
            forms = self._read()
            if forms.pop(key, None) is None:
                raise NotFound(f"There is no channel {key!r}. `aim alert channels` lists them.")
            write_private(self.path, forms)


def channel_name(key: str) -> str:
    """
    Return the name in the key of a channel.

    >>> channel_name("ops @ /data/vision")
    'ops'
    """
    return key.partition(OF_REPO)[0]


def _channel(key: str, form: Mapping[str, Any]) -> AlertChannel:
    name, _, repo = key.partition(OF_REPO)
    values = {member: value for member, value in form.items() if member not in ("kind", "level", "quiet", "is_guarded")}
    level, quiet = str(form.get("level", INFO)), str(form.get("quiet", ""))
    return AlertChannel(name, str(form.get("kind")), values, level, quiet, repo, bool(form.get("is_guarded")))


def webhook_values(url: str, shape: str | None = None) -> dict[str, Any]:
    """
    Return the values of a webhook; without a *shape* that which the host of the address takes.

    Raises:
        UsageError: it is no address of a webhook.

    >>> webhook_values("https://hooks.slack.com/services/T0")["shape"], webhook_values("https://chat.test/x")["shape"]
    ('slack', 'json')
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("The address of a webhook begins with https:// or http://, and names a host.")
    if shape is not None and shape not in SHAPES:
        raise UsageError(f"{shape!r} is no shape of a webhook: they are {', '.join(SHAPES)}.")
    by_host = next((name for suffix, name in HOSTS.items() if _is_below(parts.hostname, suffix)), "json")
    return {"url": url, "shape": shape or by_host}


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def mail_values(
    host: str, port: int, to: str, *, sender: str = "", user: str = "", password: str = "", tls: str | None = None
) -> dict[str, Any]:
    """
    Return the values of mail by SMTP.

    Args:
        to: the addresses of who gets the mail, with commas between them.
        sender: the address of who sends it; "": *to*.
        tls: `none`, `starttls` or `implicit`; None: as the port has it.

    Raises:
        UsageError: something is missing.

    >>> mail_values("mail.test", 465, "ada@mail.test")["tls"]
    'implicit'
    """
    if not host or not 0 < port < 1 << 16:
        raise UsageError("Mail needs a server and its port, such as mail.example.org:587.")
    if "@" not in to or any(character in to + sender for character in "\r\n"):
        raise UsageError("Mail needs --to, the address of who gets it, such as ada@example.org.")
    if tls is not None and tls not in TLS:
        raise UsageError(f"{tls!r} is no kind of TLS: they are {', '.join(TLS)}.")
    login = {"user": user, "password": password} if user else {}
    by_port = "implicit" if port == IMPLICIT_PORT else "starttls"
    return {"host": host, "port": port, "tls": tls or by_port, "to": to, "sender": sender or to, **login}
