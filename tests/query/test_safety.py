"""
Published attacks on Aim's queries and on RestrictedPython: each returns a value or raises InvalidQuery.

Each runs on a table that shows whether it was reached, and none may reach, change or stop anything.
"""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from aim.core.errors import InvalidQuery
from aim.query import names
from aim.query.query import compile_query
from tests.query.memory_table import MemoryTable, PlainRun, Series

ATTACKS = [
    # Aim 3: the live objects behind `run`
    "run.run.repo.delete_run(run.hash)",
    "run.db.structured_db_session",
    "run.meta_run_tree.finalize()",
    "run.run.props.archived",
    "run.archived == False) or (True",
    "True) or run.run.repo.delete_run(run.hash) or (True",
    "run._run.repo",
    "run['__class__']",
    # Attributes of Python
    "().__class__.__bases__[0].__subclasses__()",
    "''.__class__.__mro__[1].__subclasses__()",
    "run.name.__class__",
    "(lambda: 0).__code__",
    "(lambda: 0).__globals__",
    "len.__self__",
    "datetime.__subclasses__()",
    "math.__loader__",
    "re.sys.modules['os'].system('true')",
    "random._os.system('true')",
    "string.Formatter().format('{0.__class__}', run.name)",
    "re.enum.sys",
    # Formats that reach into objects
    "'{0.__class__}'.format(run)",
    "'{0.__class__.__init__.__globals__}'.format(run.name)",
    "'{x.__class__}'.format_map({'x': run.name})",
    "'%(__class__)s' % run.hp",
    "f'{run.name.__class__}'",
    "f'{run.name!r:{run.name.__class__}}'",
    # Frames of generators and errors (CVE-2023-37271, CVE-2023-41039, CVE-2024-47532 of RestrictedPython)
    "(x for x in [1]).gi_frame",
    "(x for x in [1]).gi_frame.f_back.f_back.f_globals",
    "[g.gi_frame.f_back for g in [(x for x in [1])]]",
    "[g := (g.gi_frame.f_back.f_back for _ in [0])][0]",
    "any(q.gi_frame for q in [(x for x in [1])])",
    "(lambda g: g.gi_yieldfrom)((x for x in [1]))",
    "string.Formatter",
    "random.Random.__reduce__",
    "random.sys",
    # Names of Python
    "__import__('os').system('true')",
    "__builtins__",
    "eval('1')",
    "exec('1')",
    "compile('1', '', 'eval')",
    "open('/etc/passwd').read()",
    "getattr(run, '_table')",
    "setattr(run, 'name', 'x')",
    "globals()",
    "vars(run)",
    "type('X', (), {})",
    "type(run.name)",
    "object.__subclasses__()",
    "super().__init__",
    "breakpoint()",
    "input()",
    "print(run.name)",
    "help()",
    "exit()",
    # Our own objects
    "len.call",
    "(lambda x: x).frame",
    "(lambda x: x).body",
    "re.search('a', run.name).names",
    "re.search('a', run.name).text",
    "re.search('a', run.name)._number(0)",
    "run.table",
    "metric.table",
    "run.metrics.run",
    "sorted([len, abs], key=lambda f: f.name)",
    "str(len)",
    "repr(lambda x: x)",
    # Changing what is asked about
    "run.tags.append('x')",
    "run.hp.update({'lr': 1})",
    "run.hp.clear()",
    "run.l.pop()",
    "run.l.sort()",
    "[run.l for run.l in [1]]",
    "(run.name := 'x')",
    "[x.clear() for x in run.values()]",
    # Statements
    "import os",
    "run.name = 'x'",
    "del run.name",
    "lambda: (yield)",
    "await run.name",
    "[x async for x in run.tags]",
    "raise ValueError",
    "assert False",
    "while True: pass",
    "def f(): pass",
    "a; b",
    "run.name #) and __import__('os')",
]

