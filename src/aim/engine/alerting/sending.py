"""
One message by one channel: an HTTP request, a mail, a notice on the desktop, or the input of a command.

The shapes of webhooks are those that the programs ask for: Slack and Mattermost take `text`, Discord `content`, Teams
an adaptive card; `json` is the message itself.
"""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from aim.__about__ import VERSION
from aim.core.errors import AimError
from aim.core.levels import INFO
from aim.engine.alerting.channels import COMMAND, DESKTOP, MASK, SMTP, AlertChannel
from aim.engine.alerting.peers import check_peer, guarded_handlers

TIMEOUT_S = 20.0
FAILURES = (
    OSError,
    ValueError,
    KeyError,
    http.client.HTTPException,
    smtplib.SMTPException,
    subprocess.SubprocessError,
)
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
        id: the same when it is sent again; "": it is not.
    """

    title: str
    lines: Sequence[str]
    level: str
    id: str = ""

    @property
    def text(self) -> str:
        """The title and the lines."""
        return "\n".join([self.title, *self.lines])

    def as_json(self) -> dict[str, Any]:
        """Return the message for programs."""
        said = {"title": self.title, "lines": list(self.lines), "level": self.level}
        return {**said, "id": self.id, "source": f"Aim {VERSION}"}


def webhook_body(message: AlertMessage, shape: str) -> dict[str, Any]:
    """
    Return what a program with webhooks takes.

    >>> webhook_body(AlertMessage("Aim: 1 alert", ["run a: NaN"], "error"), "slack")
    {'text': '*Aim: 1 alert*\\nrun a: NaN'}
    """
    if shape == "slack":  # which reads < > & as links and mentions
        return {"text": f"*{_escaped(message.title)}*\n{_escaped(chr(10).join(message.lines))}"}
    if shape == "mattermost":
        return {"text": f"**{message.title}**\n{chr(10).join(message.lines)}"}
    if shape == "discord":
        text = f"**{message.title}**\n{chr(10).join(message.lines)}"
        return {"content": text[:DISCORD_CHARS], "allowed_mentions": {"parse": []}}
    if shape == "teams":
        blocks = [{"type": "TextBlock", "text": message.title, "weight": "Bolder", "wrap": True}]
        blocks += [{"type": "TextBlock", "text": line, "wrap": True} for line in message.lines]
        card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard"}
        content = {**card, "version": "1.4", "body": blocks}
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}
    return message.as_json()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


TEST = AlertMessage("Aim: a test", ["This channel works."], INFO)


def tried(channel: AlertChannel) -> str | None:
    """Send a test message, and return why it could not be delivered; None: it was."""
    try:
        send(channel, TEST)
    except NotDelivered as failure:
        return str(failure)
    return None


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
    except FAILURES as error:
        text = _reason(error)
        for secret in channel.secrets():
            text = text.replace(secret, MASK)
        raise NotDelivered(text[:300]) from None


def _reason(error: BaseException) -> str:
    """
    Return why something was not delivered, for people.

    >>> _reason(urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")))
    'Connection refused'
    """
    match error:
        case urllib.error.HTTPError():
            return f"The receiver answered {error.code} {error.reason}."
        case urllib.error.URLError(reason=BaseException() as inner):
            return _reason(inner)
        case TimeoutError():
            return f"The receiver did not answer within {TIMEOUT_S:.0f} s."
        case smtplib.SMTPResponseException():
            answer = error.smtp_error
            text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
            return f"The mail server answered {error.smtp_code} {text}"
        case subprocess.CalledProcessError():
            return _exit_text(error)
        case FileNotFoundError():
            return f"There is no program {error.filename!r} on this machine."
        case OSError(strerror=str(text)):
            return text
    return f"{type(error).__name__}: {error}"


def _exit_text(error: subprocess.CalledProcessError) -> str:
    lines = (error.stderr or b"").decode("utf-8", "replace").strip()[-200:]
    return f"The command ended with exit code {error.returncode}.{' ' + lines if lines else ''}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the message elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(channel: AlertChannel, message: AlertMessage) -> None:
    body = json.dumps(webhook_body(message, str(channel.values["shape"]))).encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"Aim/{VERSION}"}
    if message.id:
        headers["Idempotency-Key"] = message.id
    request = urllib.request.Request(str(channel.values["url"]), body, headers, method="POST")
    if request.type not in ("http", "https"):
        raise ValueError("the address of a webhook begins with https:// or http://")
    handlers = [_NoRedirect, *(guarded_handlers() if channel.is_guarded else ())]
    with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_S) as answer:
        answer.read(1_000)


def _mail(channel: AlertChannel, message: AlertMessage) -> None:
    values = channel.values
    mail = EmailMessage()
    mail["Subject"] = message.title.replace("\n", " ")[:200]
    mail["From"], mail["To"] = str(values["sender"]), str(values["to"])
    mail["Date"] = format_datetime(datetime.now(timezone.utc))
    if message.id:
        mail["Message-ID"] = f"<{message.id}@{mail['From'].rpartition('@')[2].strip('<> ') or 'aim'}>"
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
        if channel.is_guarded:
            check_peer(server.sock)
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
        words = ["notify-send", "--app-name=Aim", "--", message.title, text]
    subprocess.run(words, check=True, capture_output=True, timeout=TIMEOUT_S)


def _run(words: Sequence[str], message: AlertMessage) -> None:
    form = json.dumps(message.as_json(), ensure_ascii=False) + "\n"
    subprocess.run(list(words), input=form.encode(), check=True, capture_output=True, timeout=TIMEOUT_S)
