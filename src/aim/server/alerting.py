"""
Alerts that reach people: the rules of a repository, the channels by which its alerts go, what was delivered and what
waits. Specified in docs/formats/wire.md, section 13.

Rules are documents of the repository. Channels belong to the user who runs the server; those that are added here take
the alerts of one repository, unless an administrator says otherwise, and may not reach the server's own machine, unless
an administrator adds them. A command can't be added here at all: whoever steals a token would run programs.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import UsageError
from aim.core.levels import INFO, LEVELS, WARNING
from aim.engine.alerting.channels import (
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
from aim.engine.alerting.rules import AlertRule, AlertRules
from aim.engine.alerting.sending import tried
from aim.engine.alerting.state import DELIVERED, FAILED, WAITING, Delivery, StateFile, state_path, watched_address
from aim.server.answers import Refusal, json_answer, missing, wrong
from aim.server.bodies import Body, read_body
from aim.server.open_repository import OpenRepository
from aim.server.roles import ADMIN, Principal
from aim.server.server_state import check_right, check_writable, in_long_thread, in_thread, principal_of, repo_of

FOR_S_MAX = 366 * 86_400.0


def _address(repo: OpenRepository) -> str:
    return watched_address(repo.repository.address)


async def alerting(request: Request) -> Response:
    """Answer `GET …/alerting`."""
    principal = principal_of(request)
    return json_answer(await in_thread(request, _alerting, repo_of(request), principal))


def _alerting(repo: OpenRepository, principal: Principal) -> dict[str, Any]:
    address = _address(repo)
    channels: list[AlertChannel] = []
    problem = None
    try:
        channels = AlertChannels().of(address)
    except UsageError as error:
        problem = str(error)
    state = StateFile(state_path(address)).read()
    by_key = {channel.key: channel for channel in channels}
    return {
        "rules": [_wire_rule(rule) for rule in AlertRules(repo.documents).all()],
        "channels": [_wire_channel(channel, principal) for channel in channels],
        "problem": problem,
        "deliveries": [_wire_delivery(delivery, by_key) for delivery in state.deliveries()[::-1]],
        "looked_at": state.looked_at_s or None,
    }


def _wire_rule(rule: AlertRule) -> dict[str, Any]:
    return {"id": rule.id, **rule.as_json()}


def _wire_channel(channel: AlertChannel, principal: Principal) -> dict[str, Any]:
    masked = channel.masked()
    is_for_all = not masked.pop("repo")
    return {
        **masked,
        "for_all": is_for_all,
        "is_quiet": _is_quiet(channel),
        "may_change": not is_for_all or principal.may(ADMIN),
    }


def _is_quiet(channel: AlertChannel) -> bool:
    return channel.is_quiet(datetime.fromtimestamp(time.time()).time())


def _wire_delivery(delivery: Delivery, by_key: dict[str, AlertChannel]) -> dict[str, Any]:
    channel = by_key.get(delivery.channel)
    is_held = delivery.state == WAITING and delivery.attempts == 0 and channel is not None and _is_quiet(channel)
    return {
        "at": delivery.at_s,
        "channel": channel_name(delivery.channel),
        "state": delivery.state,
        "level": delivery.level,
        "title": delivery.title,
        "lines": delivery.lines,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at_s or None if delivery.state == WAITING else None,
        "is_held": is_held,
        "error": delivery.error or None,
    }


async def add_rule(request: Request) -> Response:
    """Answer `POST …/alerting/rules`."""
    check_writable(request)
    body = await read_body(request)
    query, title, level = body.text("query"), body.text("title", chars_max=200), body.choice("level", LEVELS, WARNING)
    for_s = body.number("for_s")
    if not 0 <= for_s <= FOR_S_MAX:
        raise wrong(f"`for_s` must be 0 to {FOR_S_MAX:.0f} seconds, got {for_s:g}.")

    def add(repo: OpenRepository) -> AlertRule:
        return AlertRules(repo.documents).add(query, for_s=for_s, level=level, title=title)

    return json_answer(_wire_rule(await in_thread(request, add, repo_of(request))))


async def remove_rule(request: Request) -> Response:
    """Answer `DELETE …/alerting/rules/<id>`."""
    check_writable(request)
    rules = AlertRules(repo_of(request).documents)
    await in_thread(request, rules.remove, request.path_params["id"])
    return json_answer({})


async def put_channel(request: Request) -> Response:
    """Answer `PUT …/alerting/channels/<name>`."""
    check_writable(request)
    body = await read_body(request)
    name, principal = request.path_params["name"], principal_of(request)
    address = _address(repo_of(request))
    old = await in_thread(request, _channel, address, name)
    level, quiet = body.choice("level", LEVELS, INFO), body.text("quiet", chars_max=20)
    if "kind" in body:
        is_for_all = body.flag("for_all")
        values = _read_values(body, principal)
        kind, is_guarded = body.text("kind"), not principal.may(ADMIN)
        channel = AlertChannel(name, kind, values, level, quiet, "" if is_for_all else address, is_guarded)
    elif old is None:
        raise missing(f"There is no channel {name[:40]!r}.")
    else:  # what it leads to stays, with its secrets
        channel = AlertChannel(name, old.kind, old.values, level, quiet, old.repo, old.is_guarded)
    if not channel.repo or (old is not None and not old.repo):
        check_right(request, ADMIN)
    await in_thread(request, AlertChannels().add, channel)
    return json_answer(_wire_channel(channel, principal))


def _read_values(body: Body, principal: Principal) -> dict[str, Any]:
    kind = body.choice("kind", (WEBHOOK, SMTP, DESKTOP))
    if kind == WEBHOOK:
        shape = None if body.raw("shape") is None else body.choice("shape", SHAPES)
        return webhook_values(body.text("url"), shape)
    if kind == SMTP:
        tls = None if body.raw("tls") is None else body.choice("tls", TLS)
        login = {member: body.text(member) for member in ("sender", "user", "password")}
        return mail_values(body.text("host"), body.whole("port", 587, 1, 65_535), body.text("to"), tls=tls, **login)
    if not principal.may(ADMIN):
        raise Refusal(403, "role", "The desktop of the server's machine is for administrators.", needed=ADMIN)
    return {}


def _channel(address: str, name: str) -> AlertChannel | None:
    return next((channel for channel in AlertChannels().of(address) if channel.name == name), None)


async def remove_channel(request: Request) -> Response:
    """Answer `DELETE …/alerting/channels/<name>`."""
    check_writable(request)
    channel = await _channel_of(request)
    if not channel.repo:
        check_right(request, ADMIN)
    await in_thread(request, AlertChannels().remove, channel.key)
    return json_answer({})


async def test_channel(request: Request) -> Response:
    """Answer `POST …/alerting/channels/<name>/test`."""
    await read_body(request)  # a form of another page can't send JSON
    channel = await _channel_of(request)
    error = await in_long_thread(request, tried, channel)
    return json_answer({"state": FAILED if error else DELIVERED, "error": error})


async def _channel_of(request: Request) -> AlertChannel:
    name = request.path_params["name"]
    channel = await in_thread(request, _channel, _address(repo_of(request)), name)
    if channel is None:
        raise missing(f"There is no channel {name[:40]!r}.")
    return channel
