"""
Times of the SDK, under three time zones: attributes and frames are of UTC, queries on the clock of this process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from aim.sdk.metric import Metric
from aim.sdk.repo import Repo
from aim.sdk.run import Run
from aim.sdk.sequence_collection import QuerySequenceCollection
from aim.sdk.types import QueryReportMode

ZONES = ["UTC", "Asia/Kolkata", "America/St_Johns"]


@pytest.fixture(name="zone", params=ZONES)
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The time zone of this process."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield str(request.param)
    monkeypatch.undo()
    time.tzset()


def hashes(repo: Repo, query: str) -> list[str]:
    """Return the runs that match."""
    return [
        collection.run.hash for collection in repo.query_runs(query, report_mode=QueryReportMode.DISABLED).iter_runs()
    ]


def test_attributes_and_frames_are_of_utc(zone: str, run: Run) -> None:
    """
    `created_at` and `finalized_at` have no zone, as in Aim 3; `dataframe()["time"]` and Arrow say that they are of UTC.
    """
    run.track(1.0, name="loss")
    metric = run.get_metric("loss")
    assert metric is not None
    run.close()

    at_begin = datetime.fromtimestamp(run.creation_time, timezone.utc)
    assert at_begin.replace(tzinfo=None) == run.created_at == run.props.created_at
    assert run.end_time is not None
    assert datetime.fromtimestamp(run.end_time, timezone.utc).replace(tzinfo=None) == run.finalized_at
    first = metric.dataframe()["time"][0]
    assert timedelta() == first.utcoffset()
    assert abs(first.timestamp() - metric.timestamps.first_value()) < 1e-5
    assert "UTC" == str(
        run.repo.query_metrics("", report_mode=QueryReportMode.DISABLED).arrow().schema.field("time").type.tz
    )


def test_queries_are_on_the_clock_of_this_process(zone: str, repo: Repo, run: Run) -> None:
    """
    `created_at`, `finalized_at`, `datetime(...)`, `now()` and `fromtimestamp` mean one clock, of runs and of metrics.
    """
    run.track(1.0, name="loss")
    run.close()
    begin = datetime.fromtimestamp(run.creation_time)
    end = datetime.fromtimestamp(run.end_time or 0.0)
    for query in (
        f"run.created_at.hour == {begin.hour} and run.created_at.minute == {begin.minute}",
        f"run.created_at >= datetime({begin.year}, {begin.month}, {begin.day}, {begin.hour}, {begin.minute})",
        f"run.finalized_at.day == {end.day} and run.end_time == run.finalized_at.timestamp()",
        "run.created_at <= datetime.now() and datetime.now() - run.created_at < timedelta(minutes=20)",
        "datetime.fromtimestamp(run.creation_time) == run.created_at",
    ):
        assert [run.hash] == hashes(repo, query), query
        assert ["loss"] == [
            metric.name for metric in repo.query_metrics(query, report_mode=QueryReportMode.DISABLED)
        ], query


def test_a_collection_may_be_asked_on_another_clock(zone: str, repo: Repo, run: Run) -> None:
    """
    `timezone_offset` is the minutes of a browser, as in Aim 3, or a name.
    """
    run.track(1.0, name="loss")
    run.close()
    hour = datetime.fromtimestamp(run.creation_time, timezone(timedelta(hours=9))).hour
    query = f"run.created_at.hour == {hour}"

    for offset in (-540, "Asia/Tokyo", "+09:00"):
        collection = QuerySequenceCollection(repo, Metric, query, timezone_offset=offset)
        assert ["loss"] == [metric.name for metric in collection.iter()]
