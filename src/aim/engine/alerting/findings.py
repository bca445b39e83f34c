"""
What `engine.alerts` finds in a folder, as alerts for people: one line each.
"""

from __future__ import annotations

from collections.abc import Callable

from aim.core.levels import ERROR, WARNING
from aim.engine.alerting.watcher import NewAlert
from aim.engine.alerts import DIVERGED, FAILED_KIND, LOSSES, LOST_KIND, NAN, STALLED, Alert, Alerts
from aim.engine.metric_choice import metric_label
from aim.engine.points import PointStore
from aim.engine.repository import Repository
from aim.engine.tail import Watch

LEVEL_OF = {FAILED_KIND: ERROR, NAN: ERROR, DIVERGED: WARNING, STALLED: WARNING, LOST_KIND: ERROR, LOSSES: ERROR}
TEXT_OF = {
    FAILED_KIND: "failed",
    LOST_KIND: "was lost: its process ended without closing it",
    STALLED: "stands still",
    NAN: "computes no numbers any more",
    DIVERGED: "diverges",
    LOSSES: "lost records",
}


def finder(repository: Repository) -> Callable[[], list[NewAlert]]:
    """Return a function that lists what is wrong in a folder now."""
    catalogue = repository.questions().catalogue
    alerts = Alerts(PointStore(repository, Watch(catalogue)))
    return lambda: [new_alert(alert) for alert in catalogue.ask(alerts.ask)]


def new_alert(alert: Alert) -> NewAlert:
    """
    Return one finding as an alert.

    >>> new_alert(Alert("id", "3df703c1", "lr-1", "nan", 5.0, metric=("loss", {"subset": "val"}), step=90)).line
    '[error] lr-1 (3df703c1) computes no numbers any more: loss[subset=val] from step 90'
    """
    level = LEVEL_OF[alert.kind]
    metric = f": {metric_label(*alert.metric)}" if alert.metric is not None else ""
    since = f" from step {alert.step}" if alert.step is not None else ""
    error = f": {alert.error}" if alert.error else ""
    line = f"[{level}] {alert.run_name} ({alert.run_hash[:8]}) {TEXT_OF[alert.kind]}{metric}{since}{error}"
    return NewAlert(f"found {alert.id}", level, line, alert.time_s or 0.0)
