"""
Channels: where alerts go. They hold addresses and passwords, so they are a file of this user alone, mode 0600, beside
the configuration of other programs, and not in the repository:

    ~/.config/aim/channels.json      $XDG_CONFIG_HOME/aim/channels.json

    {"team": {"kind":"webhook","shape":"slack","url":"https://…","level":"warning","quiet":"22:00-07:00"}}

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

WEBHOOK, SMTP, DESKTOP, COMMAND = KINDS = ("webhook", "smtp", "desktop", "command")
SHAPES = ("slack", "mattermost", "discord", "teams", "json")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
MASK = "***"


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
    """

    name: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    level: str = INFO
    quiet: str = ""

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
        return {"name": self.name, "kind": self.kind, "where": where, "level": self.level, "quiet": self.quiet}

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
        return [_channel(name, form) for name, form in sorted(self._read().items())]

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
        """Add a channel, or replace the one of its name. Raises UsageError when it is wrong."""
        if not NAME.fullmatch(channel.name):
            raise UsageError(f"{channel.name!r} can't name a channel: use letters, digits, '_', '-' and '.'.")
        if channel.level not in LEVELS:
            raise UsageError(f"{channel.level!r} is no level of alerts: they are {', '.join(LEVELS)}.")
        if channel.quiet and not QUIET.fullmatch(channel.quiet):
            raise UsageError(f"{channel.quiet!r} are no quiet hours. Write 22:00-07:00.")
        form = {**channel.values, "kind": channel.kind, "level": channel.level, "quiet": channel.quiet}
        self._write({**self._read(), channel.name: form})

    def remove(self, name: str) -> None:
        """Remove a channel. Raises NotFound."""
        forms = self._read()
        if forms.pop(name, None) is None:
            raise NotFound(f"There is no channel {name!r}. `aim alert channels` lists them.")
        self._write(forms)

    def _write(self, forms: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(forms, file, indent=1)
        os.replace(scratch, self.path)


def _channel(name: str, form: Mapping[str, Any]) -> AlertChannel:
    values = {key: value for key, value in form.items() if key not in ("kind", "level", "quiet")}
    return AlertChannel(name, str(form.get("kind")), values, str(form.get("level", INFO)), str(form.get("quiet", "")))
