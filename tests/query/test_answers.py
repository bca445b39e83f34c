"""
Which runs and sequences a query selects: a table of queries with the rows that they mean, over runs of awkward values.

Each is asked in four ways: of a few runs, whose distinct values are evaluated one by one; of many, which numpy or
combinations of codes answer; with and without columns of numbers; and of the oracle, which knows no columns. The random
tests ask more, but take longer to notice a fault, and do not say what is right.
"""

from __future__ import annotations

import pytest

from aim.core.zones import read_zone
from aim.query.query import Query, compile_query
from tests.query.memory_table import MemoryTable, PlainRun, Series
from tests.query.oracle import Oracle, RunView

NAN, INFINITE = float("nan"), float("inf")
DAY_S = 86_400.0
NOW_S = 3 * DAY_S
COPIES = 60  # of the runs, in the table of many
NOT_IN_ORACLE = ("re.", "timedelta(", "lambda")


def metric(name: str, *values: float, **context: str) -> Series:
    """Return a metric with a point for each value."""
    return Series(name, context, "metric", values, list(range(len(values))))


RUNS = [
    PlainRun(
        {"lr": 0.1, "opt": "adam", "n": 1, "hp": {"depth": 3, "act": "relu"}},
        [metric("loss", 3, 1, s="val"), metric("loss", 4, 2, s="train")],
        {"name": "first", "tags": ["best", "x"], "creation_time": 0.0, "end_time": 3600.0},
    ),
    PlainRun(
        {"lr": 0.01, "opt": "sgd", "n": 1.0, "hp": {"depth": 4}},
        [metric("loss", 2, 5, s="val"), metric("acc", 0.5)],
        {"name": "second", "tags": [], "creation_time": DAY_S, "end_time": DAY_S + 60.0},
    ),
    PlainRun(
        {"lr": None, "opt": "Adam", "n": True, "hp": 7},
        [metric("loss", 1, NAN, s="val")],
        {"status": "running", "creation_time": DAY_S * 2},
    ),
    PlainRun(
        {"lr": NAN, "n": "1", "list": [1, "a", [2]]},
        [metric("acc", 0.25, 0.75)],
        {"status": "failed", "creation_time": 0.0},
    ),
    PlainRun({"lr": INFINITE, "opt": "", "n": 2**53 + 1, "list": []}, [metric("loss", 6, s="val")], {"archived": True}),
    PlainRun(
        {"opt": ["adam", "sgd"], "n": 2**53, "list": ["a"]},
        [metric("acc", 1)],
        {"name": "first", "description": ""},
    ),
    PlainRun({}, [], {"tags": ["best"], "experiment": "baseline"}),
    PlainRun(
        {"lr": -0.0, "opt": "adamw", "n": 0, "hp": {"depth": "3", "act": None}},
        [metric("loss", -1, s="val"), metric("loss", -1)],
    ),
]

