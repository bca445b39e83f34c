"""
The names behind `run.`, `metric.`, `images.` ..., with their types.

    run.<name>         a field of RUN; any other name is a param, so no name is unknown
    metric.<name>      one of PAIR, SUMMARY and POINTS, or `run`; any other name is unknown

`check` needs the types to find a wrong method, attribute or comparison before any run is read. A field may always be
None as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime, timedelta

from aim.core.kinds import METRIC, OBJECT_KINDS, QUERY_SUBJECTS
from aim.core.summaries import SUMMARY_VALUES

SUBJECTS = ("run", *QUERY_SUBJECTS)
"""What a query can be about, which is also the name of its variable. Every query has the variable `run` as well."""

SUBJECT_ALIASES = {
    "runs": "run",
    "metrics": METRIC,
    **{alias: kind.subject for kind in OBJECT_KINDS for alias in kind.aliases},
}
"""What people write instead of a subject, and the subject that is meant."""

RUN: dict[str, type] = {
    "hash": str,
    "name": str,
    "description": str,
    "experiment": str,
    "tags": list,
    "alerts": list,
    "progress": float,
    "rate": float,
    "remaining": float,
    "archived": bool,
    "is_archived": bool,
    "notes": list,
    "created_at": datetime,
    "creation_time": float,
    "updated_at": datetime,
    "end_time": float,
    "finalized_at": datetime,
    "duration": float,
    "active": bool,
    "status": str,
    "forked_from": str,
}
"""The fields of a run. They come before params of the same name; `run['name']` is the param."""

SEARCH = "search"
"""`run.search('adam')`: whether a run has words anywhere; see `words`."""

STORED_AS: dict[str, str] = {"is_archived": "archived"}
"""Fields with a second name."""

PAIR: dict[str, type] = {"name": str, "context": dict, "version": int}
"""What all sequences of one name, context and kind share."""

NUMBERS_VERSION, OBJECTS_VERSION = 2, 1
"""The values of `metric.version`, and of `images.version` and the like: Aim 3's numbers of the form of points."""

DTYPE, RECORD_MAX_LENGTH = "dtype", "record_max_length"

SUMMARY: dict[str, type] = {**{value.name: value.value_type for value in SUMMARY_VALUES}, DTYPE: str}
"""The summary values of a sequence, and its type; those of a metric are also `run.metrics['loss'].<name>`."""

POINTS: dict[str, type] = {"values": list, "steps": list, "epochs": list, "timestamps": list}
"""The points of a metric, as lists. Reading them is slow, so clauses with them come last."""

TYPE_NAMES: dict[type, str] = {
    str: "a text",
    list: "a list",
    dict: "a dict",
    bool: "true or false",
    int: "a number",
    float: "a number",
    datetime: "a time",
    timedelta: "a length of time",
    type(None): "None",
}
"""The names of types in messages."""

# Constants of other languages.
CONSTANTS = {
    "true": "True",
    "false": "False",
    "null": "None",
    "none": "None",
    "NULL": "None",
    "TRUE": "True",
    "FALSE": "False",
}


def sequence_names(subject: str) -> dict[str, type]:
    """
    Return the names behind the variable of *subject*, without `run`, and their types.

    >>> "last" in sequence_names("metric"), "last" in sequence_names("images")
    (True, False)
    """
    is_metric = subject == METRIC
    values = (value for value in SUMMARY_VALUES if (value.of_metrics if is_metric else value.of_objects))
    names = {**PAIR, DTYPE: str, **{value.name: value.value_type for value in values}}
    if is_metric:
        names.update(POINTS)
    else:
        names["steps"] = list
    return names


def nearest(name: str, names: Iterable[str]) -> str | None:
    """
    Return the one of *names* that was most likely meant by *name*, or None.

    >>> nearest("nmae", ["name", "last", "context"])
    'name'
    """
    candidates = list(names)
    matches = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if matches:
        return matches[0]
    folded = {candidate.lower(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None
