"""
Queries as a whole: subjects, the default about archived runs, order, explanations, and what no run has.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from aim.core.errors import InvalidQuery, UsageError
from aim.core.zones import read_zone
from aim.query.arrays import BoolArray, FloatArray, IntArray
from aim.query.query import UnknownParam, compile_query
from tests.query.memory_table import MemoryTable, PlainRun, Series


def series(name: str, subset: str, *values: float, kind: str = "metric") -> Series:
    """A sequence with a point for each value."""
    return Series(name, {"subset": subset}, kind, values, list(range(len(values))))


@pytest.fixture(name="table")
def _table() -> MemoryTable:
    """
    Four runs, the third archived; the last has images and no metrics.
    """
    return MemoryTable(
        [
            PlainRun({"lr": 0.1, "hp": {"depth": 3}}, [series("loss", "train", 3, 1), series("loss", "val", 4, 2)]),
            PlainRun({"lr": 0.01}, [series("loss", "train", 2, 5), series("acc", "val", 0.5)]),
            PlainRun({"lr": 0.5}, [series("loss", "train", 9)], {"archived": True}),
            PlainRun({"list": [1, 2]}, [series("samples", "val", 0, kind="images")]),
        ]
    )


def found(table: MemoryTable, text: str, subject: str = "metric") -> list[tuple[str, object, int]]:
    """The sequences that a query finds: name, subset, row."""
    pairs, rows = compile_query(text, subject).select_sequences(table)
    return [
        (table.pairs[pair].name, table.pairs[pair].context["subset"], row)
        for pair, row in zip(pairs.tolist(), rows.tolist())
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [0, 1, 3]),
        ("run.lr > 0.05", [0]),
        ("run.archived", [2]),
        ("run.archived == False", [0, 1, 3]),
        ("run.is_archived or True", [0, 1, 2, 3]),
        ("run.lr > 0.05 and not run.archived", [0]),
        ("run['archived'] == None", [0, 1, 3]),
        ("'run.archived' != run.lr", [0, 1, 3]),
    ],
)
def test_archived_runs_are_left_out_unless_the_query_speaks_of_them(
    table: MemoryTable, text: str, expected: list[int]
) -> None:
    """
    Only the name `run.archived` counts, not its letters within a text or as a param.
    """
    assert expected == compile_query(text).select_runs(table).tolist()


@pytest.mark.parametrize(("text", "expected"), [("", [0, 1, 2, 3]), ("run.lr > 0.05", [0, 2]), ("run.archived", [2])])
def test_archived_runs_are_found_if_the_query_does_not_hide_them(
    table: MemoryTable, text: str, expected: list[int]
) -> None:
    """
    With `hides_archived` replaced by False, only the text decides.
    """
    query = replace(compile_query(text), hides_archived=False)

    assert expected == query.select_runs(table).tolist()


def test_rows_are_increasing_and_small_integers(table: MemoryTable) -> None:
    """
    Rows are increasing, as int32.
    """
    rows = compile_query("").select_runs(table)
    pairs, of_sequences = compile_query("", "metric").select_sequences(table)

    assert [np.dtype(np.int32)] * 3 == [rows.dtype, pairs.dtype, of_sequences.dtype]
    assert sorted(rows.tolist()) == rows.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("loss", "train", 0), ("loss", "train", 1), ("loss", "val", 0), ("acc", "val", 1)]),
        ("metric.name == 'loss'", [("loss", "train", 0), ("loss", "train", 1), ("loss", "val", 0)]),
        ("metric.context.subset == 'val'", [("loss", "val", 0), ("acc", "val", 1)]),
        ("run.lr > 0.05", [("loss", "train", 0), ("loss", "val", 0)]),
        ("run.lr > 0.05 and metric.context.subset == 'val'", [("loss", "val", 0)]),
        ("metric.last < 2", [("loss", "train", 0), ("acc", "val", 1)]),
        ("metric.last > run.lr * 15", [("loss", "train", 1), ("loss", "val", 0), ("acc", "val", 1)]),
        ("metric.name == 'acc' or run.lr > 0.05", [("loss", "train", 0), ("loss", "val", 0), ("acc", "val", 1)]),
        ("metric.values == [2, 5]", [("loss", "train", 1)]),
        ("run.archived", [("loss", "train", 2)]),
        ("metric.name == 'nothing'", []),
        ("run.lr > 9", []),
        ("1 > 2", []),
        ("random.random() < 0", []),
    ],
)
def test_sequences_are_found_by_pair_then_run(
    table: MemoryTable, text: str, expected: list[tuple[str, object, int]]
) -> None:
    """
    The order is that of the pairs in the table, then of its rows.
    """
    assert expected == found(table, text)


def test_a_query_finds_its_own_kind_only(table: MemoryTable) -> None:
    """
    A query about images finds no metrics.
    """
    assert [("samples", "val", 3)] == found(table, "", "images")
    assert [("samples", "val", 3)] == found(table, "images.record_max_length == None and images.count == 1", "images")
    assert [] == found(table, "", "audios") == found(table, "", "videos") == found(table, "", "tables")


def test_the_runs_of_a_query_about_metrics_are_those_of_its_run_part(table: MemoryTable) -> None:
    """
    The runs are those for which all clauses hold that need only the run.
    """
    query = compile_query("run.lr > 0.001 and metric.name == 'nothing'", "metric")

    assert [0, 1] == query.select_runs(table).tolist()


@pytest.mark.parametrize(
    ("subject", "hint"),
    [
        ("image", " Did you mean `images`?"),
        ("metrics", " Did you mean `metric`?"),
        ("textz", " Did you mean `texts`?"),
        ("xyz", ""),
    ],
)
def test_an_unknown_subject_is_a_wrong_call(subject: str, hint: str) -> None:
    """
    The message names the subjects, and the nearest one.
    """
    with pytest.raises(UsageError) as caught:
        compile_query("", subject)

    assert str(caught.value).endswith(f"not `{subject}`.{hint}")


def test_a_query_about_runs_has_no_sequences(table: MemoryTable) -> None:
    """
    A query about runs does not say which kind of sequence it would select.
    """
    with pytest.raises(UsageError, match="compile it for a kind of sequence"):
        compile_query("").select_sequences(table)


def test_an_explanation_says_what_each_clause_leaves(table: MemoryTable) -> None:
    """
    Each clause has its text, its needs, how many rows match it, and how many remain after it.
    """
    text = "metric.values[0] > 3 and run.lr > 0.05 and metric.name == 'loss'"
    explained = compile_query(text, "metric").explain(table)

    assert 5 == explained.total
    assert [
        ("not run.archived", "run", 4, 4),
        ("run.lr > 0.05", "run", 3, 2),
        ("metric.name == 'loss'", "pair", 4, 2),
        ("metric.values[0] > 3", "value", None, 1),
    ] == [(clause.text, clause.needs, clause.matches, clause.leaves) for clause in explained.clauses]
    assert explained.emptied_by is None
    assert (0, 0) == (explained.clauses[0].start, explained.clauses[0].end)
    for clause in explained.clauses[1:]:
        assert clause.text == text[clause.start : clause.end]


def test_an_explanation_names_the_clause_that_left_nothing(table: MemoryTable) -> None:
    """
    The named clause is the first after which nothing remains.
    """
    explained = compile_query("run.lr > 0.001 and run.lr > 1 and run.name == 'x'").explain(table)

    assert 4 == explained.total
    assert explained.emptied_by is not None
    assert "run.lr > 1" == explained.emptied_by.text
    assert 0 == explained.emptied_by.matches


def test_an_explanation_of_an_empty_table_blames_no_clause() -> None:
    """
    No clause removes rows from an empty table.
    """
    explained = compile_query("run.lr > 1").explain(MemoryTable([]))

    assert 0 == explained.total
    assert explained.emptied_by is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.lr > 1 and run.hp.depth == 3 and run.hp", []),
        ("run.list[0] == 1", []),
        ("run.list[7] == 1", []),
        ("run.lrr > 1", [UnknownParam(("lrr",), 0, 7, ("lr",))]),
        ("run.hp.dept == 1", [UnknownParam(("hp", "dept"), 0, 11, ("hp", "depth"))]),
        ("run.h.depth == 1", [UnknownParam(("h", "depth"), 0, 11, ("hp", "depth"))]),
        ("run.lr.x == 1", [UnknownParam(("lr", "x"), 0, 8, ("lr",))]),
        ("run.get('lrx', 1) > run.zzz", [UnknownParam(("lrx",), 0, 17, ("lr",)), UnknownParam(("zzz",), 20, 27, None)]),
        ("", []),
    ],
)
def test_params_that_no_run_has_are_named_with_the_nearest(
    table: MemoryTable, text: str, expected: list[UnknownParam]
) -> None:
    """
    A param that no run has is not an error, since a later run may have it, but a warning can name it.
    """
    assert expected == compile_query(text).unknown_params(table)


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("metric.name == 'los'", "metric", [("No run has a metric called 'los'. Did you mean 'loss'?", "'los'")]),
        ("'zzz' == metric.name", "metric", [("No run has a metric called 'zzz'.", "'zzz'")]),
        ("images.name == 'loss'", "images", [("No run has images called 'loss'.", "'loss'")]),
        (
            "run.lrr > 1 and metric.name == 'acc'",
            "metric",
            [("No run has a param 'lrr'. Did you mean 'lr'?", "run.lrr")],
        ),
        (
            "run.metrics['los'].last < 1",
            "run",
            [("No run has a metric called 'los'. Did you mean 'loss'?", "run.metrics['los'].last")],
        ),
        ("metric.name == 'loss' and metric.name != 'x'", "metric", []),
    ],
)
def test_what_a_query_speaks_of_that_is_not_there_is_named(
    table: MemoryTable, text: str, subject: str, expected: list[tuple[str, str]]
) -> None:
    """
    The hints of a query that matches nothing name its params and metrics that do not exist.
    """
    hints = compile_query(text, subject).hints(table)

    assert expected == [(hint.text, text[hint.start : hint.end]) for hint in hints]


@pytest.mark.parametrize(
    ("unknown", "others", "nearest"),
    [
        ("a.bc", [{"a": {"bd": 1}}, {"a.bcc": 1}], ("a", "bd")),
        ("a.bc", [{"zz": {"yy": 1}}, {"a.bcc": 1}], ("a.bcc",)),
        ("a.bc", [{"zz": {"yy": 1}}], None),
    ],
)
def test_the_nearest_param_is_one_of_as_many_keys_if_there_is_one(
    unknown: str, others: list[dict[str, object]], nearest: tuple[str, ...] | None
) -> None:
    """
    A path of as many keys comes before one that is nearer by its letters.
    """
    table = MemoryTable([PlainRun(params) for params in others])
    (param,) = compile_query(f"run.{unknown} == 1").unknown_params(table)

    assert nearest == param.nearest


@pytest.mark.parametrize("subject", ["run", "metric"])
def test_a_bound_that_is_passed_while_runs_are_asked_ends_the_query(table: MemoryTable, subject: str) -> None:
    """
    The error is that of an invalid query, whichever way it is asked.
    """
    query = compile_query("str(run.lr) * 10**6 == 'x'", subject)
    asks = [query.select_runs, query.explain, *([query.select_sequences] if subject == "metric" else [])]

    for ask in asks:
        with pytest.raises(InvalidQuery, match="100,000 characters or items"):
            ask(table)
        with pytest.raises(InvalidQuery, match="Too much: the query takes longer than 0 s"):
            ask(table, time_limit_s=0)


def test_the_time_of_a_query_is_limited(table: MemoryTable) -> None:
    """
    A query that would not end is stopped with a message.
    """
    query = compile_query("any(run.lr > 1 for x in range(10**12) if run.lr > 1)")

    with pytest.raises(InvalidQuery, match=r"takes longer than 0\.1 s"):
        query.select_runs(table, time_limit_s=0.1)


def test_now_is_when_the_query_was_compiled() -> None:
    """
    The clock and the reader's offset are fixed for the query.
    """
    table = MemoryTable([PlainRun(fields={"creation_time": 1_000.0, "status": "running"})])

    assert [0] == compile_query("run.duration == 50", now=1_050.0).select_runs(table).tolist()
    assert [] == compile_query("run.duration == 50", now=1_051.0).select_runs(table).tolist()
    hour = "run.created_at.hour == 2 and datetime.now().minute == 17"
    assert [0] == compile_query(hour, now=1_050.0, zone=read_zone(-120)).select_runs(table).tolist()


def test_an_empty_table_has_no_answers() -> None:
    """
    An empty table has no runs and no sequences, and raises no error.
    """
    table = MemoryTable([])

    assert (
        [] == compile_query("run.a.b == 1 and run.name == 'x' and run.created_at.year > 1").select_runs(table).tolist()
    )
    assert [] == compile_query("metric.last > run.a", "metric").select_sequences(table)[0].tolist()


def test_one_query_serves_many_threads(table: MemoryTable) -> None:
    """
    A compiled query has no state of an evaluation.
    """
    query = compile_query("(x := metric.last) > 1 and x < run.lr * 100 and sorted([x, 3])[0] > 1", "metric")
    expected = query.select_sequences(table)[1].tolist()
    answers: list[list[int]] = []

    def ask() -> None:
        for _ in range(50):
            answers.append(query.select_sequences(table)[1].tolist())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [expected] * 200 == answers


class Counted(MemoryTable):
    """A table that counts the calls of its methods."""

    def __init__(self, runs: list[PlainRun]) -> None:
        super().__init__(runs)
        self.asked: list[str] = []

    def document(self, row: int) -> dict[str | int, object]:
        self.asked.append(f"document {row}")
        return dict(self.runs[row].params)

    def points(self, pair: int, row: int, name: str) -> list[float | int | None] | None:
        self.asked.append(f"points {row}")
        return list(super().points(pair, row, name) or [])

    def summary(self, pair: int, name: str) -> IntArray | FloatArray | BoolArray | None:
        self.asked.append(f"summary {pair} {name}")
        return super().summary(pair, name)


def test_what_is_dear_is_asked_last_and_of_few(table: MemoryTable) -> None:
    """
    Points are read only for sequences that all other clauses leave, documents only for runs, summaries only for
    pairs.
    """
    counted = Counted(list(table.runs))
    text = "metric.values[0] > 1 and metric.last < 2 and run[run.key or 'lr'] > 0 and metric.context.subset == 'train'"
    compile_query(text, "metric").select_sequences(counted)

    assert {"document 0", "document 1", "document 3", "summary 0 last", "points 0"} == set(counted.asked)


def test_many_sequences_are_asked_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Small pairs are evaluated together, and every answer is the same as for one pair at a time.
    """
    runs = [
        PlainRun({"lr": row / 10}, [series(f"m{n}", "val", float(n + row)) for n in range(row % 3, 9, 1 + row % 2)])
        for row in range(12)
    ]
    table = MemoryTable(runs)
    text = "metric.last > run.lr * 10 and (metric.name != 'm3' or run.lr < 0.5) and metric.name in ['m3', 'm4', 'm5']"
    expected = [
        (f"m{n}", "val", row)
        for n in (3, 4, 5)
        for row, run in enumerate(runs)
        if any(one.name == f"m{n}" for one in run.series) and n + row > row / 10 * 10 and (n != 3 or row / 10 < 0.5)
    ]
    for batch_rows in (2, 8, 1 << 17):
        monkeypatch.setattr("aim.query.matches.BATCH_ROWS", batch_rows)

        assert sorted(expected) == sorted(found(table, text))
