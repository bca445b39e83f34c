"""
Hostile queries from a grammar: each returns an answer or raises `InvalidQuery`, in bounded time, and changes nothing.

`FUZZ_QUERIES=100000 pytest tests/query/test_fuzz.py` runs that many (`make fuzz`).
"""

from __future__ import annotations

import copy
import os
import time

import pytest

from aim.core.errors import InvalidQuery
from aim.query.limits import TEXT_CHARS_MAX
from aim.query.query import compile_query
from tests.query.grammar import Grammar
from tests.query.memory_table import MemoryTable, PlainRun, Series

QUERY_COUNT = int(os.environ.get("FUZZ_QUERIES", "4000"))
SHARDS = 8
TIME_LIMIT_S = 0.5
# Beyond the limit: the last operation of a query may take this long, on a machine that does other work too.
OVERTIME_S = 5.0
UNITS = (
    *("-", "~", "not ", "(", "[", "{", "a.", "a[b", "a,", "a+", "a<", "2**", "a and ", "a:=", "x if x else "),
    *("lambda:", "(lambda x:", "[x for x in ", "run.a(", "'a'", 'f"{', "\n", "0x", "é"),
)


def small_table() -> MemoryTable:
    """Five runs with every type of param, and two metrics each."""
    runs = []
    for row in range(5):
        hp = {"lr": 0.1 * row, "a": [row, "x", None], "b": {"deep": {"er": row}}}
        mixed = (row, "a" * 40, None, 0.5, [1, [2, {"k": 3}]])
        params = {"a": mixed[row], "hp": hp, "l": [1, 2, 3], "text": "aaa" * 20}
        loss = Series("loss", {"subset": "val"}, values=[1.0, row], steps=[0, 1])
        fields = {"name": f"run {row}", "creation_time": 1.7e9, "tags": ["a"], "hash": f"{row:024x}"}
        runs.append(PlainRun(params, [loss, Series("acc", {}, values=[0.5], steps=[3])], fields))
    return MemoryTable(runs)


def ask(table: MemoryTable, text: str) -> bool:
    """Ask a query about runs or metrics, whichever it knows; say whether it had an answer."""
    for subject in ("metric", "run"):
        try:
            query = compile_query(text, subject)
            if subject == "metric":
                pairs, rows = query.select_sequences(table, time_limit_s=TIME_LIMIT_S)
                assert len(pairs) == len(rows) <= 10
            else:
                assert len(query.select_runs(table, time_limit_s=TIME_LIMIT_S)) <= 5
            query.unknown_params(table)
            return True
        except InvalidQuery as refused:
            error = refused
        assert str(error)
        assert 0 <= error.start <= error.end <= max(len(error.query), 1)
    return False


@pytest.mark.parametrize("shard", range(SHARDS))
def test_fuzz_gives_answers_or_invalid_query(shard: int) -> None:
    """
    A query from the grammar returns rows or raises InvalidQuery with a span, in bounded time, and the table stays
    the same.
    """
    table = small_table()
    before = copy.deepcopy([run.params for run in table.runs])
    grammar = Grammar(shard)
    answered, slowest = 0, (0.0, "")
    for _ in range(QUERY_COUNT // SHARDS):
        text = grammar.query()
        begin = time.thread_time()
        answered += ask(table, text)
        slowest = max(slowest, (time.thread_time() - begin, text))

    assert slowest[0] < 4 * TIME_LIMIT_S + OVERTIME_S, slowest
    assert before == [run.params for run in table.runs]
    assert answered > QUERY_COUNT // SHARDS // 20


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("size", [100, 3_000, TEXT_CHARS_MAX, TEXT_CHARS_MAX + 1])
def test_fuzz_of_texts_that_repeat_ends_with_an_answer_or_invalid_query(unit: str, size: int) -> None:
    """
    A text that repeats one piece, up to the longest text that is read and beyond, is answered or refused.
    """
    text = (unit * (size // len(unit) + 1))[:size]

    assert ask(small_table(), text) in (True, False)
