"""
From the name of a series in the source to a name and a context here.

    context   (the default)  a word for the part of the data, set off by / _ or . at either end, becomes the context:
                             `train/loss`, `loss_train`  ->  `loss` {"subset": "train"}; `valid`, `validation` -> `val`
    full                     names stay as they are
    --map RULES.toml|.json   [[rule]] match = "regex", name = "...", context = {..}, skip = false; the first that
                             matches the whole name wins, and is tried before the above

Two series never become one: the second keeps its full name, and `Names.apart` says so.

Patterns are matched as in queries, in bounded time (query/regex.py).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from aim.core import contexts
from aim.core.errors import UsageError
from aim.query import regex
from aim.query.pattern import BadPattern

FULL, CONTEXT = NAMINGS = ("full", "context")
SUBSETS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "eval": "eval"}
_WORDS = "|".join(sorted(SUBSETS, key=len, reverse=True))
_LEADING = re.compile(rf"({_WORDS})[/_.](.+)", re.DOTALL)
_TRAILING = re.compile(rf"(.+)[/_.]({_WORDS})", re.DOTALL)

Context = Mapping[str, Any]


class Rule(NamedTuple):
    """One rule of a file for `--map`; None as name: it stays."""

    pattern: str
    name: str | None
    context: Context
    is_skipped: bool


class Series(NamedTuple):
    """What a series is called here."""

    name: str
    context: Context
    is_skipped: bool = False


def split(name: str) -> tuple[str, dict[str, str]]:
    """
    Return *name* without the word that says which part of the data it is about, and the context of that word.

    >>> split("val/acc"), split("loss.train"), split("trainer/loss"), split("train")
    (('acc', {'subset': 'val'}), ('loss', {'subset': 'train'}), ('trainer/loss', {}), ('train', {}))
    """
    leading = _LEADING.fullmatch(name)
    if leading:
        return leading[2], {"subset": SUBSETS[leading[1]]}
    trailing = _TRAILING.fullmatch(name)
    if trailing:
        return trailing[1], {"subset": SUBSETS[trailing[2]]}
    return name, {}


def read_rules(path: Path) -> list[Rule]:
    """
    Read a file of rules.

    Raises:
        UsageError: it is neither TOML nor JSON, a key is not one of a rule, or a pattern can't be compiled.
    """
    try:
        document = _document(path)
    except OSError as error:
        raise UsageError(f"The rules '{path}' can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"The rules '{path}' can't be understood: {error}.") from error
    rules = document.get("rule", []) if isinstance(document, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise UsageError(f"'{path}': rules are tables that begin with [[rule]]; in JSON a list `rule` of objects.")
    return [_rule(path, number, rule) for number, rule in enumerate(rules, 1)]


def _document(path: Path) -> Any:
    content = path.read_bytes().decode()
    if path.suffix.lower() == ".json":
        return json.loads(content)
    reader = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    try:
        toml = import_module(reader)
    except ImportError:  # Python 3.10 does not read TOML itself
        raise UsageError(
            f"'{path}' is TOML, which this Python reads with the package tomli: pip install tomli. Or write the rules "
            'as JSON: {"rule": [{"match": "...", "name": "..."}]}, in a file that ends with .json.'
        ) from None
    return toml.loads(content)


def _rule(path: Path, number: int, rule: Mapping[str, Any]) -> Rule:
    unknown = rule.keys() - {"match", "name", "context", "skip"}
    if unknown or not isinstance(rule.get("match"), str):
        raise UsageError(f"'{path}', rule {number}: expected match and, if wanted, name, context and skip.")
    if not isinstance(rule.get("context", {}), dict):
        raise UsageError(f"'{path}', rule {number}: context has to be a table, such as {{subset = \"val\"}}.")
    try:
        regex.compiled(rule["match"])
    except BadPattern as error:
        raise UsageError(f"'{path}', rule {number}: the pattern {rule['match']!r} can't be used: {error}.") from None
    context = contexts.plain(rule.get("context", {}))
    return Rule(rule["match"], rule.get("name"), context, bool(rule.get("skip", False)))


class Names:
    """
    The names of one run's series, each decided once.

    Attributes:
        apart: series that keep their full name because another one has the name that they would get.
        renamed: old name and context -> new name and context, of those that changed.
    """

    def __init__(self, naming: str = CONTEXT, rules: list[Rule] | None = None) -> None:
        self.apart: list[str] = []
        self.renamed: dict[tuple[str, str], tuple[str, str]] = {}
        self._naming = naming
        self._rules = rules or []
        self._decided: dict[tuple[str, str], Series] = {}
        self._taken: dict[tuple[str, str], tuple[str, str]] = {}

    def series(self, name: str, context: Context) -> Series:
        """Return what the source's series *name* with *context* is called here."""
        key = (name, contexts.text(dict(context)))
        series = self._decided.get(key)
        if series is None:
            series = self._decided[key] = self._decide(key, name or "(no name)", context)
        return series

    def _decide(self, key: tuple[str, str], name: str, context: Context) -> Series:
        series = self._ruled(name, context)
        if series.is_skipped:
            return series
        taken = (series.name, contexts.text(dict(series.context)))
        owner = self._taken.setdefault(taken, key)
        if owner != key:
            self.apart.append(name)
            series = Series(name, context)
            taken = key
            number = 2
            while self._taken.setdefault(taken, key) != key:
                series = Series(f"{name} ({number})", context)
                taken, number = (series.name, key[1]), number + 1
        if taken != key:
            self.renamed[key] = taken
        return series

    def _ruled(self, name: str, context: Context) -> Series:
        for rule in self._rules:
            if regex.fullmatch(rule.pattern, name):
                new_name = name if rule.name is None else rule.name
                return Series(new_name, {**context, **rule.context}, rule.is_skipped)
        if self._naming == FULL:
            return Series(name, context)
        short, subset = split(name)
        return Series(name, context) if "subset" in context else Series(short, {**context, **subset})
