"""
Two groups of runs, compared by a metric. Specified in docs/formats/wire.md, section 4, *Two groups*.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.summaries import COLUMN_SUMMARIES
from aim.engine.group_comparison import BEST, ComparedGroup, GroupComparison, compare_groups
from aim.engine.metric_choice import MetricChoice
from aim.server.answers import json_answer, wrong
from aim.server.bodies import Body, read_body, read_key
from aim.server.server_state import in_thread, repo_of

VALUES = (BEST, *COLUMN_SUMMARIES)


async def compare(request: Request) -> Response:
    """Answer `POST …/compare-groups`."""
    repo = repo_of(request)
    body = await read_body(request)
    name, context = read_key(body.raw("metric"), "metric")
    choice = MetricChoice(name, json.loads(context or "{}"))
    a, b = _hashes(body, "a"), _hashes(body, "b")
    value = body.choice("value", VALUES, BEST)

    def ask() -> Response:
        comparison = compare_groups(repo.repository.questions(), choice, a, b, value=value)
        return json_answer(_wire_comparison(comparison))

    return await in_thread(request, ask)


def _hashes(body: Body, name: str) -> list[str]:
    hashes = body.texts(name)
    if not hashes:
        raise wrong(f"`{name}` must be a list of the hashes of one run or more.")
    return hashes


def _wire_comparison(comparison: GroupComparison) -> dict[str, Any]:
    numbers = ("difference", "low", "high", "confidence", "t", "degrees", "p")
    return {
        "metric": comparison.metric,
        "value": comparison.value,
        "method": comparison.method,
        **{name: getattr(comparison, name) for name in numbers},
        "a": _wire_group(comparison.a),
        "b": _wire_group(comparison.b),
        "separated_by": list(comparison.separated_by),
        "also_varying": list(comparison.also_varying),
        "warnings": list(comparison.warnings),
        "explanation": comparison.explanation,
    }


def _wire_group(group: ComparedGroup) -> dict[str, Any]:
    return {"count": group.count, "mean": group.mean, "std": group.std, "seeds": group.seed_count}