OF_RUNS = [
    ("run.lr > 0.05", [0]),
    ("run.lr >= 0.1", [0]),
    ("run.lr < 0.1", [1, 7]),
    ("run.lr <= 0.01 or run.lr > 1", [1, 7]),
    ("not run.lr > 0.05", [1, 2, 3, 5, 6, 7]),
    ("run.lr == 0", [7]),
    ("run.lr == None", [2, 5, 6]),
    ("run.lr != None", [0, 1, 3, 7]),
    ("run.lr is None", [2, 5, 6]),
    ("run.n is True", [2]),
    ("run.archived is False", [0, 1, 2, 3, 5, 6, 7]),
    ("run.lr is not None", [0, 1, 3, 7]),
    ("run.lr != run.lr", [3]),
    ("run.lr == run.lr", [0, 1, 2, 5, 6, 7]),
    ("run.lr * 10 == 1", [0]),
    ("run.lr + run.n > 1", [0, 1]),
    ("run.lr - 1 < run.n", [0, 1, 7]),
    ("-run.lr < 0", [0, 1]),
    ("abs(run.lr) == 0", [7]),
    ("run.lr / run.n > 0.05", [0]),
    ("run.n // 2 == 0", [0, 1, 2, 7]),
    ("run.n % 2 == 1", [0, 1, 2]),
    ("run.n == 1", [0, 1, 2]),
    ("run.n == True", [0, 1, 2]),
    ("run.n is True", [2]),
    ("run.n == '1'", [3]),
    ("run.n == 9007199254740993", []),
    ("run.n == 9007199254740992", [5]),
    ("run.n > 9007199254740992", []),
    ("run.n in (1, 2)", [0, 1, 2]),
    ("run.n in ('1', 0)", [3, 7]),
    ("run.n not in [1]", [3, 5, 6, 7]),
    ("0 < run.n <= 1", [0, 1, 2]),
    ("run.opt == 'adam'", [0]),
    ("run.opt != 'adam'", [1, 2, 3, 5, 6, 7]),
    ("run.opt in ['adam', 'sgd']", [0, 1]),
    ("run.opt not in ['adam', 'sgd']", [2, 3, 5, 6, 7]),
    ("'adam' in run.opt", [0, 5, 7]),
    ("'adam' not in run.opt", [1, 2, 3, 6]),
    ("run.opt.startswith('ad')", [0, 7]),
    ("run.opt.lower() == 'adam'", [0, 2]),
    ("run.opt > 'adam'", [1, 7]),
    ("run.opt", [0, 1, 2, 5, 7]),
    ("not run.opt", [3, 6]),
    ("len(run.opt) == 2", [5]),
    ("re.match('a.*m', run.opt)", [0, 7]),
    ("re.fullmatch('[a-z]+', run.opt)", [0, 1, 7]),
    ("run.opt[0] == 'a'", [0, 7]),
    ("run.opt[-1] == 'sgd'", [5]),
    ("run.hp", [0, 1, 2, 7]),
    ("run.hp == 7", [2]),
    ("run.hp.depth == 3", [0]),
    ("run.hp.depth in (3, '3')", [0, 7]),
    ("run.hp.depth > 3", [1]),
    ("run.hp.act == None", [1, 2, 3, 5, 6, 7]),
    ("run.hp.act != None", [0]),
    ("run['hp', 'act'] == 'relu'", [0]),
    ("run.hp == {'depth': 4}", [1]),
    ("'act' in run.hp", [0, 7]),
    ("len(run.hp) == 2", [0, 7]),
    ("run.get('lr', 5) == 5", [5, 6]),
    ("run.hp.get('act', 'none') == 'none'", [1, 2, 3, 5, 6]),
    ("run.list", [3, 5]),
    ("run.list == []", []),
    ("run.list[0] == 1", [3]),
    ("run.list[2][0] == 2", [3]),
    ("'a' in run.list", [3, 5]),
    ("any(item == 'a' for item in run.list)", [3, 5]),
    ("[item for item in run.list if item == 1] == [1]", [3]),
    ("run.name == 'first'", [0, 5]),
    ("run.name != None", [0, 1, 5]),
    ("run.name is None", [2, 3, 6, 7]),
    ("run.name and run.name.startswith('s')", [1]),
    ("run.description == ''", [5]),
    ("'best' in run.tags", [0, 6]),
    ("'best' not in run.tags", [1, 2, 3, 5, 7]),
    ("len(run.tags) > 1", [0]),
    ("run.tags == []", [1, 2, 3, 5, 7]),
    ("run.experiment == 'default'", [0, 1, 2, 3, 5, 7]),
    ("run.experiment in ('baseline', 'other')", [6]),
    ("run.status == 'running'", [2]),
    ("run.status != 'finished'", [2, 3]),
    ("run.active", [2]),
    ("not run.active and run.lr", [0, 1, 3]),
    ("run.archived", [4]),
    ("run.archived or run.lr > 0.05", [0, 4]),
    ("run.archived == False and run.lr", [0, 1, 3]),
    ("run.is_archived in (True, False)", [0, 1, 2, 3, 4, 5, 6, 7]),
    ("run.created_at == None", [5, 6, 7]),
    ("run.created_at < datetime(1970, 1, 2)", [0, 3]),
    ("run.created_at >= datetime(1970, 1, 2)", [1, 2]),
    ("run.created_at.day == 2", [1]),
    ("run.finalized_at == None", [2, 3, 5, 6, 7]),
    ("run.finalized_at - run.created_at == timedelta(hours=1)", [0]),
    ("run.end_time > run.creation_time + 100", [0]),
    ("run.duration > 3000", [0, 2, 3]),
    ("run.duration == 86400", [2]),
    ("run.metrics['loss', {'s': 'val'}].last < 3", [0, 7]),
    ("run.metrics['loss', {'s': 'val'}].last == None", [3, 5, 6]),
    ("run.metrics['loss', {'s': 'val'}]", [0, 1, 2, 7]),
    ("run.metrics['acc'].max > run.lr", [1]),
    ("run.metrics['loss'].min == -1", [7]),
    ("run.metrics['none'].last != 1", [0, 1, 2, 3, 5, 6, 7]),
    ("run.lr > 0.05 and run.opt == 'adam'", [0]),
    ("run.lr > 0.05 and not run.opt == 'adam'", []),
    ("run.lr > 0.05 or run.opt == 'sgd'", [0, 1]),
    ("(run.lr or run.n) == 1", [2]),
    ("run.lr if run.opt else run.n", [0, 1, 3]),
    ("(x := run.lr) and x < 1", [0, 1]),
    ("(lambda a: a == 1)(run.n)", [0, 1, 2]),
    ("1 < 2", [0, 1, 2, 3, 5, 6, 7]),
    ("None", []),
    ("run.none.at.all == None", [0, 1, 2, 3, 5, 6, 7]),
    ("run.none > 1", []),
    ("not run.none > 1", [0, 1, 2, 3, 5, 6, 7]),
    ("run['lr'] == 0.1", [0]),
]

