"""
Fields of runs as columns, runs in the order of fields, and the names of columns.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from aim.core.errors import UsageError
from aim.engine import listing
from aim.engine.listing import Field, ParamField, PropertyField, SummaryField, find_field
from tests.engine.runs import RecordedRun, RecordedRuns

NAN = math.nan
VAL, TRAIN = '{"subset":"val"}', '{"subset":"train"}'
RUNS = [
    RecordedRun(
        {"lr": 0.3, "name_of": "Beta", "mixed": 2, "hp": {"depth": 4}},
        {f"loss {VAL}": [3.0, 1.0], f"loss {TRAIN}": [2.0]},
        {"name": "b", "notes": [{"content": "It diverged."}, {"text": "Again."}, 7]},
    ),
    RecordedRun({"lr": NAN, "name_of": "alpha", "mixed": "two", "flag": True}, {f"loss {VAL}": [NAN], "acc": [0.5]}),
    RecordedRun({"name_of": "gamma", "mixed": None}, {f"loss {VAL}": [0.5]}, {"notes": "plain"}),
    RecordedRun({"lr": -1, "name_of": None, "mixed": [1], "flag": False}, {f"acc {VAL}": [9.0], "acc": [0.25]}),
    RecordedRun({"lr": 0.3}, properties={"name": "a"}, is_open=True),
]
LR, NAME_OF, MIXED = ParamField(("lr",)), ParamField(("name_of",)), ParamField(("mixed",))
LOSS = SummaryField("loss", VAL, "last")


@pytest.fixture(name="runs", scope="module")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRuns]:
    """
    The five runs of the table above.
    """
    runs = RecordedRuns(tmp_path_factory.mktemp("listing"), RUNS)
    yield runs
    runs.close()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (LR, [0.3, "nan", None, -1.0, 0.3]),
        (NAME_OF, ["Beta", "alpha", "gamma", None, None]),
        (MIXED, [2, "two", None, [1], None]),
        (ParamField(("hp", "depth")), [4.0, None, None, None, None]),
        (ParamField(("flag",)), [None, True, None, False, None]),
        (ParamField(("no", "such")), [None] * 5),
        (LOSS, [1.0, "nan", 0.5, None, None]),
        (SummaryField("loss", VAL, "max"), [3.0, "nan", 0.5, None, None]),
        (SummaryField("loss", "{}", "last"), [None] * 5),
        (PropertyField("notes"), ["It diverged.\n\nAgain.\n\n7", None, "plain", None, None]),
    ],
)
def test_a_field_is_a_cell_for_each_run(runs: RecordedRuns, field: Field, expected: list[object]) -> None:
    """
    The cells of a field are those beside it; None is missing.
    """
    cells = listing.cells(runs.table, field, runs.rows).objects()

    assert expected == ["nan" if cell != cell else cell for cell in cells]


def test_cells_are_those_of_the_rows_in_their_order(runs: RecordedRuns) -> None:
    """
    Rows may be some of the runs, in any order, and come twice.
    """
    rows = runs.rows[[3, 0, 3]]

    assert [-1.0, 0.3, -1.0] == listing.cells(runs.table, LR, rows).objects()
    assert [None, "Beta", None] == listing.cells(runs.table, NAME_OF, rows).objects()
    assert [None, 1.0, None] == listing.cells(runs.table, LOSS, rows).objects()


def test_a_duration_goes_to_the_end_or_to_now(runs: RecordedRuns) -> None:
    """
    The duration is from the making of a run to its end; a run that records has lasted until now.
    """
    before_s = time.time()
    ended, is_open = listing.cells(runs.table, PropertyField("duration"), runs.rows[[0, 4]]).objects()
    created, end = (
        listing.cells(runs.table, PropertyField(name), runs.rows[[0, 4]]).objects()
        for name in ("created_at", "end_time")
    )

    assert end[0] - created[0] == pytest.approx(ended, abs=1e-6)
    assert None is end[1]
    assert before_s - created[1] <= is_open <= time.time() - created[1]


@pytest.mark.parametrize(
    ("field", "ascending", "descending"),
    [
        (LR, [3, 0, 4, 1, 2], [0, 4, 3, 1, 2]),
        (NAME_OF, [1, 0, 2, 3, 4], [2, 0, 1, 3, 4]),
        (MIXED, [0, 1, 3, 2, 4], [3, 1, 0, 2, 4]),
        (ParamField(("flag",)), [3, 1, 0, 2, 4], [1, 3, 0, 2, 4]),
        (LOSS, [2, 0, 1, 3, 4], [0, 2, 1, 3, 4]),
        (ParamField(("no", "such")), [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
    ],
)
def test_runs_are_in_the_order_of_a_field(
    runs: RecordedRuns, field: Field, ascending: list[int], descending: list[int]
) -> None:
    """
    Numbers come before texts and both before other values, in either case of letters; NaN, then missing values come
    last both ways, and equal runs keep their order.
    """
    for is_descending, expected in ((False, ascending), (True, descending)):
        rows = listing.sort_rows(runs.table, runs.rows, [(field, is_descending)])
        assert expected == runs.numbers(rows)


def test_the_first_field_counts_before_the_second(runs: RecordedRuns) -> None:
    """
    Runs that are equal in one field are in the order of the next one.
    """
    by_both: list[tuple[Field, bool]] = [(LR, False), (PropertyField("name"), False)]
    rows = listing.sort_rows(runs.table, runs.rows, by_both)

    assert [3, 4, 0, 1, 2] == runs.numbers(rows)
    assert [4, 0] == runs.numbers(listing.sort_rows(runs.table, runs.rows[[0, 4]], by_both))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("name", PropertyField("name")),
        ("run.duration", PropertyField("duration")),
        ("lr", LR),
        ("run.hp.depth", ParamField(("hp", "depth"))),
        ("acc.last", SummaryField("acc", "{}", "last")),
        ("metric.acc.min", SummaryField("acc", "{}", "min")),
        ("acc[subset=val].max", SummaryField("acc", VAL, "max")),
        ("loss[subset=train].last", SummaryField("loss", TRAIN, "last")),
    ],
)
def test_a_column_is_the_field_beside_it(runs: RecordedRuns, column: str, expected: Field) -> None:
    """
    A column names a property, a param or a summary; a context may be left out for the empty one.
    """
    assert expected == find_field(runs.table, column)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("nmae", "No run has a column 'nmae'. Did you mean 'name'?"),
        ("hp.dept", "No run has a column 'hp.dept'. Did you mean 'hp.depth'?"),
        ("los.last", "No run has a column 'los.last'. Did you mean 'loss.last'?"),
        ("loss.lastest", "No run has a column 'loss.lastest'. Did you mean 'loss.last'?"),
        ("loss[subset=test].last", f"No run has a column 'loss[subset=test].last'. {listing.COLUMN_FORMS}"),
        ("???", f"No run has a column '???'. {listing.COLUMN_FORMS}"),
        ("loss.last", "loss has several contexts; say which one: loss[subset=val], loss[subset=train]."),
    ],
)
def test_a_column_that_no_run_has_gets_a_message(runs: RecordedRuns, column: str, message: str) -> None:
    """
    The message has a name that is near, or says what columns are; a metric of several contexts lists them.
    """
    with pytest.raises(UsageError) as caught:
        find_field(runs.table, column)

    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        (None, None),
        ("plain", "plain"),
        ([], None),
        (["", {"content": ""}], None),
        ([{"content": "a", "text": "b"}, {"text": "c"}, {}, "d"], "a\n\nc\n\nd"),
        ({"content": "a"}, "{'content': 'a'}"),
        (3, "3"),
    ],
)
def test_notes_of_any_form_are_one_text(notes: object, expected: str | None) -> None:
    """
    Notes as a text, as a list of texts or dicts, or as anything else are the text beside them.
    """
    assert expected == listing.notes_text(notes)
