"""
What runs have: their params, sequences, and the values of a few properties with their counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from aim.core.reserved import SYSTEM_PARAMS
from aim.engine import overview
from aim.engine.matching import ask, matching_sequences
from aim.engine.overview import ParamOverview, SequenceOverview
from aim.storage.catalogue.columns import Column
from tests.engine.runs import RecordedRun, RecordedRuns

VAL = '{"subset":"val"}'
RUNS = [
    RecordedRun(
        {"lr": 0.3, "opt": "adam", "tags_of": ["a"], "mixed": 1, SYSTEM_PARAMS: {"host": "x"}},
        {"loss": [3.0, 1.0], f"acc {VAL}": [1, 2]},
        {"experiment": "first"},
    ),
    RecordedRun({"lr": 0.1, "opt": "sgd", "flag": True, "mixed": "x"}, {"loss": [1, 2, 3]}),
    RecordedRun({"lr": float("nan"), "opt": "sgd", "tags_of": []}, {"acc": [0.5]}),
]


@pytest.fixture(name="runs", scope="module")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRuns]:
    """
    The three runs of the table above.
    """
    runs = RecordedRuns(tmp_path_factory.mktemp("overview"), RUNS)
    yield runs
    runs.close()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0.5], "number"),
        ([True, False], "bool"),
        ([True, 1], "json"),
        (["a"], "string"),
        (["a", 1], "json"),
        ([["a"], []], "list"),
        ([["a"], [1]], "json"),
        ([{"a": 1}], "json"),
        ([None], "json"),
        ([], "json"),
    ],
)
def test_a_column_has_the_type_of_all_its_values(values: Sequence[object], expected: str) -> None:
    """
    Values of one type give the column that type; of several, or of none that pages know, it is JSON.
    """
    assert expected == overview.type_of(values)


def test_the_values_of_a_param_are_asked_for_once(runs: RecordedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    However many values a param has, its column is asked for them once: each time it takes a lock.
    """
    asked: list[Column] = []
    read: Callable[[Column], Sequence[object]] = vars(Column)["values"].fget

    def counting(column: Column) -> Sequence[object]:
        asked.append(column)
        return read(column)

    monkeypatch.setattr(Column, "values", property(counting))
    params = overview.params_of(runs.table, runs.rows)

    assert len(params) == len(asked)


def test_params_are_listed_with_their_values(runs: RecordedRuns) -> None:
    """
    Numbers come in their order, NaN last, other values by how many runs have them; those of the system are left out.
    """
    params = {param.path: param for param in overview.params_of(runs.table, runs.rows)}
    numbers = params[("lr",)]

    assert [0.1, 0.3, "nan"] == ["nan" if value != value else value for value in numbers.examples]
    assert ("number", 3, 3) == (numbers.type, numbers.runs, numbers.distinct)
    assert ParamOverview(("opt",), "string", 3, 2, ["sgd", "adam"]) == params[("opt",)]
    assert ParamOverview(("flag",), "bool", 1, 1, [True]) == params[("flag",)]
    for name in ("mixed", "tags_of"):
        param = params[(name,)]
        assert ("json", 2, 2, 2) == (param.type, param.runs, param.distinct, len(param.examples))
    assert {"lr", "opt", "flag", "mixed", "tags_of"} == {path[0] for path in params}


def test_params_are_those_of_the_runs_that_are_asked(runs: RecordedRuns) -> None:
    """
    A param that none of the runs has is not listed, and its values are those of these runs.
    """
    params = overview.params_of(runs.table, runs.rows[[0]])

    assert {"lr", "opt", "tags_of", "mixed"} == {param.path[0] for param in params}
    assert [["adam"]] == [param.examples for param in params if param.path == ("opt",)]


def test_examples_are_few(tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    Of many values the smallest numbers and the commonest texts are given, and all are counted.
    """
    count = overview.EXAMPLES_MAX + 2
    params = [{"n": number, "t": f"t{number % (count - 1)}"} for number in reversed(range(count))]
    runs = RecordedRuns(tmp_path_factory.mktemp("examples"), [RecordedRun(each) for each in params])
    numbers, texts = overview.params_of(runs.table, runs.rows)

    assert (list(range(overview.EXAMPLES_MAX)), count) == (numbers.examples, numbers.distinct)
    assert ("t0", overview.EXAMPLES_MAX, count - 1) == (texts.examples[0], len(texts.examples), texts.distinct)


def test_sequences_are_listed_by_name_and_context(runs: RecordedRuns) -> None:
    """
    Each name and context is listed with its runs and points; ints in one run and floats in another are numbers.
    """
    assert [
        SequenceOverview("acc", {"subset": "val"}, "int", 1, 2),
        SequenceOverview("acc", {}, "float", 1, 1),
        SequenceOverview("loss", {}, "number", 2, 5),
    ] == overview.sequences_of(runs.table, runs.rows, None)
    assert [SequenceOverview("loss", {}, "int", 1, 3)] == overview.sequences_of(runs.table, runs.rows[[1]], None)


def test_sequences_may_be_those_that_match(runs: RecordedRuns) -> None:
    """
    With the sequences that match a query only these are listed and counted.
    """
    matching = matching_sequences(runs.table, ask("metric.last < 2"), "metric")

    assert [SequenceOverview("acc", {}, "float", 1, 1), SequenceOverview("loss", {}, "float", 1, 2)] == (
        overview.sequences_of(runs.table, runs.rows, matching)
    )


def test_facets_count_their_values(runs: RecordedRuns, tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    The commonest value comes first, equal ones by name; each tag of a run counts.
    """
    tagged = RecordedRuns(tmp_path_factory.mktemp("facets"), [RecordedRun() for _ in range(3)])
    for run_hash, tags in zip(tagged.hashes, (["b", "a"], ["b"], []), strict=True):
        tagged.repository.edit(run_hash, {"tags": {"add": tags, "remove": []}}, by="test")
    tagged.catalogue.refresh()
    table = tagged.catalogue.ask(lambda table: table)

    assert [("default", 2), ("first", 1)] == overview.facets_of(runs.table, runs.rows)["experiment"]
    assert [("finished", 3)] == overview.facets_of(runs.table, runs.rows)["status"]
    assert [("b", 2), ("a", 1)] == overview.facets_of(table, tagged.rows)["tags"]
    assert [] == overview.facets_of(table, tagged.rows[[2]])["tags"]
