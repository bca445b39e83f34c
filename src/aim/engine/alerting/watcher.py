"""
A look at a repository: which alerts are new, and what is delivered now.

    rules       runs that match the query of a rule for as long as it says
    recorded    what trainings said by `run.alert(...)`
    found       NaN, divergence, silence, failures, lost runs and losses (engine/alerts.py), of a folder

Alerts of one look are one message for each channel. A message that can't be delivered waits and is tried again, after
30 s first, then after twice as long each time, an hour at most, for a day; it is written before it is tried, so a
restart loses nothing. A run that stops matching and matches again fires again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from aim.core.errors import AimError
from aim.core.levels import ERROR, LEVELS, level_rank
from aim.core.words import counted
from aim.engine.alerting.channels import AlertChannel, AlertChannels
from aim.engine.alerting.rules import AlertRule, AlertRules
from aim.engine.alerting.sending import AlertMessage, NotDelivered, send
from aim.engine.alerting.state import (
    DELIVERED,
    FAILED,
    WAITING,
    Delivery,
    StateFile,
    WatchState,
    state_path,
    watched_address,
)
from aim.engine.door import Door

EVERY_S = 15.0
PAUSE_S, PAUSE_S_MAX, GIVE_UP_S = 30.0, 3600.0, 86_400.0
LINES_MAX, RUNS_MAX = 12, 500
ALERTS_FIELD = "alerts"


@dataclass(frozen=True)
class NewAlert:
    """An alert of a look; *id* stays while its cause is the same."""

    id: str
    level: str
    line: str
    at_s: float


class AlertWatcher:
    """
    Watches one repository.

    Args:
        found_alerts: returns what `engine.alerts` finds; None: nothing.
        now: returns Unix seconds.
    """

    def __init__(
        self,
        door: Door,
        channels: AlertChannels | None = None,
        *,
        found_alerts: Callable[[], Iterable[NewAlert]] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._door = door
        self._channels = channels or AlertChannels()
        self._found_alerts = found_alerts
        self._now = now
        self._address = watched_address(door.address)
        self.file = StateFile(state_path(self._address))

    def look(self) -> int:
        """
        Look once, deliver what is due, and return how many messages were delivered.

        Raises:
            UsageError: the file of the channels can't be used.
        """
        if not self.file.lock():
            return 0
        channels = self._channels.of(self._address)
        now_s = self._now()
        state = self.file.read()
        state.looked_at_s = now_s
        if not state.begun_at_s:
            state.begun_at_s = now_s
        fresh = [alert for alert in self._alerts(state, now_s) if alert.id not in state.seen]
        state.seen.update({alert.id: now_s for alert in fresh})
        for channel in channels:
            _enqueue(state, channel, [alert for alert in fresh if _goes(channel, alert)], now_s)
        self.file.write(state)
        return _deliver(state, {channel.key: channel for channel in channels}, now_s, lambda: self.file.write(state))

    def _alerts(self, state: WatchState, now_s: float) -> list[NewAlert]:
        alerts = self._of_rules(state, now_s)
        others = [*self._recorded(), *(self._found_alerts() if self._found_alerts is not None else ())]
        return alerts + [alert for alert in others if alert.at_s >= state.begun_at_s]

    def _of_rules(self, state: WatchState, now_s: float) -> list[NewAlert]:
        alerts: list[NewAlert] = []
        since: dict[str, float] = {}
        for rule in AlertRules(self._door.documents).all():
            for run_hash, name in self._matches(rule):
                key = f"{rule.id} {run_hash}"
                since[key] = state.since.get(key, now_s)
                if now_s - since[key] >= rule.for_s:
                    title = rule.title or rule.query
                    line = f"[{rule.level}] {title}: {name} ({run_hash[:8]})"
                    alerts.append(NewAlert(f"rule {key} {since[key]:.3f}", rule.level, line, now_s))
        state.since = since
        return alerts

    def _matches(self, rule: AlertRule) -> list[tuple[str, str]]:
        columns = ["hash", "name", "end_time"]
        try:
            rows = self._door.questions().table(columns, rule.query, limit=RUNS_MAX).rows
        except AimError:  # a column that no run has yet, or a query that this version does not take
            return []
        relevant = [row for row in rows if row["end_time"] is None or row["end_time"] >= rule.created_at_s]
        return [(row["hash"], str(row["name"])) for row in relevant]

    def _recorded(self) -> list[NewAlert]:
        rows = self._door.questions().table(["hash", "name", ALERTS_FIELD], "len(run.alerts) > 0", limit=RUNS_MAX).rows
        alerts = []
        for row in rows:
            for alert in row[ALERTS_FIELD] or ():
                text = f": {alert['text']}" if alert.get("text") else ""
                line = f"[{alert['level']}] {alert['title']}{text[:300]}: {row['name']} ({row['hash'][:8]})"
                alerts.append(NewAlert(f"run {row['hash']} {alert['at']}", alert["level"], line, float(alert["at"])))
        return alerts


def _goes(channel: AlertChannel, alert: NewAlert) -> bool:
    return channel.level in LEVELS and level_rank(alert.level) >= level_rank(channel.level)


def _enqueue(state: WatchState, channel: AlertChannel, alerts: list[NewAlert], now_s: float) -> None:
    """Put alerts into a message that waits; in quiet hours into the one that waits for their end."""
    held = [each for each in state.waiting if each.channel == channel.key and not each.attempts]
    if alerts and held:
        held[0].lines += [alert.line for alert in alerts]
        held[0].level = max(held[0].level, *(alert.level for alert in alerts), key=level_rank)
        held[0].title = _title(len(held[0].lines))
    elif alerts:
        level = max((alert.level for alert in alerts), key=level_rank)
        lines = [alert.line for alert in alerts]
        state.waiting.append(Delivery(channel.key, _title(len(lines)), lines, level, now_s))


def _title(count: int) -> str:
    return f"Aim: {counted(count, 'alert')}"


def _deliver(state: WatchState, channels: dict[str, AlertChannel], now_s: float, save: Callable[[], None]) -> int:
    """
    Try what is due, and return how many messages were delivered.

    Each try is saved before the next one. Who is killed in the instant after a receiver took a message and before that
    is saved sends it again, with the same id: a lost alert would be worse.
    """
    count = 0
    moment = datetime.fromtimestamp(now_s).time()
    for delivery in list(state.waiting):
        channel = channels.get(delivery.channel)
        is_quiet = channel is not None and channel.is_quiet(moment) and delivery.level != ERROR
        if channel is not None and (is_quiet or delivery.next_at_s > now_s):
            continue
        _try(delivery, channel, now_s)
        count += delivery.state == DELIVERED
        if delivery.state != WAITING:
            state.waiting.remove(delivery)
            state.log.append(delivery)
        save()
    return count


def _try(delivery: Delivery, channel: AlertChannel | None, now_s: float) -> None:
    delivery.attempts += 1
    try:
        if channel is None:
            raise NotDelivered("The channel was removed.")
        send(channel, AlertMessage(delivery.title, _shortened(delivery.lines), delivery.level, delivery.id))
        delivery.state, delivery.error = DELIVERED, ""
    except NotDelivered as error:
        delivery.error = str(error)
        delivery.next_at_s = now_s + min(PAUSE_S_MAX, PAUSE_S * 2 ** (delivery.attempts - 1))
        if channel is None or now_s - delivery.at_s > GIVE_UP_S:
            delivery.state = FAILED


def _shortened(lines: list[str]) -> list[str]:
    rest_count = len(lines) - LINES_MAX
    return [*lines[:LINES_MAX], *([f"... and {rest_count} more"] if rest_count > 0 else [])]
