"""
Addresses of Aim 3's pages, which are in bookmarks and reports, translated into ours.

    metrics?select=O-…&grouping=O-…        the chosen metrics, the query, and what colours, strokes and charts stand for
    runs?search=O-…                        the query
    runs/<hash>/…                          run/<hash>

What follows `O-` is JSON, percent-escaped, in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from urllib.parse import unquote, urlencode

from aim.core.errors import UsageError

MARK = "O-"
CHANNELS = {"color": "color", "stroke": "dash", "chart": "facet"}
RUN_PREFIX = "run."
SettingTree = dict[str, object]


def is_aim3(params: Mapping[str, str]) -> bool:
    """
    Return whether an address has settings of Aim 3.

    >>> is_aim3({"select": "O-JTdCJTdE"}), is_aim3({"q": "run.lr > 1"})
    (True, False)
    """
    return any(params.get(name, "").startswith(MARK) for name in ("select", "search", "grouping", "chart"))


def decoded(text: str) -> SettingTree:
    """
    Return one setting of an address; an empty one when it is missing.

    >>> decoded("O-JTdCJTIycXVlcnklMjI6JTIycnVuLmxyJTIwJTNFJTIwMSUyMiU3RA==")
    {'query': 'run.lr > 1'}

    Raises:
        UsageError: the setting is damaged.
    """
    if not text:
        return {}
    try:
        settings = json.loads(unquote(base64.b64decode(text.removeprefix(MARK), validate=True).decode("ascii")))
    except (binascii.Error, ValueError) as error:
        raise UsageError("It is damaged. Perhaps it was cut off when it was copied.") from error
    if not isinstance(settings, dict):
        raise UsageError("It is damaged: it holds no settings.")
    return settings


def translated(page: str, params: Mapping[str, str]) -> str:
    """
    Return our address for Aim 3's *page* with *params*: the same runs and metrics, colours, strokes and charts.

    Raises:
        UsageError: the settings can't be read.
    """
    select, search = decoded(params.get("select", "")), decoded(params.get("search", ""))
    grouping = decoded(params.get("grouping", ""))
    ours = {"q": _query(page, select or search)}
    if page == "metrics":
        for theirs, name in CHANNELS.items():
            group_fields = grouping.get(theirs)
            fields = (
                [field for field in group_fields if isinstance(field, str)] if isinstance(group_fields, list) else []
            )
            ours[name] = next((_field(field) for field in fields if _field(field)), "")
    settings = urlencode({name: value for name, value in ours.items() if value})
    return page + ("?" + settings if settings else "")


def _field(text: str) -> str:
    """Return our name for a field that was grouped by; empty if it is not a param of a run."""
    if not text.startswith(RUN_PREFIX) or text.startswith("run.props."):
        return ""
    return text.removeprefix(RUN_PREFIX)


def _query(page: str, select: SettingTree) -> str:
    if select.get("advancedMode"):
        return str(select.get("advancedQuery") or "")
    query = str(select.get("query") or "").strip()
    options = select.get("options")
    chosen = [_clause(option) for option in options] if page == "metrics" and isinstance(options, list) else []
    clause = " or ".join(clause for clause in chosen if clause)
    if not clause:
        return query
    return f"({query}) and ({clause})" if query else clause


def _clause(option: object) -> str:
    """Return the clause for one chosen metric and its context."""
    value = option.get("value") if isinstance(option, dict) else None
    name = value.get("option_name") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str):
        return ""
    context = value.get("context")
    parts = [f"metric.name == {_literal(name)}"]
    for key, context_value in context.items() if isinstance(context, dict) else ():
        parts.append(f"metric.context[{_literal(key)}] == {_literal(context_value)}")
    return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


def _literal(value: object) -> str:
    """Return a value as the query language writes it."""
    return repr(value) if value is None or isinstance(value, (bool, float)) else json.dumps(value, ensure_ascii=False)
