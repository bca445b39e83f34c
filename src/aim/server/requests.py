"""
Requests about runs and curves, read and checked. Specified in docs/formats/wire.md, sections 2, 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from starlette.requests import Request

from aim.core.summaries import PAGE_SUMMARIES
from aim.engine import smoothing
from aim.engine.aggregate import BANDS, VALUES
from aim.engine.curves import AXES, View
from aim.engine.listing import RUN_FIELDS, Field, ParamField, PropertyField, SummaryField
from aim.server.answers import wrong
from aim.server.bodies import RUNS_MAX, Body, Key, context_text, read_key

FIELDS_MAX = 500
GROUP_FIELDS_MAX = 100
SERIES_MAX = 20_000
LIMIT_DEFAULT = 5_000
BRANCHES_MAX = 50
BUCKETS_DEFAULT, BUCKETS_MAX = 300, 10_000


def read_field(value: Any, where: str) -> Field:
    """
    Read a field, as `engine.listing` has it.

    >>> read_field(["metric", "loss", {"subset": "val"}, "last"], "fields[0]")
    SummaryField(metric='loss', context_text='{"subset":"val"}', summary='last')
    """
    match value:
        case ["run", name] if name in RUN_FIELDS:
            return PropertyField(name)
        case ["param", _, *_] if all(type(key) in (str, int) for key in value[1:]):
            return ParamField(tuple(value[1:]))
        case ["metric", str(name), context, str(summary)] if summary in PAGE_SUMMARIES:
            return SummaryField(name, context_text(context, f"{where}[2]"), summary)
    raise wrong(
        f'`{where}` must be a field, such as ["run","name"], ["param","hparams","lr"] or ["metric","loss",{{}},"last"].'
    )


def whole_param(request: Request, name: str, default: int, low: int, high: int) -> int:
    """Return an integer of the query string. Raises Refusal."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    try:
        number = int(text)
    except ValueError:
        raise wrong(f"`{name}` must be an integer, got {text[:40]!r}.") from None
    if not low <= number <= high:
        raise wrong(f"`{name}` must be {low} to {high}, got {number}.")
    return number


def _read_sort(value: Any, where: str) -> tuple[Field, bool]:
    if not isinstance(value, dict):
        raise wrong(f'`{where}` must be {{"field": …, "descending": …}}.')
    return read_field(value.get("field"), f"{where}.field"), Body(value, where).flag("descending")


@dataclass(frozen=True)
class GroupChoice:
    """One group of runs: those that have the values *key*, as answers write them, in the fields *by*."""

    by: list[Field]
    key: list[Any]

    @classmethod
    def read(cls, body: Body | None) -> GroupChoice | None:
        """Read the member `group`. Raises Refusal."""
        if body is None:
            return None
        by, key = body.each("by", read_field, GROUP_FIELDS_MAX) or [], body.items("key", GROUP_FIELDS_MAX) or []
        if len(by) != len(key):
            raise wrong(f"`group.key` must have a value for each field of `group.by`, {len(by)}, got {len(key)}.")
        return cls(by, key)


@dataclass(frozen=True)
class GroupsRequest:
    """The body of `POST …/groups`."""

    query: str
    zone: tzinfo
    runs: list[str] | None
    by: list[Field]
    fields: list[Field]

    @classmethod
    def read(cls, body: Body) -> GroupsRequest:
        """Read the body. Raises Refusal."""
        return cls(
            body.query(),
            body.zone,
            body.texts("runs"),
            body.each("by", read_field, GROUP_FIELDS_MAX) or [],
            body.each("fields", read_field, FIELDS_MAX) or [],
        )


@dataclass(frozen=True)
class RunsRequest:
    """The body of `POST …/runs`."""

    query: str
    zone: tzinfo
    fields: list[Field]
    sort: list[tuple[Field, bool]]
    offset: int
    limit: int
    runs: list[str] | None
    group: GroupChoice | None = None

    @classmethod
    def read(cls, body: Body) -> RunsRequest:
        """Read the body. Raises Refusal."""
        return cls(
            body.query(),
            body.zone,
            body.each("fields", read_field, FIELDS_MAX) or [],
            body.each("sort", _read_sort, 20) or [],
            body.whole("offset", 0, 0, 1 << 40),
            body.whole("limit", 1000, 1, RUNS_MAX),
            body.texts("runs"),
            GroupChoice.read(body.inner("group")),
        )


@dataclass(frozen=True)
class EqualParams:
    """Groups of runs whose params are equal but for those at the paths *ignored*; None: the server chooses them."""

    ignored: list[tuple[str | int, ...]] | None


@dataclass(frozen=True)
class Aggregation:
    """How curves are put into groups: by the values of some fields, or by all params."""

    by: list[Field] | EqualParams
    value: str
    band: str

    @classmethod
    def read(cls, body: Body) -> Aggregation:
        """Read the member `aggregate`. Raises Refusal."""
        by: list[Field] | EqualParams
        if isinstance(body.raw("by"), dict):
            inner = body.inner("by") or Body({})
            inner.choice("equal", ("params",))
            by = EqualParams(inner.each("ignored", _read_path, FIELDS_MAX))
        else:
            by = body.each("by", read_field, GROUP_FIELDS_MAX) or []
        return cls(by, body.choice("value", VALUES, "mean"), body.choice("band", BANDS, "none"))


def _read_path(value: Any, where: str) -> tuple[str | int, ...]:
    if not isinstance(value, list) or not value or not all(type(key) in (str, int) for key in value):
        raise wrong(f'`{where}` must be the path of a param, such as ["hparams","seed"].')
    return tuple(value)


def _read_smoothing(body: Body) -> tuple[float, str]:
    kind, amount = body.choice("smooth_kind", smoothing.KINDS, smoothing.EMA), body.number("smooth")
    if kind in smoothing.WEIGHTED and not 0 <= amount < 1:
        raise wrong(f"`smooth` must be 0 or more and below 1, got {amount:g}.")
    if not 0 <= amount <= smoothing.POINTS_MAX:
        raise wrong(f"`smooth` must be 0 to {smoothing.POINTS_MAX:,} points, got {amount:g}.")
    return amount, kind


@dataclass(frozen=True)
class SeriesRequest:
    """The body of `POST …/series`."""

    query: str
    zone: tzinfo
    runs: list[str] | None
    metrics: list[Key] | None
    view: View
    aggregation: Aggregation | None
    since: str | None
    limit: int
    branches: int = 0
    group: GroupChoice | None = None
    fields: tuple[Field, ...] = ()

    @classmethod
    def read(cls, body: Body) -> SeriesRequest:
        """Read the body. Raises Refusal."""
        smooth, smooth_kind = _read_smoothing(body)
        x = body.raw("x")
        axis: str | tuple[str, str | None] = "step"
        if isinstance(x, str):
            axis = body.choice("x", AXES)
        elif x is not None:
            axis = read_key(x, "x")
        inner = body.inner("aggregate")
        aggregation = None if inner is None else Aggregation.read(inner)
        return cls(
            body.query(),
            body.zone,
            body.texts("runs"),
            body.each("metrics", read_key),
            View(
                axis, body.window("window"), body.whole("buckets", BUCKETS_DEFAULT, 1, BUCKETS_MAX), smooth, smooth_kind
            ),
            aggregation,
            body.text_or_none("since"),
            body.whole("limit", LIMIT_DEFAULT, 1, SERIES_MAX),
            body.whole("branches", 0, 0, BRANCHES_MAX),
            GroupChoice.read(body.inner("group")),
            tuple(body.each("fields", read_field, FIELDS_MAX) or ()),
        )
