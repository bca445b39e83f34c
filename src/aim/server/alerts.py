"""
Alerts: runs and metrics of a repository that need attention. Specified in docs/formats/wire.md, section 4.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.engine.alerts import Alert
from aim.server.answers import json_answer, wire_context, wire_number
from aim.server.open_repository import OpenRepository
from aim.server.server_state import in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable


async def alerts(request: Request) -> Response:
    """Answer `GET …/alerts`."""
    return await in_thread(request, _alerts, repo_of(request))


def _alerts(repo: OpenRepository) -> Response:
    def read(table: RunTable) -> dict[str, Any]:
        alerts = repo.alerts.ask(table)
        return {"cursor": repo.watch.cursor_of(table), "alerts": [_wire(alert) for alert in alerts]}

    return json_answer(repo.ask(read))


def _wire(alert: Alert) -> dict[str, Any]:
    metric = None if alert.metric is None else {"name": alert.metric[0], "context": wire_context(alert.metric[1])}
    return {
        "id": alert.id,
        "run": alert.run_hash,
        "name": alert.run_name,
        "kind": alert.kind,
        "time": alert.time_s,
        "level": alert.level,
        "metric": metric,
        "step": alert.step,
        "window": None if alert.window is None else list(alert.window),
        "value": wire_number(alert.value),
        "best": alert.best,
        "pause": alert.limit_s,
        "error": alert.error,
        "others": alert.others,
    }
