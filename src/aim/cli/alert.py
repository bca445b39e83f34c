"""
`aim alert`: rules, channels, deliveries, and the test of a channel.
"""

from __future__ import annotations

import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import REPOSITORY_ADDRESS, AimGroup, repo_option
from aim.cli.runs import open_repository
from aim.core.errors import NotFound, UsageError
from aim.core.levels import INFO, LEVELS, WARNING
from aim.core.words import counted
from aim.engine.alerting.channels import (
    COMMAND,
    DESKTOP,
    SHAPES,
    SMTP,
    TLS,
    WEBHOOK,
    AlertChannel,
    AlertChannels,
    channel_name,
    mail_values,
    webhook_values,
)
from aim.engine.alerting.rules import AlertRules, duration_s
from aim.engine.alerting.sending import tried
from aim.engine.alerting.state import DELIVERED, FAILED, WAITING, StateFile, state_path, watched_address

RULE_COLUMNS = ("id", "level", "query", "for_s", "title")
CHANNEL_COLUMNS = ("name", "kind", "where", "level", "quiet", "repo")
DELIVERY_COLUMNS = ("at", "channel", "state", "attempts", "next_at", "title", "lines", "error")


@click.group(cls=AimGroup, short_help="Rules and channels of alerts.")
@repo_option
def alert(repo: Path | None) -> None:
    """Say what should ring, and where. `aim watch`, `aim up` and `aim server` deliver."""


@alert.command("add", short_help="Add a rule.")
@repo_option
@click.argument("query")
@click.option("--for", "for_text", default="0s", show_default=True, help="Only if it matches for so long: 30s, 5m, 2h.")
@click.option("--level", type=click.Choice(LEVELS), default=WARNING, show_default=True)
@click.option("--title", default="", help="What the message says.  [default: the query]")
@json_option
def add(repo: Path | None, query: str, for_text: str, level: str, title: str, as_json: bool) -> None:
    """
    Add a rule: it fires for each run that matches QUERY, once, for as long as the run matches.

    Example: a loss that is above 10 for five minutes

        aim alert add 'metric.name == "loss" and metric.last > 10' --for 5m --level error
    """
    rule = AlertRules(open_repository(repo).documents).add(query, for_s=duration_s(for_text), level=level, title=title)
    output.result({"id": rule.id, **rule.as_json()}, f"The rule {rule.id} is added.", as_json=as_json)


@alert.command("ls", short_help="List the rules.")
@repo_option
@format_option
def ls(repo: Path | None, form: str | None) -> None:
    """List the rules of the repository."""
    rules = AlertRules(open_repository(repo).documents).all()
    output.rows([{"id": rule.id, **rule.as_json()} for rule in rules], RULE_COLUMNS, form=form)
    output.tell(f"Total {counted(len(rules), 'rule')}.")


@alert.command("rm", short_help="Remove a rule.")
@repo_option
@click.argument("rule_id")
@json_option
def rm(repo: Path | None, rule_id: str, as_json: bool) -> None:
    """Remove a rule by its id."""
    AlertRules(open_repository(repo).documents).remove(rule_id)
    output.result({"id": rule_id, "outcome": "removed"}, f"The rule {rule_id} is removed.", as_json=as_json)


@alert.command("log", short_help="Show what was delivered, and what waits.")
@repo_option
@format_option
def log(repo: Path | None, form: str | None) -> None:
    """Show the messages that wait, were delivered, or could not be, the latest last."""
    address = watched_address(open_repository(repo).address)
    deliveries = StateFile(state_path(address)).read().deliveries()
    records = [
        {
            "at": _time(delivery.at_s),
            "channel": channel_name(delivery.channel),
            "state": delivery.state,
            "attempts": delivery.attempts,
            "next_at": _time(delivery.next_at_s) if delivery.state == WAITING and delivery.next_at_s else None,
            "title": delivery.title,
            "lines": delivery.lines,
            "error": delivery.error or None,
        }
        for delivery in deliveries
    ]
    output.rows(records, DELIVERY_COLUMNS, form=form)
    output.tell(f"Total {counted(len(records), 'message')}.")


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, timezone.utc).isoformat(timespec="seconds")


@alert.command("test", short_help="Send a test message.")
@click.argument("names", nargs=-1)
@format_option
def test(names: tuple[str, ...], form: str | None) -> None:
    """Send a test message by the channels NAMES, or by all. Exit code 1: one could not be delivered."""
    channels = {channel.key: channel for channel in AlertChannels().all()}
    unknown = [name for name in names if name not in channels]
    if unknown:
        raise NotFound(f"There is no channel {unknown[0]!r}. `aim alert channels` lists them.")
    records = []
    for name in names or channels:
        error = tried(channels[name])
        records.append({"channel": name, "state": FAILED if error else DELIVERED, "error": error})
    output.rows(records, ("channel", "state", "error"), form=form)
    if any(record["error"] for record in records):
        raise click.exceptions.Exit(1)


