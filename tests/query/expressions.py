"""
Random runs and random queries about them, for hypothesis.

Values are few and simple, so that queries often match; types are mixed, so that they often do not fit.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from aim.core.params import ordered
from tests.query.memory_table import PlainRun, Series

numbers = st.sampled_from(
    [0, 1, 2, 3, -1, -2, 7, True, False, 0.5, -1.5, 2.0, 1e300, -0.0, float("inf"), float("nan"), 2**53 + 1, -(2**60)]
)
texts = st.sampled_from(["", "a", "adam", "adamw", "sgd", "3", "Adam", "val"])
scalars = st.one_of(numbers, numbers, texts, st.none())
lists = st.lists(scalars, max_size=3)
keys = st.sampled_from(["a", "b", "lr", "opt", "n", 0, 1])


def _ordered(value: Any) -> Any:
    return ordered({key: _ordered(item) for key, item in value.items()}) if isinstance(value, dict) else value


def _ordered_params(value: dict[str, Any]) -> dict[Any, Any]:
    return ordered({key: _ordered(item) for key, item in value.items()})


trees = st.recursive(
    st.one_of(scalars, scalars, lists), lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=5
)
params: st.SearchStrategy[dict[Any, Any]] = st.dictionaries(
    st.sampled_from(["a", "b", "l", "name", "hp", "hp", "hp"]),
    st.one_of(trees, st.dictionaries(keys, trees, max_size=4)),
    max_size=5,
).map(_ordered_params)
metric_values = st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.5, 1e9])
contexts: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"subset": "train"}, {"subset": "val"}, {"subset": "val", "fold": 1}, {"fold": 2}]
)


@st.composite
def series(draw: st.DrawFn) -> Series:
    """A sequence of one to four points."""
    values = draw(st.lists(metric_values, min_size=1, max_size=4))
    kind = draw(st.sampled_from(["metric", "metric", "metric", "images", "images", "tables"]))
    steps = [place * 10 for place in range(len(values))]
    length = None if kind == "metric" else draw(st.sampled_from([None, 1, 3]))
    dtype = draw(st.sampled_from(["float", "int", "number"])) if kind == "metric" else ""
    return Series(draw(st.sampled_from(["loss", "acc", "a"])), draw(contexts), kind, values, steps, length, dtype)


facts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "hash": st.sampled_from(["0a", "0b", "0c"]),
        "name": st.sampled_from([None, "a", "Run: 0a", "adam 3"]),
        "experiment": st.sampled_from([None, "default", "a"]),
        "tags": st.sampled_from([[], ["a"], ["a", "best"]]),
        "archived": st.sampled_from([False, False, True]),
        "creation_time": st.sampled_from([None, 1.7e9, 1.7e9 + 0.1234567, 1.7e9 + 86400]),
        "end_time": st.sampled_from([None, 1.7e9 + 60, 1.7e9 + 86400 * 2]),
        "status": st.sampled_from(["running", "finished", "failed", "lost"]),
    }
)


@st.composite
def runs(draw: st.DrawFn) -> list[PlainRun]:
    """Up to six runs; sometimes repeated, so that many rows share few values."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        unique: dict[object, Series] = {}
        for one in draw(st.lists(series(), max_size=3)):
            unique[(one.name, str(one.context), one.kind)] = one
        made.append(PlainRun(draw(params), list(unique.values()), draw(facts)))
    return made * draw(st.sampled_from([1, 1, 1, 20]))


