"""
Words that runs are searched for.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from aim.core.errors import InvalidQuery
from aim.query.query import compile_query
from aim.query.words import Word, is_search, pattern_of, runs_with, words_of
from tests.query.memory_table import MemoryTable, PlainRun


@pytest.mark.parametrize(
    "text",
    [
        "adam",
        " adam cifar ",
        "lr=0.1",
        "0.1",
        "3e5",
        "-x",
        "best-run",
        "/a(b|c)/",
        "a.b",
        "running",
        "metrics",
        "/tmp/x",
    ],
)
def test_words_are_a_search(text: str) -> None:
    """What has no operator, bracket or variable of a query is looked for, a regular expression whatever it has."""
    assert is_search(text)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "run.lr", "run . lr", "lr > 0.1", "a == 1", "a != 1", "not adam", "a and b", "x in y", "f(x)", "a[0]",
     "metric.last", "images.name", "True", "# comment", "select run.x if run.y"],
)  # fmt: skip
def test_an_expression_is_no_search(text: str) -> None:
    """An expression with an error in it stays an error: who wrote `lr > 0.1` did not look for these words."""
    assert not is_search(text)


def test_words_part_at_spaces_outside_of_quotes() -> None:
    """Case does not matter; a key is what stands before the first `=`, where something stands behind it."""
    expected = [Word("adam"), Word("best run"), Word("0.1", "lr"), Word("=x"), Word("lr="), Word("b=c", "a"), Word("")]
    assert expected == words_of('Adam "Best  run" LR=0.1 =x lr= a=b=c ""'.replace("  ", " "))


@pytest.mark.parametrize(
    ("text", "expected"), [("/a/", "a"), (" /a b/ ", "a b"), ("//", None), ("/", None), ("/a", None), ("a/", None)]
)
def test_a_pattern_stands_between_slashes(text: str, expected: str | None) -> None:
    """One slash, or nothing between two, is a word."""
    assert expected == pattern_of(text)


FIRST: dict[str, Any] = {
    "hash": "3df7", "name": "Alpha One", "experiment": "vision", "tags": ["best", "paper"],
    "notes": [{"content": "It diverged."}],
}  # fmt: skip
PARAMS: dict[Any, Any] = {
    "hparams": {"lr": 0.015, "opt": "adam", "layers": ["conv", {"kind": "deep"}]},
    "flag": True,
    "no": None,
    "__system_params": {"packages": {"torch": "2.9"}},
}
RUNS = [
    PlainRun(PARAMS, fields=FIRST),
    PlainRun(
        {"hparams": {"lr": 0.1, "opt": "sgd"}, 3: 150},
        fields={"hash": "77aa", "name": "beta", "description": "a baseline", "experiment": ""},
    ),
    PlainRun({"lr": float("nan")}, fields={"hash": "c0de", "experiment": "Text"}),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpha", [0]),
        ("ALPHA vision", [0]),
        ("alpha text", []),
        ('"alpha one"', [0]),
        ('"one alpha"', []),
        ("paper", [0]),
        ("diverged", [0]),
        ("baseline", [1]),
        ("df7", [0]),
        ("deep", [0]),
        ("lr=0.01", [0]),
        ("lr=0.1", [1]),
        ("lr=nan", [2]),
        ("LR=0", [0, 1]),
        ("3=150", [1]),
        ("opt=ad", [0]),
        ("opt=dam", []),
        ("kind=deep", []),
        ("0.1", [1]),
        ("15", [1]),
        ("5", []),
        ("true", [0]),
        ("flag=true", [0]),
        ("none", [0]),
        ("torch", []),
        ("/^alpha/", [0]),
        ("/^lph/", []),
        ("/ADAM|sgd/", [0, 1]),
        ("/^0\\.0/", [0]),
        ("", [0, 1, 2]),
    ],
)
def test_runs_are_found_by_their_words(text: str, expected: list[int]) -> None:
    """
    Words stand anywhere in texts, and at the beginning of numbers; the recorded environment is not searched.
    """
    assert expected == runs_with(MemoryTable(RUNS), text).nonzero()[0].tolist()


def has_word(run: PlainRun, word: str) -> bool:
    """Return the same by looking through one run."""
    waiting: list[Any] = [run.params, *run.fields.values()]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(item for key, item in value.items() if key != "__system_params")
        elif isinstance(value, list):
            waiting.extend(value)
        elif (isinstance(value, str) and word in value.casefold()) or (
            value is not None and not isinstance(value, str) and repr(value).casefold().startswith(word)
        ):
            return True
    return False


@pytest.mark.parametrize("seed", range(10))
def test_a_search_of_many_runs_is_that_of_each(seed: int) -> None:
    """Random runs, of which every word is looked for one run at a time too."""
    chance = random.Random(seed)
    pieces = ["adam", "Ada", "x1", "0.5", "best", "ß"]
    runs = [
        PlainRun(
            {"a": {"b": chance.choice([0.5, 1, 15, True, *pieces])}, "c": [chance.choice(pieces), {"d": 2.5}]},
            fields={
                "hash": f"{chance.randrange(16**6):06x}",
                "name": chance.choice(pieces),
                "tags": chance.sample(pieces, 2),
                "experiment": "",
            },
        )
        for _ in range(30)
    ]
    table = MemoryTable(runs)
    for word in ["adam", "ad", "x", "0", "1", "tr", "b", "ss", "2.5", chance.choice(runs).fields["hash"][2:5]]:
        expected = [index for index, run in enumerate(runs) if has_word(run, word)]
        assert expected == runs_with(table, word).nonzero()[0].tolist()


def test_a_search_is_a_part_of_a_query_like_any_other() -> None:
    """It can be negated and joined with others."""
    table = MemoryTable(RUNS)
    query = compile_query("not run.search('adam') and run.hparams.lr > 0.05 or run.search('/^text$/')")
    assert [1, 2] == query.select_runs(table).tolist()
    metrics = compile_query("run.search('adam') and metric.name == 'loss'", "metric")
    assert ["run", "pair"] == [clause.needs_text for clause in metrics.clauses]


@pytest.mark.parametrize(
    "call", ["run.search()", "run.search(run.name)", "run.search('a', 'b')", "run.search(text='a')"]
)
def test_a_search_takes_one_text_that_is_written_out(call: str) -> None:
    """Anything else is refused before a run is read, with an example."""
    with pytest.raises(InvalidQuery, match=r"takes one text that is written out, as in run.search\('adam'\)"):
        compile_query(call)


def test_a_param_of_that_name_is_a_param() -> None:
    """Only the call is the search."""
    table = MemoryTable([PlainRun({"search": "grid"}), PlainRun()])
    assert [0] == compile_query("run.search == 'grid'").select_runs(table).tolist()
