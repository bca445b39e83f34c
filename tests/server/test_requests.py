"""
Requests about runs and curves: the forms that are read, their defaults, and what is refused.
"""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from aim.engine.curves import View
from aim.engine.listing import Field, ParamField, PropertyField, SummaryField
from aim.server.answers import Refusal
from aim.server.bodies import Body
from aim.server.requests import (
    Aggregation,
    EqualParams,
    RunsRequest,
    SeriesRequest,
    read_field,
    whole_param,
)

VAL = '{"subset":"val"}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["run", "name"], PropertyField("name")),
        (["param", "hparams", "lr"], ParamField(("hparams", "lr"))),
        (["param", "layers", 0], ParamField(("layers", 0))),
        (["metric", "loss", {"subset": "val"}, "last"], SummaryField("loss", VAL, "last")),
        (["metric", "", {}, "min"], SummaryField("", "{}", "min")),
    ],
)
def test_a_field_is_the_one_beside_it(value: Any, expected: Field) -> None:
    """
    A field is a property, the path of a param, or a summary of a metric.
    """
    assert expected == read_field(value, "fields[0]")


@pytest.mark.parametrize(
    "value",
    [
        None, "name", [], ["run"], ["run", "none"], ["run", "name", "x"], ["run", ["name"]], ["param"], ["param", 0.5],
        ["param", True], ["param", "a", None], ["metric", "loss", {}], ["metric", "loss", {}, "none"],
        ["metric", 1, {}, "last"], ["metric", "loss", {}, "last", 1], ["metric", "loss", "val", "last"],
        ["metric", "loss", {}, ["last"]],
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused_with_its_place(value: Any) -> None:
    """
    The message says where it stands in the request.
    """
    with pytest.raises(Refusal, match=r"`fields\[3\]") as caught:
        read_field(value, "fields[3]")

    assert 400 == caught.value.status


def test_a_request_for_runs_has_defaults() -> None:
    """
    An empty body asks for the first thousand runs without columns.
    """
    request = RunsRequest.read(Body({}))

    assert ("", [], [], 0, 1000, None) == (
        request.query, request.fields, request.sort, request.offset, request.limit, request.runs
    )  # fmt: skip


def test_a_request_for_runs_has_its_order() -> None:
    """
    Fields to sort by are ascending unless they say so.
    """
    sort = [{"field": ["run", "name"], "descending": True}, {"field": ["param", "lr"]}]
    request = RunsRequest.read(Body({"sort": sort, "runs": ["a"], "offset": 5, "limit": 1, "query": "run.lr"}))

    assert [(PropertyField("name"), True), (ParamField(("lr",)), False)] == request.sort
    assert (["a"], 5, 1, "run.lr") == (request.runs, request.offset, request.limit, request.query)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"limit": 0}, "`limit` must be 1 or more, got 0."),
        ({"limit": 100_001}, "`limit` must be 100000 or less, got 100001."),
        ({"offset": -1}, "`offset` must be 0 or more, got -1."),
        ({"fields": [["run", "name"], ["run"]]}, "`fields[1]` must be a field, such as "),
        ({"sort": ["name"]}, '`sort[0]` must be {"field": …, "descending": …}.'),
        ({"sort": [{"field": ["run", "name"], "descending": 1}]}, "`sort[0].descending` must be true or false, got 1."),
    ],
)
def test_a_wrong_request_for_runs_is_refused(members: dict[str, Any], message: str) -> None:
    """
    The message names the member.
    """
    with pytest.raises(Refusal) as caught:
        RunsRequest.read(Body(members))

    assert str(caught.value).startswith(message)