RUN_NAMES = (
    "run.a",
    "run.b",
    "run.l",
    "run.hp",
    "run.hp.a",
    "run.hp.lr",
    "run.hp.lr",
    "run.hp.opt",
    "run.hp.n",
    "run.hp.a.b",
    "run.missing",
    "run.hp.missing",
    "run['a']",
    "run['hp', 'lr']",
    "run['hp']['opt']",
    "run['hp', 0]",
    "run.l[0]",
    "run.l[-1]",
    "run.l[0:1]",
    "run['name']",
    "run.get('a')",
    "run.get('a', 1)",
    "run.hp.get('lr', run.a)",
    "run.hp.get('opt')",
    "run.name",
    "run.tags",
    "run.experiment",
    "run.experiment.name",
    "run.archived",
    "run.duration",
    "run.end_time",
    "run.creation_time",
    "run.created_at",
    "run.created_at.hour",
    "run.finalized_at",
    "run.active",
    "run.status",
    "run.metrics['loss']",
    "run.metrics['loss', {'subset': 'val'}].last",
    "run.metrics['acc'].min",
    "run.metrics['a', {'fold': 2}].count",
)
SEQUENCE_NAMES = (
    "metric.name",
    "metric.name",
    "metric.context",
    "metric.context.subset",
    "metric.context['fold']",
    "metric.context.get('subset')",
    "metric.context.get('fold', 1)",
    "metric.last",
    "metric.last",
    "metric.first",
    "metric.min",
    "metric.max",
    "metric.mean",
    "metric.count",
    "metric.dtype",
    "metric.version",
    "metric.last_step",
    "metric.has_nan",
    "metric.values",
    "metric.steps[-1]",
    "metric.run.hp.lr",
)
OBJECT_NAMES = (
    "images.name",
    "images.name",
    "images.context",
    "images.context.subset",
    "images.context.get('fold', 1)",
    "images.count",
    "images.last_step",
    "images.steps[-1]",
    "images.record_max_length",
    "images.dtype",
    "images.run.hp.lr",
)
CONSTANTS = (
    "0",
    "1",
    "3",
    "-1",
    "0.5",
    "2.0",
    "9007199254740993",
    "'a'",
    "'adam'",
    "'3'",
    "''",
    "None",
    "True",
    "False",
    "[]",
    "[1, 'a']",
    "('a', 'adam', 'val')",
    "{'a': 1}",
    "datetime(2023, 11, 15)",
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "==", "<")


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    arithmetic = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    methods = st.sampled_from(["startswith('a')", "endswith('m')", "lower()", "split('a')", "get('a', 1)"])
    functions = st.sampled_from(["len", "abs", "str", "int", "float", "bool", "sum", "sorted", "any", "all"])
    return st.one_of(
        st.tuples(inner, st.sampled_from(COMPARISONS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(COMPARISONS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} < {t[1]} <= {t[2]})"),
        st.tuples(inner, arithmetic, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(["is", "is not"]), st.sampled_from(["None", "True"])).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        inner.map(lambda t: f"(not {t})"),
        inner.map(lambda t: f"(-{t})"),
        st.tuples(functions, inner).map(lambda t: f"{t[0]}({t[1]})"),
        two.map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(inner, st.sampled_from(["str", "int", "(float, str)", "list", "bool"])).map(
            lambda t: f"isinstance({t[0]}, {t[1]})"
        ),
        st.tuples(inner, methods).map(lambda t: f"({t[0]}).{t[1]}"),
        st.tuples(inner, st.sampled_from(["0", "-1", "'a'", "0:2", "::-1"])).map(lambda t: f"({t[0]})[{t[1]}]"),
        two.map(lambda t: f"[x for x in {t[0]} if x != {t[1]}]"),
        two.map(lambda t: f"any(x == {t[1]} for x in {t[0]})"),
        two.map(lambda t: f"[{t[0]}, {t[1]}]"),
        inner.map(lambda t: f"f'{{{t}}}'" if "'" not in t else f"({t})"),
        two.map(lambda t: f"((y := {t[0]}) == {t[1]} or y)"),
    )


def queries(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return random queries about *names* and constants."""
    atoms = st.one_of(st.sampled_from(names), st.sampled_from(names), st.sampled_from(CONSTANTS))
    parts = st.recursive(atoms, _combined, max_leaves=6)
    comparison = st.tuples(parts, st.sampled_from(COMPARISONS), parts).map(lambda t: f"{t[0]} {t[1]} {t[2]}")
    clause = st.one_of(parts, comparison, comparison)
    return st.lists(clause, min_size=1, max_size=3).map(" and ".join)
