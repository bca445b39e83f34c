"""
Neutral events: what every source has in common, in the order of the source.

    RunFound   ->   ParamValue, TagName, NoteText, PointBatch, ObjectStep, LogLines, ArtifactFile ...   ->   Ended

A format's reading makes them of bytes and knows nothing of our files; `intake` makes a run of them. What can't be made
an event is an event too: `LeftOut`, `Refused`, `SourceDamage`. Each is counted, so that read = imported + not imported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.convert.media import Media

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class RunFound(NamedTuple):
    """
    What describes the run; the first event. None: the source does not say so.

    Attributes:
        created_at_s: Unix seconds.
        parent: the id of the run that it belongs to, as `SourceRun.run_id`.
        url: of the run's page in the other tracker.
        tool_version: of the program that wrote the source.
    """

    name: str | None = None
    experiment: str | None = None
    description: str | None = None
    created_at_s: float | None = None
    is_archived: bool = False
    parent: str | None = None
    url: str | None = None
    tool_version: str | None = None


class ParamValue(NamedTuple):
    """A param at a path; a later one at the same path replaces it, as a whole."""

    path: tuple[str | int, ...]
    value: Any


class TagName(NamedTuple):
    """A tag of the run, with the colour and description that the source gives it."""

    name: str
    color: str | None = None
    description: str | None = None


class NoteText(NamedTuple):
    """Notes about the run, as text."""

    text: str


class PointBatch(NamedTuple):
    """
    Points of one metric, in the order in which they were recorded.

    Attributes:
        steps: shape (n,), int64.
        values: shape (n,): float64, int64, or object (Python ints and floats).
        times_s, epochs: shape (n,), or one for all; NaN: the source does not say so.
        is_system: metrics of the machine, counted apart.
    """

    name: str
    context: Mapping[str, Any]
    steps: IntArray
    values: npt.NDArray[Any]
    times_s: FloatArray | float = math.nan
    epochs: FloatArray | float = math.nan
    is_system: bool = False


class ObjectStep(NamedTuple):
    """The objects of one step: one, or with *is_list* a list."""

    name: str
    context: Mapping[str, Any]
    step: int
    items: Sequence[Media]
    time_s: float = math.nan
    epoch: float = math.nan
    is_list: bool = False


class LogLines(NamedTuple):
    """Lines of the terminal, one after the other; a time for each, NaN: the source does not say so."""

    texts: Sequence[str]
    times_s: Sequence[float]


class ArtifactFile(NamedTuple):
    """A file of the run: at *path* below the source, or at the address *uri*."""

    name: str
    path: Path | None = None
    uri: str | None = None


class Rewound(NamedTuple):
    """The run was restarted after *step*: what was recorded before *at_s* at later steps is superseded."""

    step: int
    at_s: float


class Ended(NamedTuple):
    """How the run ended: `finished`, `failed` or `lost`; *at_s* None: at its last point."""

    status: str
    at_s: float | None = None
    error: str | None = None


class Renumbered(NamedTuple):
    """Points that got new steps, because theirs could not be kept; *reason* is for people."""

    reason: str
    record_count: int


class LeftOut(NamedTuple):
    """Records that are never imported, and why; they do not make an import incomplete."""

    reason: str
    record_count: int = 1


class Refused(NamedTuple):
    """Records that should have been imported and were not, and why."""

    reason: str
    record_count: int = 1


class SourceDamage(NamedTuple):
    """A part of a file that can't be read; None as *offset*: the file as a whole."""

    path: str
    offset: int | None
    reason: str


class BytesRead(NamedTuple):
    """So many more bytes of the run's files were read, about; for a progress bar only."""

    size_bytes: int


Event = (
    RunFound
    | ParamValue
    | TagName
    | NoteText
    | PointBatch
    | ObjectStep
    | LogLines
    | ArtifactFile
    | Rewound
    | Ended
    | Renumbered
    | LeftOut
    | Refused
    | SourceDamage
    | BytesRead
)