FLOODS = [
    "9**9**9",
    "9**9**9**9",
    "10**10**10 > run.a",
    "run.a ** 10**10 ** 10",
    "'a' * 10**9",
    "('a' * 10**5) * 10**5",
    "[0] * 10**9",
    "run.text * 10**9",
    "10**8 << 10**8",
    "1 << 10**12",
    "'%999999999d' % 1",
    "'%*d' % (10**9, 1)",
    "f'{1:999999999d}'",
    "f'{1:{10**9}d}'",
    "f'{run.a:>{10**9}}'",
    "'a'.ljust(10**10)",
    "'\\t'.expandtabs(10**10)",
    "'a'.replace('', 'b' * 10**5)",
    "','.join(['a' * 1000] * 10**4)",
    "list(range(10**12))",
    "sum(range(10**12))",
    "len([x for x in range(10**12)])",
    "any(x < 0 for x in range(10**12))",
    "[[x for x in range(10**5)] for y in range(10**5)]",
    "[x for x in range(10**4) for y in range(10**4) if x == -1]",
    "max(range(10**18))",
    "-1.5 in range(10**18)",
    "{x * (2**61 - 1): 1 for x in range(10**5)}",
    "{x * (2**61 - 1) for x in range(9999)} == {x * (2**61 - 1) for x in range(9999)}",
    "(lambda f: f(f))(lambda f: f(f))",
    "(lambda f: f(f, 1))(lambda f, n: f(f, n * 2))",
    "(lambda f: [f(f) for x in range(100)])(lambda f: [f(f) for x in range(100)])",
    "[(l := [l, l]) for x in range(100)] if (l := [1]) else 0",
    "(a := [0] * 1000) and (b := [a] * 90) and (c := [b] * 90) and c == c",
    "str([[[0] * 300] * 300] * 300)",
    "sorted(range(10**5), key=lambda x: 'a' * 99999 + str(x))",
    "list(map(lambda x: 'a' * 99999, range(10**5)))",
    "zip(range(10**5), range(10**5), range(10**5), range(10**5))",
    "[f'{x:>1000}' for x in range(10**6)]",
    "math.factorial(10**9)",
    "math.comb(10**9, 5 * 10**8)",
    "math.prod(range(1, 10**5))",
    "pow(3, 10**9)",
    "round(5, -10**9)",
    "int('9' * 10**6)",
    "bytes(10**12)",
    "chr(97) * 10**12",
    "sum([[1]] * 10**5, [])",
    "re.search('(a+)+$', 'a' * 5000 + 'b')",
    "re.search('(a+)+$', run.text * 1000)",
    "re.search('(x+x+)+y', 'x' * 9999)",
    "re.match('(.*)*' * 20 + 'z', run.text)",
    "re.search('a{1000}' * 100, run.text)",
    "re.search('((a{0,100}){0,100}){0,100}', run.text)",
    "datetime.max + timedelta(days=1)",
    "timedelta(days=10**30)",
    "datetime(9999, 12, 31).strftime('%999999999d')",
    "datetime.fromtimestamp(10**30)",
    "'(' * 10**5",
]


def table() -> MemoryTable:
    """Return two runs, one archived. A query that finds it without reading `run.archived` has broken out."""
    params = {"a": 3, "text": "aaaa", "hp": {"lr": 0.1}, "l": [3, 1], "run": "not the run", "db": 5}
    series = [Series("loss", {}, values=[1.0], steps=[0])]
    return MemoryTable(
        [
            PlainRun(params, series, {"name": "alpha", "tags": ["t"], "hash": "aa"}),
            PlainRun(dict(params), series, {"name": "beta", "archived": True, "hash": "bb"}),
        ]
    )


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("subject", names.SUBJECTS)
def test_an_attack_gives_a_value_or_invalid_query(text: str, subject: str) -> None:
    """
    An attack is refused or is a param; the archived run stays hidden and the table stays the same.
    """
    asked = table()
    try:
        query = compile_query(text, subject)
        rows = query.select_runs(asked).tolist()
        if subject != "run":
            rows += query.select_sequences(asked)[1].tolist()
    except InvalidQuery:
        rows = []

    assert query_hides_archived(text, rows)
    assert ["t"] == asked.runs[0].fact("tags")
    assert table().runs[0].params == asked.runs[0].params


def query_hides_archived(text: str, rows: list[int]) -> bool:
    """Return whether the archived run, row 1, is left out, or the query reads `run.archived`."""
    return 1 not in rows or "run.archived" in text


@pytest.mark.parametrize("text", FLOODS)
def test_a_flood_ends_soon_and_small(text: str) -> None:
    """
    A query that would take years or all memory ends within the time limit, with little memory.
    """
    gc.collect()
    tracemalloc.start()
    begin = time.thread_time()  # other work on the machine does not count
    try:
        compile_query(text).select_runs(table(), time_limit_s=0.5)
    except InvalidQuery:
        pass
    took_s = time.thread_time() - begin
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert took_s < 8.0  # tracing memory makes Python some five times slower
    assert peak_bytes < 64 << 20


def test_a_query_from_a_thread_ends_as_one_from_the_main_thread() -> None:
    """
    Deep queries are refused on the smaller stacks of threads, too.
    """
    refused: list[str] = []

    def ask() -> None:
        for text in ("(" * 150 + "1" + ")" * 150, "-" * 5_000 + "1", "[" * 60 + "]" * 60, "run.a" + ".a" * 60_000):
            try:
                compile_query(text).select_runs(table())
            except InvalidQuery as error:
                refused.append(error.message)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(timeout=60)

    assert not thread.is_alive()
    assert len(refused) >= 3


def test_no_module_of_the_package_can_run_text() -> None:
    """
    The sources of the package contain no call that runs text, imports modules or reads attributes by a computed
    name.
    """
    folder = Path(__file__).parents[2] / "src/aim/query"
    named = {
        (path.name, word)
        for path in folder.glob("*.py")
        for word in ("eval(", "exec(", "__import__(", "importlib", "globals()", "pickle", "subprocess")
        if word in path.read_text(encoding="utf-8").replace("mode=", "").replace("literal_eval(", "")
    }

    assert set() == named
