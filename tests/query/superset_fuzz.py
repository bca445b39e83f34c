"""
Many random queries against the conditions that they are narrowed by: `python -m tests.query.superset_fuzz 1000000`.

One table of runs with every kind of value is asked, so a query costs some milliseconds.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from aim.core.errors import InvalidQuery
from aim.query.query import compile_query
from aim.query.sql import superset
from tests.query.expressions import RUN_NAMES, SEQUENCE_NAMES
from tests.query.leaf_answers import holds, run_leaves
from tests.query.memory_table import MemoryTable, PlainRun, Series

NAMES = tuple(name for name in (*RUN_NAMES, *SEQUENCE_NAMES) if ".values" not in name)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 3, -1, 2**53 + 1, 10**400, 0.5, 1.0, 3.0, float("nan"), float("inf"), float("-inf"), "",
    "a", "adam", "3", "z", "\ud800", "x" * 2_000, b"a", [], [1, "a"], ["adam", None], {}, {"b": 1}, [[3]],
)  # fmt: skip
CONSTANTS = (
    "None", "True", "False", "0", "1", "3", "-1", "9007199254740993", "0.5", "2.0", "1e308", "float('nan')",
    "float('inf')", "''", "'a'", "'adam'", "'3'", "'\\ud800'", "[1, 'a']", "(1, 'adam')", "{'a', 3}", "[0.5, None]",
    "datetime(2023, 11, 15)", "datetime(2023, 11, 14, 23)", "1j", "b'a'",
)  # fmt: skip
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not", "==", "<", ">")
PATHS = (("a",), ("b",), ("l",), ("hp", "a"), ("hp", "lr"), ("hp", "opt"), ("hp", "n"), ("hp", 0), ("name",))


def random_run(chance: random.Random) -> PlainRun:
    """
    Return a run with a random value at some of the paths that the queries name.
    """
    params: dict[Any, Any] = {}
    for path in PATHS:
        if chance.random() < 0.7:
            inner = params if len(path) == 1 else params.setdefault(path[0], {})
            inner[path[-1]] = chance.choice(VALUES)
    fields = {
        "name": chance.choice((None, "", "a", "adam")), "experiment": chance.choice((None, "a", "default")),
        "tags": chance.sample(["a", "adam", "val"], chance.randint(0, 3)), "archived": chance.random() < 0.2,
        "creation_time": chance.choice((1.7e9, 1.7e9 + 86_400 * chance.random())),
        "end_time": chance.choice((None, 1.7e9 + 100)), "status": chance.choice(("finished", "failed")),
    }  # fmt: skip
    series = [
        Series(name, context, values=[chance.choice((0.0, 1.0, 0.5, 3.0, -1.0)) for _ in steps], steps=steps)
        for name in ("loss", "acc", "a")
        for context in ({}, {"subset": "val"}, {"fold": 2})
        if chance.random() < 0.3
        for steps in [list(range(chance.randint(1, 3)))]
    ]
    return PlainRun(params, series, fields)


def random_query(chance: random.Random) -> str:
    """
    Return a query of comparisons, joined at random.
    """
    parts = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        name, first, second = chance.choice(NAMES), chance.choice(CONSTANTS), chance.choice(CONSTANTS)
        form = chance.choice(
            (
                "{name} {operator} {first}", "{name} {operator} {first}", "{first} {operator} {name}",
                "{first} <= {name} < {second}", "{name}", "not {name}", "{name} in ({first}, {second})",
                "{name} is not None", "{name}.startswith('a')", "({name} == {first} if {name} else {name} == {second})",
                "({name} + 1 > {first})", "not ({name} == {first})", "len({name}) > 0",
            )
        )  # fmt: skip
        parts.append(form.format(name=name, operator=chance.choice(OPERATORS), first=first, second=second))
    joined = parts[0]
    for part in parts[1:]:
        joined = f"({joined}) {chance.choice(('and', 'or'))} ({part})"
    return joined


def fuzz(query_count: int, seed: int, run_count: int = 60) -> tuple[int, int]:
    """
    Ask random queries; return how many were asked, and how many had a condition. Raises AssertionError.
    """
    chance = random.Random(seed)
    made = [random_run(chance) for _ in range(run_count)]
    table, leaves = MemoryTable(made), [run_leaves(run) for run in made]
    asked = narrowed = 0
    for _ in range(query_count):
        text = random_query(chance)
        try:
            query = compile_query(text, "metric" if "metric." in text else "run", now=1.7e9)
            rows = query.select_runs(table) if query.subject == "run" else query.select_sequences(table)[1]
        except InvalidQuery:
            continue
        asked += 1
        condition = superset(query)
        if condition is None:
            continue
        narrowed += 1
        for row in set(rows.tolist()):
            assert holds(condition, leaves[row]), (seed, text, made[row])
    return asked, narrowed


if __name__ == "__main__":
    total = int(sys.argv[1])
    asked = narrowed = seed = 0
    while asked < total:
        counts = fuzz(2_000, seed)
        asked, narrowed, seed = asked + counts[0], narrowed + counts[1], seed + 1
    sys.stdout.write(f"{asked} queries, {narrowed} with a condition, none of which lost a run\n")
