"""
Which runs and sequences a text of a query means, and in which order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from aim.core.errors import InvalidQuery
from aim.engine import matching
from tests.engine.runs import RecordedRun, RecordedRuns

VAL = '{"subset":"val"}'
RUNS = [
    RecordedRun({"lr": 0.1}, {"loss": [3.0, 1.0], f"acc {VAL}": [0.5]}),
    RecordedRun({"lr": 0.2}, {f"loss {VAL}": [2.0]}, {"archived": True}),
    RecordedRun({"lr": 0.3}, {"loss": [9.0]}),
    RecordedRun({"lr": 0.4}),
]


@pytest.fixture(name="runs", scope="module")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRuns]:
    """
    The four runs of the table above, of which the second one is archived.
    """
    runs = RecordedRuns(tmp_path_factory.mktemp("matching"), RUNS)
    yield runs
    runs.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "run"),
        ("run.lr > 1", "run"),
        ("metric.last < 1", "metric"),
        ("images.name == 'x' and run.lr > 1", "images"),
        ("run.metric == 3", "run"),
        ("'metric' in run.name", "run"),
        ("texts.name == 'metric'", "texts"),
    ],
)
def test_a_query_is_about_what_it_names(text: str, expected: str) -> None:
    """
    A query that names a kind of sequences is about it; a param or a text of that name does not count.
    """
    assert expected == matching.ask(text).subject


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("runn.lr > 1", 0, 4),
        ("run.lr > ", 8, 9),
        ("metric.lst < 1", 7, 10),
        ("metric.last < 1 and images.nmae == 'x'", 20, 26),
        ("images.nmae == 'metric'", 7, 11),
    ],
)
def test_an_invalid_query_is_refused_where_it_is_wrong(text: str, start: int, end: int) -> None:
    """
    Of several subjects that a text names, the one under which the longest part is right tells what is wrong.
    """
    with pytest.raises(InvalidQuery) as caught:
        matching.ask(text)

    assert (start, end) == (caught.value.start, caught.value.end)


def test_times_of_a_query_are_those_of_the_client(runs: RecordedRuns) -> None:
    """
    Runs of this moment are later than what is half an hour ahead in UTC for a client whose zone is an hour ahead.
    """
    ahead = datetime.now(timezone.utc) + timedelta(minutes=30)
    later = f"run.created_at > datetime({ahead.year}, {ahead.month}, {ahead.day}, {ahead.hour}, {ahead.minute})"

    for text, expected in ((later, {0, 2, 3}), (f"metric.last < 100 and {later}", {0, 2})):
        for zone, in_zone in ((timezone(timedelta(hours=1)), expected), (timezone.utc, set())):
            rows = matching.matching_runs(runs.table, matching.ask(text, zone=zone))
            assert in_zone == set(runs.numbers(rows))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [0, 2, 3]),
        ("run.lr > 0.1", [2, 3]),
        ("run.archived", [1]),
        ("metric.last < 5", [0]),
        ("metric.name == 'loss'", [0, 2]),
        ("metric.name == 'loss' and run.archived in (True, False)", [0, 1, 2]),
        ("images.name == 'x'", []),
    ],
)
def test_the_runs_that_match_are_those_beside_the_text(runs: RecordedRuns, text: str, expected: list[int]) -> None:
    """
    A run matches a query about sequences when one of its sequences does, once however many do.
    """
    rows = matching.matching_runs(runs.table, matching.ask(text))

    assert expected == sorted(runs.numbers(rows))


def test_archived_runs_can_be_asked_too(runs: RecordedRuns) -> None:
    """
    The same question with archived runs has the archived one in its answer, and is about the same.
    """
    for text, expected in (("", [0, 1, 2, 3]), ("metric.name == 'loss'", [0, 1, 2])):
        question = matching.ask(text).with_archived()

        assert expected == sorted(runs.numbers(matching.matching_runs(runs.table, question)))
        assert matching.ask(text).subject == question.subject


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("", "metric", [(0, "acc"), (0, "loss"), (2, "loss")]),
        ("run.lr == 0.3", "metric", [(2, "loss")]),
        ("metric.last < 2", "metric", [(0, "acc"), (0, "loss")]),
        ("metric.last < 2", "images", []),
        ("images.name == 'x'", "metric", []),
        ("", "images", []),
    ],
)
def test_the_sequences_that_match_are_of_one_kind(
    runs: RecordedRuns, text: str, kind: str, expected: list[tuple[int, str]]
) -> None:
    """
    A question about runs means all sequences of the runs that match; one about another kind means none of this kind.
    """
    pairs, rows = matching.matching_sequences(runs.table, matching.ask(text), kind)
    names = [runs.table.pairs[index].name for index in pairs.tolist()]

    assert expected == sorted(zip(runs.numbers(rows), names, strict=True))


def test_sequences_of_archived_runs_follow_the_question(runs: RecordedRuns) -> None:
    """
    A question with archived runs that is put to another kind of subject keeps them.
    """
    question = matching.ask("").with_archived()
    _, rows = matching.matching_sequences(runs.table, question, "metric")

    assert {0, 1, 2} == set(runs.numbers(rows))


def test_rows_come_newest_first(runs: RecordedRuns) -> None:
    """
    Some rows in any order come back newest first.
    """
    assert [3, 1, 0] == runs.numbers(matching.newest_first(runs.table, runs.rows[[0, 3, 1]]))


def test_sequences_come_by_run_then_by_context_and_name(runs: RecordedRuns) -> None:
    """
    Sequences are of the newest run first, and within a run in the order in which its sequences are listed.
    """
    pairs, rows = matching.matching_sequences(runs.table, matching.ask("").with_archived(), "metric")
    shuffled = np.random.default_rng(0).permutation(len(pairs))
    ordered_pairs, ordered_rows = matching.sequences_newest_first(runs.table, pairs[shuffled], rows[shuffled])
    ranks = runs.table.pairs.ranks()[ordered_pairs].tolist()

    assert [2, 1, 0, 0] == runs.numbers(ordered_rows)
    assert sorted(ranks[2:]) == ranks[2:]
    assert set(zip(pairs.tolist(), rows.tolist())) == set(zip(ordered_pairs.tolist(), ordered_rows.tolist()))


def test_hashes_and_rows_lead_to_each_other(runs: RecordedRuns) -> None:
    """
    Rows of hashes are in their order, each once, without those of no run; hashes of rows are in the order of the rows.
    """
    first, second, third, _ = runs.hashes
    rows = matching.rows_of(runs.table, [third, "gone", first, third, second])

    assert [third, first, second] == matching.hashes_of(runs.table, rows)
    assert [] == matching.rows_of(runs.table, ["gone"]).tolist()
