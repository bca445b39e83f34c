"""
`aim.query.sql`: a condition that no matching run can fail.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from aim.core.errors import InvalidQuery
from aim.core.query_leaves import value_leaf
from aim.query import sql
from aim.query.query import Query, compile_query
from aim.query.sql import AllOf, AnyOf, Condition, superset
from tests.query.expressions import RUN_NAMES, SEQUENCE_NAMES, queries, runs
from tests.query.leaf_answers import holds, run_leaves
from tests.query.memory_table import MemoryTable, PlainRun, Series
from tests.query.superset_fuzz import fuzz

EXAMPLES = settings(suppress_health_check=list(HealthCheck))
QUERIES = 300
COMPARABLE = (
    "0", "1", "3", "-1", "0.5", "2.0", "9007199254740993", "1e308", "'a'", "'adam'", "'3'", "''", "'\\ud800'", "True",
    "False", "float('inf')", "float('nan')",
)  # fmt: skip
WITH_SQL = tuple(name for name in (*RUN_NAMES, *SEQUENCE_NAMES) if "get" not in name and "values" not in name)


def condition_of(text: str, subject: str = "run") -> Condition | None:
    """
    Return the condition of a query.
    """
    return superset(compile_query(text, subject))


def matching_rows(query: Query, made: list[PlainRun]) -> set[int]:
    """
    Return the runs that match a query, or that have a sequence that does.
    """
    table = MemoryTable(made)
    if query.subject == "run":
        return set(query.select_runs(table).tolist())
    return set(query.select_sequences(table)[1].tolist())


def check_sound(text: str, subject: str, made: list[PlainRun]) -> None:
    """
    Each run that a query matches passes its condition, and that of each of its clauses.
    """
    try:
        query = compile_query(text, subject, now=1.7e9)
        rows = matching_rows(query, made)
    except InvalidQuery:
        reject()
    condition = superset(query)
    if condition is None:
        return
    for row in rows:
        assert holds(condition, run_leaves(made[row])), (text, made[row])


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    """
    Draw a query that has a condition: comparisons of names with constants, joined by `and` and `or`.
    """
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        name, first, second = draw(st.sampled_from(WITH_SQL)), *draw(st.tuples(*[st.sampled_from(COMPARABLE)] * 2))
        operator = draw(st.sampled_from(("==", "!=", "<", "<=", ">", ">=", "is", "is not")))
        forms = (
            f"{name} {operator} {first}", f"{first} {operator} {name}", f"{first} <= {name} < {second}", name,
            f"{name} is not None", f"{name} in ({first}, {second})", f"{name} not in [{first}]", f"not {name}",
            f"{name}.startswith({second})" if second.startswith("'") else name, f"{first} in {name}",
            f"{name} is None", f"{name} == None", f"{name} in ({first}, None)",
            f"{name} > datetime(2023, 11, {draw(st.integers(13, 17))})",
        )  # fmt: skip
        parts.append(f"({draw(st.sampled_from(forms))})")
    return draw(st.sampled_from((" and ", " or "))).join(parts)


@settings(EXAMPLES, max_examples=QUERIES)
@given(comparisons(), runs())
def test_no_run_that_matches_comparisons_fails_the_condition(text: str, made: list[PlainRun]) -> None:
    """
    Each row of the table in `aim.query.sql` is sound for values of every kind.
    """
    check_sound(text, "metric" if "metric." in text else "run", made)


@settings(EXAMPLES, max_examples=QUERIES)
@given(queries(RUN_NAMES + SEQUENCE_NAMES), runs())
def test_no_run_that_matches_any_query_fails_the_condition(text: str, made: list[PlainRun]) -> None:
    """
    What the language has besides is evaluated later, and never narrows the runs wrongly.
    """
    check_sound(text, "metric" if "metric." in text else "run", made)


@pytest.mark.parametrize("seed", range(4))
def test_random_queries_of_one_table_lose_no_run(seed: int) -> None:
    """
    The short form of `python -m tests.query.superset_fuzz`.
    """
    asked, narrowed = fuzz(250, seed)

    assert asked > 100
    assert narrowed > 20


CASES: list[tuple[str, str, Any, Any]] = [
    # the query, and what the param `a` of two runs is: the first may match, the second can't
    ("run.a == 'x'", "run", "x", "y"),
    ("run.a == 'x'", "run", "x", None),
    ("run.a == 3", "run", 3.0, 4),
    ("run.a == 1", "run", True, "1"),
    ("run.a < 3", "run", 2, 4),
    ("run.a < 3", "run", 2.5, "2"),
    ("run.a <= 3", "run", 3, 3.5),
    ("run.a > 3", "run", 4, 2),
    ("run.a >= 3", "run", 3, -3),
    ("3 < run.a", "run", 4, 2),
    ("run.a < 'b'", "run", "a", "c"),
    ("run.a > 'b'", "run", "c", "a"),
    ("1 < run.a < 3", "run", 2, 4),
    ("1 < run.a < 3", "run", 2, 0),
    ("run.a in (1, 'x')", "run", "x", 2),
    ("run.a.startswith('ad')", "run", "adam", "sgd"),
    ("run.a.b == 1", "run", {"b": 1}, {"c": 1}),
    ("run.a", "run", {"b": 0}, None),
    ("run.a is not None", "run", 0, None),
    ("run.a[0] == 1", "run", [1], 1),
    ("run.a == 1 and run.a != 2", "run", 1, 3),
    ("run.a == 1 or run.a == 2", "run", 2, 3),
    ("run.a == 1 if run.b else run.a == 2", "run", 2, 3),
]


@pytest.mark.parametrize(("text", "subject", "matching", "other"), CASES)
def test_a_condition_leaves_out_a_run_that_can_not_match(text: str, subject: str, matching: Any, other: Any) -> None:
    """
    The condition holds for the run that may match, and fails for the one that can't.
    """
    condition = condition_of(text, subject)
    assert condition is not None
    params = ({"a": matching}, {} if other is None else {"a": other})

    assert [True, False] == [holds(condition, run_leaves(PlainRun(each))) for each in params]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("run.name == 'x'", {"name": "x"}),
        ("run.experiment in ('e', 'f')", {"experiment": "e"}),
        ("run.status == 'failed'", {"status": "failed"}),
        ("'best' in run.tags", {"tags": ["best"]}),
        ("run.created_at > datetime(2030, 1, 1)", {"creation_time": 2e9}),
        ("run.creation_time > 1.9e9", {"creation_time": 2e9}),
        ("run.archived", {"archived": True}),
    ],
)
def test_fields_narrow_the_runs(text: str, fields: dict[str, Any]) -> None:
    """
    A comparison of a field with a constant holds for the run that has the value only.
    """
    condition = condition_of(text)
    assert condition is not None
    made = (PlainRun(fields=fields), PlainRun(fields={"creation_time": 1e9, "archived": False, "tags": ["worst"]}))

    assert [True, "archived" in text] == [holds(condition, run_leaves(run)) for run in made]


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("metric.name == 'loss'", Series("loss", {}, values=[1.0], steps=[0])),
        ("metric.last < 0.5", Series("b", {"x": 1}, values=[0.1], steps=[0])),
        ("metric.name == 'b' and metric.max > 2", Series("b", {}, values=[3.0], steps=[0])),
        ("run.metrics['loss'].last < 0.5", Series("loss", {}, values=[0.1], steps=[0])),
        ("run.metrics['loss']", Series("loss", {}, values=[0.1], steps=[0])),
        ("images.name == 'grid'", Series("grid", {}, kind="images", steps=[0])),
        ("images.count > 1", Series("grid", {}, kind="images", steps=[0, 1])),
    ],
)
def test_sequences_narrow_the_runs(text: str, series: Series) -> None:
    """
    A comparison of a name or a summary value with a constant holds for the run that has such a sequence only.
    """
    condition = condition_of(text, text.partition(".")[0])
    assert condition is not None
    other = Series("other", {}, values=[1.0], steps=[0])

    assert [True, False] == [holds(condition, run_leaves(PlainRun(series=[each]))) for each in (series, other)]


@pytest.mark.parametrize(
    "text",
    [
        "run.a != 'x'", "run.a not in (1, 2)", "not run.a", "run.a is None", "run.a == None", "run.a in (1, None)",
        "run.a == 1 or run.b != 2", "run.a + 1 == 2", "len(run.a) == 2", "run.search('adam')", "run.duration > 3",
        "run.active", "run.a.get('b') == 1", "(x := run.a) == 1", "run.a == run.b", "run.tags", "", "True",
    ],
)  # fmt: skip
def test_what_says_nothing_of_runs_without_the_param_has_no_condition(text: str) -> None:
    """
    A missing param makes `!=` and `not in` true, so they can't narrow the runs; nor can what is computed.
    """
    assert condition_of(text) is None


def mutants(condition: Condition) -> list[Condition]:
    """
    Return conditions that are each wrong in one place: a bound moved, a kind or an alternative lost.
    """
    if isinstance(condition, (AllOf, AnyOf)):
        changed: list[Condition] = [
            condition.replaced(items=(*condition.items[:number], mutant, *condition.items[number + 1 :]))
            for number, item in enumerate(condition.items)
            for mutant in mutants(item)
        ]
        if isinstance(condition, AnyOf):
            changed += [AllOf(condition.items)]
        return changed
    made: list[Condition] = []
    for name, sign in (("low", 1), ("high", -1)):
        bound = getattr(condition, name)
        if isinstance(bound, float):
            made.append(condition.replaced(**{name: bound + sign * 1e-9}))
        elif bound:
            made.append(condition.replaced(**{name: bound + b"\1" if sign > 0 else bound[:-1]}))
    if len(condition.kinds) > 1 and "bool" in condition.kinds:
        made.append(condition.replaced(kinds=tuple(kind for kind in condition.kinds if kind != "int")))
    return made


SHARP: list[tuple[str, list[Any]]] = [
    # a query, and values of `a` at the edges of what it matches
    ("run.a == 3", [3]),
    ("run.a <= 3", [3]),
    ("run.a >= 3", [3]),
    ("run.a == 'x'", ["x"]),
    ("run.a >= 'x'", ["x"]),
    ("run.a <= 'x'", ["x"]),
    ("run.a in (3, 4)", [3, 4]),
    ("run.a == 3 or run.a == 4", [3, 4]),
    ("3 <= run.a <= 3", [3]),
]


@pytest.mark.parametrize(("text", "values"), SHARP)
def test_each_wrong_bound_is_noticed(text: str, values: list[Any]) -> None:
    """
    A condition whose bound is moved, or that has lost a kind, fails for a run that matches: so the random tests
    would find it.
    """
    condition = condition_of(text)
    assert condition is not None
    made = [PlainRun({"a": value}) for value in values]
    unnoticed = [mutant for mutant in mutants(condition) if all(holds(mutant, run_leaves(run)) for run in made)]

    assert matching_rows(compile_query(text), made) == set(range(len(made)))
    assert [] == unnoticed


def test_integers_beyond_floats_pass_the_bound_of_their_float() -> None:
    """
    The bound is closed, so a number that rounds onto it is not lost.
    """
    made = [PlainRun({"a": 2**53 + 1}), PlainRun({"a": 10**400})]

    assert [True, True] == [
        holds(condition_of(f"run.a > {2**53}") or AllOf(()), run_leaves(made[0])),
        holds(condition_of("run.a > 1e308") or AllOf(()), run_leaves(made[1])),
    ]


def test_no_value_is_written_into_the_sql() -> None:
    """
    Texts and paths are parameters in hexadecimal digits.
    """
    condition = condition_of("run['it''s'].startswith('x\\'; DROP') and run.b in ('\\0', 3)")
    assert condition is not None
    statement = sql.sql(condition)

    assert "DROP" not in statement.where + statement.having
    assert b"x'; DROP".hex() in statement.values.values()


def test_texts_that_are_too_long_for_a_leaf_pass_any_bound() -> None:
    """
    A long text is not in the table, so each comparison with a text lets it pass.
    """
    text = "x" * 5_000
    condition = condition_of(f"run.a == '{text}' and run.a.startswith('x')")
    assert condition is not None

    assert value_leaf("p", text).kind == "long"
    assert holds(condition, run_leaves(PlainRun({"a": text})))
