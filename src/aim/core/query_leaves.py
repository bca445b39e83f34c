"""
What a query can compare of a run, as rows of a database: a path, a kind, and a number or a text.

    ["hparams","lr"]                     a param; a list is one leaf, and so is an empty dict
    $name, $created_at                   a field of the run
    $tags["best"]                        a tag
    $metric.last["loss","{}"]            a summary value of a sequence, with its name and the text of its context

`storage.cluster` writes them for runs that have ended, and `query.sql` asks them. A path is JSON in ASCII, so what lies
below a param is what begins with its path without the last bracket.

A leaf says less than the value: an int is rounded to a float, a list has no content. So whoever asks leaves must be
content with too many runs, and never gets too few.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from aim.core.kinds import METRIC

KINDS = ("none", "bool", "int", "float", "str", "json", "long")
"""The kinds of leaves, in the order of their numbers. `long` is a text of more than TEXT_BYTES_MAX bytes."""

NUMBERS = ("bool", "int", "float")
TEXT_BYTES_MAX = 1_000
NUMBER_FIELDS = ("archived", "creation_time", "update_time", "end_time", "progress")
TEXT_FIELDS = ("hash", "name", "description", "experiment", "status", "forked_from")
METRIC_VALUES = ("last", "min", "max")
OBJECT_VALUES = ("count",)


class QueryLeaf(NamedTuple):
    """One leaf of a run."""

    path: str
    kind: str
    number: float = 0.0
    text: bytes = b""


def param_path(path: Sequence[str | int]) -> str:
    """
    Return the path of a param.

    >>> param_path(("hparams", "layer.1", 3))
    '["hparams","layer.1",3]'
    """
    return json.dumps(list(path), separators=(",", ":"))


def below_param(path: Sequence[str | int]) -> str:
    """
    Return what the paths of all leaves below a dict begin with.

    >>> below_param(("hparams",))
    '["hparams",'
    """
    return f"{param_path(path)[:-1]},"


def field_path(name: str) -> str:
    """Return the path of a field, one of NUMBER_FIELDS and TEXT_FIELDS."""
    return f"${name}"


def tag_path(tag: str | None) -> str:
    """
    Return the path of a tag; without one, what the paths of all tags begin with.

    >>> tag_path("best"), tag_path(None)
    ('$tags["best"]', '$tags[')
    """
    return "$tags[" if tag is None else f"$tags{json.dumps([tag])}"


def values_of(kind: str) -> tuple[str, ...]:
    """Return the summary values that a sequence of a kind has a leaf of; the first is there for every sequence."""
    return METRIC_VALUES if kind == METRIC else OBJECT_VALUES


def sequence_path(kind: str, value: str, name: str | None = None, context_text: str | None = None) -> str:
    """
    Return the path of a summary value; without name or context, what the paths of all such begin with.

    >>> sequence_path("metric", "last", "loss", "{}"), sequence_path("metric", "last", "loss")
    ('$metric.last["loss","{}"]', '$metric.last["loss",')
    """
    head = f"${kind}.{value}"
    if name is None:
        return f"{head}["
    if context_text is None:
        return f"{head}{below_param((name,))}"
    return head + param_path((name, context_text))


def value_leaf(path: str, value: object) -> QueryLeaf:
    """
    Return the leaf of a value.

    >>> value_leaf("$name", "adam"), value_leaf("$x", 10**400).number
    (QueryLeaf(path='$name', kind='str', number=0.0, text=b'adam'), inf)
    """
    if value is None:
        return QueryLeaf(path, "none")
    if isinstance(value, (bool, int, float)):
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"
        return QueryLeaf(path, kind, as_float(value))
    if isinstance(value, str):
        text = as_bytes(value)
        return QueryLeaf(path, "str", text=text) if len(text) <= TEXT_BYTES_MAX else QueryLeaf(path, "long")
    return QueryLeaf(path, "json")


def as_float(value: float) -> float:
    """Return a number as the nearest float; of two numbers the larger one has no smaller float."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def as_bytes(text: str) -> bytes:
    """Return the bytes of a text; they have the order of the characters."""
    return text.encode("utf-8", "surrogatepass")


SequenceValues = tuple[str, str, str, Mapping[str, float]]
"""Of a sequence: its kind, its name, the text of its context, and its summary values by their names."""


def leaves_of(
    fields: Mapping[str, object],
    params: Mapping[tuple[str | int, ...], object],
    sequences: Iterable[SequenceValues],
) -> Iterator[QueryLeaf]:
    """
    Yield the leaves of a run.

    Args:
        fields: by their names; those that a run does not have are missing, or None.
        params: the leaves of the params, flattened.
    """
    for path, value in params.items():
        yield value_leaf(param_path(path), value)
    for name in (*NUMBER_FIELDS, *TEXT_FIELDS):
        if fields.get(name) is not None:
            yield value_leaf(field_path(name), fields[name])
    tags = fields.get("tags")
    for tag in dict.fromkeys(tags) if isinstance(tags, list) else ():
        yield QueryLeaf(tag_path(str(tag)), "json")
    for kind, name, context_text, values in sequences:
        for value in values_of(kind):
            yield value_leaf(sequence_path(kind, value, name, context_text), values[value])