OF_METRICS = [
    ("metric.name == 'loss'", "0loss.train 0loss.val 1loss.val 2loss.val 7loss 7loss.val"),
    ("metric.name != 'loss'", "1acc 3acc 5acc"),
    ("metric.name.startswith('a')", "1acc 3acc 5acc"),
    ("metric.context.s == 'val'", "0loss.val 1loss.val 2loss.val 7loss.val"),
    ("metric.context.s == None", "1acc 3acc 5acc 7loss"),
    ("metric.context == {}", "1acc 3acc 5acc 7loss"),
    ("metric.context['s'] in ('val', 'train')", "0loss.train 0loss.val 1loss.val 2loss.val 7loss.val"),
    ("metric.last < 2", "0loss.val 1acc 3acc 5acc 7loss 7loss.val"),
    ("metric.last >= 2", "0loss.train 1loss.val"),
    ("metric.last == None", ""),
    ("metric.last != metric.last", "2loss.val"),
    ("metric.first > metric.last", "0loss.train 0loss.val"),
    ("metric.max - metric.min > 1", "0loss.train 0loss.val 1loss.val"),
    ("metric.mean == 3.5", "1loss.val"),
    ("metric.has_nan", "2loss.val"),
    ("not metric.has_nan and metric.count == 2", "0loss.train 0loss.val 1loss.val 3acc"),
    ("metric.count > 1 and run.lr > 0.05", "0loss.train 0loss.val"),
    ("metric.last_step == 0", "1acc 5acc 7loss 7loss.val"),
    ("metric.argmin == 1", "0loss.train 0loss.val"),
    ("metric.last < run.lr", "7loss 7loss.val"),
    ("metric.last > run.n or run.opt == 'sgd'", "0loss.train 1acc 1loss.val"),
    ("metric.last * run.n > 1", "0loss.train 1loss.val 5acc"),
    ("metric.name == 'loss' and metric.context.s == 'val' and metric.last < 2", "0loss.val 7loss.val"),
    ("metric.name == 'acc' or metric.context.s == 'train'", "0loss.train 1acc 3acc 5acc"),
    ("metric.name == run.none", ""),
    ("metric.name[0] == run.opt[0]", ""),
    ("metric.values[0] > 2", "0loss.train 0loss.val"),
    ("metric.values[-1] == metric.last", "0loss.train 0loss.val 1acc 1loss.val 3acc 5acc 7loss 7loss.val"),
    ("len(metric.values) == 1", "1acc 5acc 7loss 7loss.val"),
    ("max(metric.values) > 3", "0loss.train 1loss.val"),
    ("any(value > 3 for value in metric.values)", "0loss.train 1loss.val"),
    ("metric.steps == [0]", "1acc 5acc 7loss 7loss.val"),
    ("metric.epochs[0] == None", "0loss.train 0loss.val 1acc 1loss.val 2loss.val 3acc 5acc 7loss 7loss.val"),
    ("run.archived and metric.name == 'loss'", "4loss.val"),
    (
        "run.archived in (True, False) and metric.last == metric.max",
        "1acc 1loss.val 3acc 4loss.val 5acc 7loss 7loss.val",
    ),
    ("metric.run.opt == 'adam'", "0loss.train 0loss.val"),
    ("metric.dtype == 'float'", "0loss.train 0loss.val 1acc 1loss.val 2loss.val 3acc 5acc 7loss 7loss.val"),
    ("1 > 2", ""),
]
"""A sequence is the number of its run, its name, and what its context says."""


