"""
Addresses of Aim 3's pages, which people have in bookmarks and reports, as addresses of ours.

    metrics?select=O-…&grouping=O-…        the metrics it chose, its query, its colours, strokes and charts
    runs?search=O-…                        its query
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
CONTENT = dict[str, object]


def is_aim3(params: Mapping[str, str]) -> bool:
    """
    Return whether the settings of an address are Aim 3's.

    >>> is_aim3({"select": "O-JTdCJTdE"}), is_aim3({"q": "run.lr > 1"})
    (True, False)
    """
    return any(params.get(name, "").startswith(MARK) for name in ("select", "search", "grouping", "chart"))


def decoded(text: str) -> CONTENT:
    """
    Read one setting; one that is missing is empty.

    >>> decoded("O-JTdCJTIycXVlcnklMjI6JTIycnVuLmxyJTIwJTNFJTIwMSUyMiU3RA==")
    {'query': 'run.lr > 1'}

    Raises:
        UsageError: it is damaged, such as cut off.
    """
    if not text:
        return {}
    try:
        found = json.loads(unquote(base64.b64decode(text.removeprefix(MARK), validate=True).decode("ascii")))
    except (binascii.Error, ValueError) as error:
        raise UsageError("It is damaged; often an address was cut off where it was copied from.") from error
    if not isinstance(found, dict):
        raise UsageError("It is damaged: it holds no settings.")
    return found


def translated(page: str, params: Mapping[str, str]) -> str:
    """
    Return our address for Aim 3's *page* with *params*: the same runs and metrics, coloured, dashed and split as there.

    Raises:
        UsageError: its settings can't be read.
    """
    select, search = decoded(params.get("select", "")), decoded(params.get("search", ""))
    grouping = decoded(params.get("grouping", ""))
    ours = {"q": _query(page, select or search)}
    if page == "metrics":
        for theirs, name in CHANNELS.items():
            wanted = grouping.get(theirs)
            fields = [field for field in wanted if isinstance(field, str)] if isinstance(wanted, list) else []
            ours[name] = next((_field(field) for field in fields if _field(field)), "")
    settings = urlencode({name: value for name, value in ours.items() if value})
    return page + ("?" + settings if settings else "")


def _field(text: str) -> str:
    """Return our name of what they grouped by; empty if it is no param of a run."""
    if not text.startswith(RUN_PREFIX) or text.startswith("run.props."):
        return ""
    return text.removeprefix(RUN_PREFIX)


def _query(page: str, select: CONTENT) -> str:
    if select.get("advancedMode"):
        return str(select.get("advancedQuery") or "")
    query = str(select.get("query") or "").strip()
    options = select.get("options")
    chosen = [_clause(option) for option in options] if page == "metrics" and isinstance(options, list) else []
    wanted = " or ".join(clause for clause in chosen if clause)
    if not wanted:
        return query
    return f"({query}) and ({wanted})" if query else wanted


def _clause(option: object) -> str:
    """Return the clause of one chosen metric, with its context."""
    value = option.get("value") if isinstance(option, dict) else None
    name = value.get("option_name") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str):
        return ""
    context = value.get("context")
    parts = [f"metric.name == {_literal(name)}"]
    for key, wanted in context.items() if isinstance(context, dict) else ():
        parts.append(f"metric.context[{_literal(key)}] == {_literal(wanted)}")
    return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


def _literal(value: object) -> str:
    """Return a value as the query language writes it."""
    return repr(value) if value is None or isinstance(value, (bool, float)) else json.dumps(value, ensure_ascii=False)
