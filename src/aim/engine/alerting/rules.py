"""
Rules that users write: a query that matches when something is wrong, and for how long it has to.

A rule is a document of the repository (docs/formats/documents.md), kind `alert`, so everybody who watches the
repository has it, and its address may be a server.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aim.core.errors import NotFound, UsageError
from aim.core.levels import LEVELS, WARNING
from aim.engine import matching
from aim.engine.door import DocumentDoor

KIND = "alert"
DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class AlertRule:
    """
    A rule.

    Attributes:
        query: of runs or of sequences; it fires for each run that matches.
        for_s: the run has to match for so long.
        level: `info`, `warning` or `error`.
        title: of the message.
        created_at_s: runs that ended before do not fire.
    """

    id: str
    query: str
    for_s: float = 0.0
    level: str = WARNING
    title: str = ""
    created_at_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what is stored, by the names of docs/formats/documents.md."""
        own = {"query": self.query, "for_s": self.for_s, "level": self.level, "title": self.title}
        return {**own, "created_at": self.created_at_s}


def duration_s(text: str) -> float:
    """
    Return a length of time in seconds.

    Raises:
        UsageError: it is none.

    >>> duration_s("5m"), duration_s("1.5h"), duration_s("30s")
    (300.0, 5400.0, 30.0)
    """
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no length of time. Write 30s, 5m, 2h or 1d.")
    return float(match[1]) * UNITS_S[match[2]]


class AlertRules:
    """The rules of a repository."""

    def __init__(self, documents: DocumentDoor) -> None:
        self._documents = documents

    def all(self) -> list[AlertRule]:
        """List the rules, the oldest first. A document that is no rule is left out."""
        rules = []
        for document in self._documents.list(KIND):
            rule = _rule(document.id, document.body)
            if rule is not None:
                rules.append(rule)
        return sorted(rules, key=lambda rule: (rule.created_at_s, rule.id))

    def add(self, query: str, *, for_s: float = 0.0, level: str = WARNING, title: str = "") -> AlertRule:
        """
        Add a rule.

        Raises:
            InvalidQuery: the query can't be understood.
            UsageError: the query is empty, or there is no such level.
        """
        if not query.strip():
            raise UsageError("A rule needs a query: without one it would fire for every run.")
        if level not in LEVELS:
            raise UsageError(f"{level!r} is no level of alerts: they are {', '.join(LEVELS)}.")
        matching.ask(query)
        rule = AlertRule(secrets.token_hex(4), query.strip(), for_s, level, title.strip(), round(time.time(), 3))
        self._documents.put(KIND, rule.id, None, rule.as_json())
        return rule

    def remove(self, rule_id: str) -> None:
        """Remove a rule. Raises NotFound."""
        try:
            self._documents.delete(KIND, rule_id)
        except (NotFound, UsageError):
            raise NotFound(f"There is no rule {rule_id!r}. `aim alert ls` lists the rules.") from None


def _rule(rule_id: str, body: Mapping[str, Any]) -> AlertRule | None:
    query, for_s, level, created_at_s = (body.get(name) for name in ("query", "for_s", "level", "created_at"))
    if not isinstance(query, str) or not isinstance(for_s, (int, float)) or level not in LEVELS:
        return None
    begun_s = float(created_at_s) if isinstance(created_at_s, (int, float)) else 0.0
    return AlertRule(rule_id, query, float(for_s), str(level), str(body.get("title") or ""), begun_s)