TABLES = [
    (copies, MemoryTable(RUNS * copies, with_numbers=with_numbers))
    for copies in (1, COPIES)
    for with_numbers in (False, True)
]


def compiled(text: str, subject: str) -> Query:
    """Compile a query of the third day, in UTC."""
    return compile_query(text, subject, now=NOW_S, zone=read_zone(0))


def is_in_oracle(text: str) -> bool:
    """Return whether the oracle knows what a query uses."""
    return not any(word in text for word in NOT_IN_ORACLE)


def is_hidden(query: Query, run: PlainRun) -> bool:
    """Return whether a run is archived and the query does not speak of that."""
    return bool(run.fact("archived")) and query.hides_archived


@pytest.mark.parametrize(("text", "expected"), OF_RUNS)
def test_a_query_means_the_runs_beside_it(text: str, expected: list[int]) -> None:
    """
    Few runs and many, with columns of numbers and without, and the oracle have one answer.
    """
    query = compiled(text, "run")

    for copies, table in TABLES:
        rows = [copy * len(RUNS) + row for copy in range(copies) for row in expected]
        assert rows == query.select_runs(table).tolist()
    if is_in_oracle(text):
        views = [RunView(run, NOW_S, 0) for run in RUNS]
        assert expected == [
            row for row, view in enumerate(views) if not is_hidden(query, RUNS[row]) and Oracle(view, "run").holds(text)
        ]


@pytest.mark.parametrize(("text", "expected"), OF_METRICS)
def test_a_query_means_the_metrics_beside_it(text: str, expected: str) -> None:
    """
    As with runs; of many runs each has its metrics again.
    """
    query = compiled(text, "metric")
    labels = expected.split()

    for copies, table in TABLES:
        assert sorted(labels * copies) == selected(query, table)
    assert labels == sorted(
        label(row, series.name, series.context)
        for row, run in enumerate(RUNS)
        for series in run.series
        if not is_hidden(query, run) and Oracle(RunView(run, NOW_S, 0), "metric", series).holds(text)
    )


def selected(query: Query, table: MemoryTable) -> list[str]:
    """Return the sequences that a query selects, each by its label."""
    pairs, rows = query.select_sequences(table)
    sequences = [(row % len(RUNS), table.pairs[pair]) for pair, row in zip(pairs.tolist(), rows.tolist())]
    return sorted(label(row, pair.name, dict(pair.context)) for row, pair in sequences)


def label(row: int, name: str, context: dict[str, object]) -> str:
    """Return a sequence as it stands in the table above."""
    return f"{row}{name}" + "".join(f".{value}" for value in context.values())


def test_hidden_and_shown_runs_are_all_in_the_table() -> None:
    """
    Each run is in some answer, and in some it is not, so no row of the table is there for nothing.
    """
    for row in range(len(RUNS)):
        answers = {row in expected for _, expected in OF_RUNS}
        assert {True, False} == answers
