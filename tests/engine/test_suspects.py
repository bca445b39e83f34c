"""
Which runs and metrics may have a problem, by the columns of summaries alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from aim.engine import suspects
from aim.engine.suspects import Suspect, relevant_rows, survey_of
from tests.engine.runs import RecordedRun, RecordedRuns

NAN, INFINITE = math.nan, math.inf
FALLING = [4.0, 3.0, 2.0, 1.0, 0.5, 0.25]
RISEN = [4.0, 2.0, 1.0, 0.5, 400.0]
RUNS = [
    RecordedRun(metrics={"loss": FALLING, "acc": [0.5, NAN]}),
    RecordedRun(
        metrics={"loss": [*FALLING, NAN], 'loss {"subset":"val"}': [1.0, INFINITE], "acc": RISEN}, is_open=True
    ),
    RecordedRun(metrics={"loss": RISEN, "__system__cpu": [NAN] * 9, "acc": [0.1]}, is_open=True),
    RecordedRun(metrics={"loss": [NAN]}, properties={"archived": True}),
]


@pytest.fixture(name="runs", scope="module")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRuns]:
    """
    A run that has ended, two that record, and one that is archived.
    """
    runs = RecordedRuns(tmp_path_factory.mktemp("suspects"), RUNS)
    yield runs
    runs.close()


def keys(metrics: list[Suspect]) -> set[str]:
    """Return the names of metrics, with the text of their context."""
    return {f"{name} {text}" for name, text in (metric.key for metric in metrics)}


@pytest.mark.parametrize(
    ("later_s", "expected"),
    [(0.0, [2, 1, 0]), (suspects.ENDED_WITHIN_S - 60, [2, 1, 0]), (suspects.ENDED_WITHIN_S + 60, [2, 1])],
)
def test_runs_that_record_or_ended_lately_are_relevant(runs: RecordedRuns, later_s: float, expected: list[int]) -> None:
    """
    A week after its end a run is not relevant any more; one that records is, and an archived one never. Newest first.
    """
    assert expected == runs.numbers(relevant_rows(runs.table, time.time() + later_s))


def test_a_last_value_that_is_no_number_makes_a_metric_suspect(runs: RecordedRuns) -> None:
    """
    NaN and infinite at the end are suspect, in every metric but those of the machine.
    """
    survey = survey_of(runs.table, runs.rows)

    assert [{"acc {}"}, {"loss {}", 'loss {"subset":"val"}'}, set(), {"loss {}"}] == [
        keys(survey.nan.of_run(row)) for row in runs.rows.tolist()
    ]


def test_a_loss_that_has_risen_is_suspect(runs: RecordedRuns) -> None:
    """
    Only metrics that training makes smaller diverge, and those that end without a number are suspect as such.
    """
    survey = survey_of(runs.table, runs.rows)

    assert [set(), set(), {"loss {}"}, set()] == [keys(survey.diverged.of_run(row)) for row in runs.rows.tolist()]


def test_only_the_runs_that_are_asked_are_surveyed(runs: RecordedRuns) -> None:
    """
    Runs beside those in the rows have no suspects, and none at all in an empty survey.
    """
    _, failing, risen, _ = runs.rows.tolist()
    survey = survey_of(runs.table, runs.rows[[2]])

    assert [] == survey.nan.of_run(failing)
    assert {"loss {}"} == keys(survey.diverged.of_run(risen))
    assert [] == survey_of(runs.table, runs.rows[:0]).nan.of_run(failing)


def test_points_are_counted_of_runs_that_record(runs: RecordedRuns) -> None:
    """
    The count of a run that records is that of all its metrics, without those of the machine.
    """
    survey = survey_of(runs.table, runs.rows)

    assert [14, 6] == survey.point_counts[runs.rows[1:3]].tolist()


def test_the_longest_metrics_come_first(runs: RecordedRuns) -> None:
    """
    Metrics of a run that records are ordered by their points, then by name, and cut after the count.
    """
    survey = survey_of(runs.table, runs.rows)
    _, failing, risen, _ = runs.rows.tolist()

    assert [("loss", "{}"), ("acc", "{}"), ("loss", '{"subset":"val"}')] == [
        metric.key for metric in survey.longest(failing, 9)
    ]
    assert [("loss", "{}")] == [metric.key for metric in survey.longest(risen, 1)]


def test_a_suspect_says_how_far_its_points_go(runs: RecordedRuns) -> None:
    """
    The state of a suspect is its count, its last step and its last value, a text where that is no number.
    """
    (suspect,) = survey_of(runs.table, runs.rows[:1]).nan.of_run(int(runs.rows[0]))
    (risen,) = survey_of(runs.table, runs.rows[2:3]).diverged.of_run(int(runs.rows[2]))

    assert (1, (2.0, 1.0, "nan")) == (suspect.last_step, suspect.state)
    assert (4, (5.0, 4.0, 400.0)) == (risen.last_step, risen.state)
