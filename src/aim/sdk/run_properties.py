"""
The properties of a run at one moment: name, description, experiment, tags, archived, notes, and its times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aim.storage.forms.state import RunState


def naive_utc(moment_s: float) -> datetime:
    """
    Return Unix seconds as the datetime in UTC, without a zone, that the properties have.

    >>> naive_utc(0.5)
    datetime.datetime(1970, 1, 1, 0, 0, 0, 500000)
    """
    return datetime.fromtimestamp(moment_s, timezone.utc).replace(tzinfo=None)


@dataclass(frozen=True)
class RunProps:
    """
    The properties of a run at one moment: what `run.props` returns. They are set on the run itself: `run.name = "new"`.

    Attributes:
        creation_time, end_time: Unix seconds; created_at, updated_at, finalized_at: the same in UTC, without a zone.
    """

    hash: str
    name: str | None
    description: str | None
    experiment: str | None
    tags: list[str]
    archived: bool
    creation_time: float
    created_at: datetime
    updated_at: datetime
    end_time: float | None
    finalized_at: datetime | None
    notes: list[Any]


def props_of(state: RunState) -> RunProps:
    """Return the properties that *state* says."""
    end_s = state.status()[1]
    return RunProps(
        hash=state.run_hash,
        name=state.name,
        description=state.properties.get("description"),
        experiment=state.experiment,
        tags=list(state.tags),
        archived=bool(state.properties.get("archived", False)),
        creation_time=state.created_at_s,
        created_at=naive_utc(state.created_at_s),
        updated_at=naive_utc(max(state.latest_at_s, state.created_at_s)),
        end_time=end_s,
        finalized_at=None if end_s is None else naive_utc(end_s),
        notes=_notes(state.properties.get("notes")),
    )


def _notes(written: Any) -> list[Any]:
    # the pages write one text, Aim 3's callers a list of dicts
    return [{"content": written}] if isinstance(written, str) else list(written or ())
