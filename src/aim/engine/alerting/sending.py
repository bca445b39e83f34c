"""
One message by one channel: an HTTP request, a mail, a notice on the desktop, or the input of a command.

The shapes of webhooks are those that the programs ask for: Slack and Mattermost take `text`, Discord `content`, Teams
an adaptive card; `json` is the message itself.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aim.__about__ import VERSION
from aim.core.errors import AimError
from aim.engine.alerting.channels import COMMAND, DESKTOP, MASK, SMTP, AlertChannel

TIMEOUT_S = 20.0
DISCORD_CHARS, DESKTOP_CHARS = 1_900, 240


class NotDelivered(AimError):
    """A message could not be delivered; the text has no secrets of the channel."""


@dataclass(frozen=True)
class AlertMessage:
    """
    What is delivered.

    Attributes:
        title: one line.
        lines: one for each alert.
        level: the highest of them.
    """

    title: str
    lines: Sequence[str]
    level: str

    @property
    def text(self) -> str:
        """The title and the lines."""
        return "\n".join([self.title, *self.lines])

    def as_json(self) -> dict[str, Any]:
        """Return the message for programs."""
        return {"title": self.title, "lines": list(self.lines), "level": self.level, "source": f"Aim {VERSION}"}


def webhook_body(message: AlertMessage, shape: str) -> dict[str, Any]:
    """
    Return what a program with webhooks takes.

    >>> webhook_body(AlertMessage("Aim: 1 alert", ["run a: NaN"], "error"), "slack")
    {'text': '*Aim: 1 alert*\\nrun a: NaN'}
    """
    if shape in ("slack", "mattermost"):
        marks = "*" if shape == "slack" else "**"
        return {"text": "\n".join([f"{marks}{message.title}{marks}", *message.lines])}
    if shape == "discord":
        return {"content": f"**{message.title}**\n{chr(10).join(message.lines)}"[:DISCORD_CHARS]}
    if shape == "teams":
        blocks = [{"type": "TextBlock", "text": message.title, "weight": "Bolder", "wrap": True}]
        blocks += [{"type": "TextBlock", "text": line, "wrap": True} for line in message.lines]
        card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard"}
        content = {**card, "version": "1.4", "body": blocks}
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}
    return message.as_json()


def send(channel: AlertChannel, message: AlertMessage) -> None:
    """
    Deliver a message.

    Raises:
        NotDelivered: it could not be delivered, and why.
    """
    try:
        if channel.kind == SMTP:
            _mail(channel, message)
        elif channel.kind == DESKTOP:
            _notice(message)
        elif channel.kind == COMMAND:
            _run(channel.values["command"], message)
        else:
            _post(channel, message)
    except (OSError, ValueError, KeyError, smtplib.SMTPException, subprocess.SubprocessError) as error:
        text = f"{type(error).__name__}: {error}"
        for secret in channel.secrets():
            text = text.replace(secret, MASK)
        raise NotDelivered(text[:300]) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the message elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(channel: AlertChannel, message: AlertMessage) -> None:
    body = json.dumps(webhook_body(message, str(channel.values["shape"]))).encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"Aim/{VERSION}"}
    request = urllib.request.Request(str(channel.values["url"]), body, headers, method="POST")
    if request.type not in ("http", "https"):
        raise ValueError("the address of a webhook begins with https:// or http://")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
        answer.read(1_000)


def _mail(channel: AlertChannel, message: AlertMessage) -> None:
    values = channel.values
    mail = EmailMessage()
    mail["Subject"] = message.title.replace("\n", " ")[:200]
    mail["From"], mail["To"] = str(values["sender"]), str(values["to"])
    mail.set_content("\n".join(message.lines) or message.title)
    is_tls = values.get("tls") == "implicit"
    host, port = str(values["host"]), int(values["port"])
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        if is_tls
        else smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    )
    with server:
        if values.get("tls") == "starttls":
            server.starttls(context=context)
        if values.get("password"):
            server.login(str(values.get("user")), str(values["password"]))
        server.send_message(mail)


def _notice(message: AlertMessage) -> None:
    text = "\n".join(message.lines)[:DESKTOP_CHARS]
    if sys.platform == "darwin":
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        words = ["osascript", "-e", script, message.title, text]
    else:
        words = ["notify-send", "--app-name=Aim", message.title, text]
    subprocess.run(words, check=True, capture_output=True, timeout=TIMEOUT_S)


def _run(words: Sequence[str], message: AlertMessage) -> None:
    form = json.dumps(message.as_json(), ensure_ascii=False) + "\n"
    subprocess.run(list(words), input=form.encode(), check=True, capture_output=True, timeout=TIMEOUT_S)