@alert.command("channels", short_help="List the channels.")
@format_option
def list_channels(form: str | None) -> None:
    """List the channels of this user; their secrets are not printed."""
    channels = AlertChannels().all()
    output.rows([channel.masked() for channel in channels], CHANNEL_COLUMNS, form=form)
    output.tell(f"Total {counted(len(channels), 'channel')}.")


@alert.group(cls=AimGroup, short_help="Add and remove channels.")
def channel() -> None:
    """Add and remove the channels of this user. Their file has mode 0600, for it holds secrets."""


ONLY = click.option(
    "--only",
    type=REPOSITORY_ADDRESS,
    default=None,
    help="The channel takes the alerts of this repository only.  [default: of all that you watch]",
)


@channel.command("rm", short_help="Remove a channel.")
@click.argument("name")
@ONLY
@json_option
def remove_channel(name: str, only: Path | None, as_json: bool) -> None:
    """Remove a channel."""
    AlertChannels().remove(AlertChannel(name, "", repo=_only_address(only)).key)
    output.result({"name": name, "outcome": "removed"}, f"The channel {name} is removed.", as_json=as_json)


@channel.command("add", short_help="Add a channel, or replace it.")
@click.argument("name")
@click.option("--webhook", metavar="URL", help="Post to this address; - reads it from standard input.")
@click.option("--shape", type=click.Choice(SHAPES), default=None, help="What is posted.  [default: by the address]")
@click.option("--smtp", metavar="HOST:PORT", help="Send a mail by this server.")
@click.option("--to", help="With --smtp: who gets the mail.")
@click.option("--from", "sender", help="With --smtp: who sends it.  [default: --to]")
@click.option("--user", help="With --smtp: the login. The password is read from standard input.")
@click.option(
    "--tls", type=click.Choice(TLS), default=None, help="With --smtp.  [default: starttls; port 465: implicit]"
)
@click.option("--desktop", is_flag=True, help="Show a notice on the desktop of this machine.")
@click.option("--command", metavar="WORDS", help="Run this; the alert is JSON on its standard input.")
@click.option("--level", type=click.Choice(LEVELS), default=INFO, show_default=True, help="Nothing below it goes here.")
@click.option("--quiet", default="", metavar="22:00-07:00", help="Hours in which only errors go; others wait.")
@ONLY
@json_option
def add_channel(name: str, level: str, quiet: str, only: Path | None, as_json: bool, **values: Any) -> None:
    """
    Add a channel NAME: a webhook of Slack, Mattermost, Discord or Teams, mail, the desktop, or a command.

    Example: a channel of Slack that is quiet at night

        aim alert channel add team --webhook https://hooks.slack.com/services/... --quiet 22:00-07:00
    """
    kinds = [kind for kind in (WEBHOOK, SMTP, DESKTOP, COMMAND) if values[kind]]
    if len(kinds) != 1:
        raise click.UsageError("Give one of --webhook, --smtp, --desktop and --command.")
    form = {WEBHOOK: _webhook, SMTP: _smtp, DESKTOP: lambda _: {}, COMMAND: _command}[kinds[0]](values)
    added = AlertChannel(name, kinds[0], form, level, quiet, _only_address(only))
    AlertChannels().add(added)
    masked = added.masked()
    text = f"The channel {name} goes to {masked['where']}. `aim alert test {shlex.quote(added.key)}` tries it."
    output.result(masked, text, as_json=as_json)


def _only_address(only: Path | None) -> str:
    return "" if only is None else watched_address(open_repository(only).address)


def _webhook(values: dict[str, Any]) -> dict[str, Any]:
    url = sys.stdin.readline().strip() if values["webhook"] == "-" else str(values["webhook"])
    return webhook_values(url, values["shape"])


def _smtp(values: dict[str, Any]) -> dict[str, Any]:
    host, _, port = str(values["smtp"]).rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError("--smtp is HOST:PORT, such as mail.example.org:587.")
    password = sys.stdin.readline().rstrip("\n") if values["user"] else ""
    people = {"sender": values["sender"] or "", "user": values["user"] or "", "password": password}
    return mail_values(host, int(port), values["to"] or "", **people, tls=values["tls"])


def _command(values: dict[str, Any]) -> dict[str, Any]:
    return {"command": shlex.split(values["command"])}