def test_a_request_for_curves_has_defaults() -> None:
    """
    An empty body asks for all metrics over steps, whole and without smoothing.
    """
    request = SeriesRequest.read(Body({}))

    assert View("step", None, 300, 0.0) == request.view
    assert (None, None, None, None, 5_000, 0) == (
        request.runs, request.metrics, request.aggregation, request.since, request.limit, request.branches
    )  # fmt: skip


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("epoch", "epoch"),
        ("relative", "relative"),
        (None, "step"),
        ({"name": "lr"}, ("lr", None)),
        ({"name": "lr", "context": {"subset": "val"}}, ("lr", VAL)),
    ],
)
def test_curves_are_over_steps_times_or_a_metric(x: Any, expected: Any) -> None:
    """
    The axis is one of the four, or the key of a metric.
    """
    view = SeriesRequest.read(Body({"x": x, "window": [1, 2], "buckets": 9, "smooth": 0.5})).view

    assert View(expected, (1.0, 2.0), 9, 0.5) == view


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"smooth": 1}, "`smooth` must be 0 or more and below 1, got 1."),
        ({"smooth": -0.1}, "`smooth` must be 0 or more and below 1, got -0.1."),
        ({"x": ""}, '`x` must be one of step, epoch, time, relative, got "".'),
        ({"x": "steps"}, '`x` must be one of step, epoch, time, relative, got "steps".'),
        ({"buckets": 0}, "`buckets` must be 1 or more, got 0."),
        ({"buckets": 10_001}, "`buckets` must be 10000 or less, got 10001."),
        ({"branches": 51}, "`branches` must be 50 or less, got 51."),
        ({"limit": 20_001}, "`limit` must be 20000 or less, got 20001."),
        ({"aggregate": {"value": "sum"}}, "`aggregate.value` must be one of "),
        ({"aggregate": {"by": {"equal": "runs"}}}, '`aggregate.by.equal` must be one of params, got "runs".'),
        (
            {"aggregate": {"by": {"equal": "params", "ignored": [["a"], []]}}},
            "`aggregate.by.ignored[1]` must be the path of a param, such as ",
        ),
    ],
)
def test_a_wrong_request_for_curves_is_refused(members: dict[str, Any], message: str) -> None:
    """
    The message names the member.
    """
    with pytest.raises(Refusal) as caught:
        SeriesRequest.read(Body(members))

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, Aggregation([], "mean", "none")),
        ({"by": [["run", "name"]], "band": "std"}, Aggregation([PropertyField("name")], "mean", "std")),
        ({"by": {"equal": "params"}, "value": "median"}, Aggregation(EqualParams(None), "median", "none")),
        (
            {"by": {"equal": "params", "ignored": [["hparams", "seed"], ["l", 0]]}},
            Aggregation(EqualParams([("hparams", "seed"), ("l", 0)]), "mean", "none"),
        ),
        ({"by": {"equal": "params", "ignored": []}}, Aggregation(EqualParams([]), "mean", "none")),
    ],
)
def test_curves_are_grouped_by_fields_or_by_equal_params(members: dict[str, Any], expected: Aggregation) -> None:
    """
    Without a list of ignored params the server chooses them; an empty one ignores none.
    """
    assert expected == SeriesRequest.read(Body({"aggregate": members})).aggregation


@pytest.mark.parametrize(("text", "expected"), [(None, 7), ("", 7), ("0", 0), ("9", 9), (" 3", 3)])
def test_an_integer_of_the_query_string_has_a_default(text: str | None, expected: int) -> None:
    """
    It is left out, empty, or within its bounds.
    """
    query = b"" if text is None else f"n={text}".replace(" ", "%20").encode()

    assert expected == whole_param(Request({"type": "http", "query_string": query, "headers": []}), "n", 7, 0, 9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "`n` must be an integer, got 'x'."),
        ("1.0", "`n` must be an integer, got '1.0'."),
        ("10", "`n` must be 0 to 9, got 10."),
        ("-1", "`n` must be 0 to 9, got -1."),
        ("y" * 60, f"`n` must be an integer, got '{'y' * 40}'."),
    ],
)
def test_a_wrong_integer_of_the_query_string_is_refused(text: str, message: str) -> None:
    """
    A long text is cut in the message.
    """
    request = Request({"type": "http", "query_string": f"n={text}".encode(), "headers": []})
    with pytest.raises(Refusal) as caught:
        whole_param(request, "n", 7, 0, 9)

    assert message == str(caught.value)
