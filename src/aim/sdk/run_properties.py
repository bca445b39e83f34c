"""
The properties of a run at one moment: name, description, experiment, tags, archived, notes, and its times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aim.core.tuples import NamedTuple
from aim.storage.forms.state import RunState

if TYPE_CHECKING:
    from datetime import datetime


class RunProps(NamedTuple):
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
    from aim.core.zones import utc_without_zone  # a training asks for none of them

    end_s = state.status()[1]
    return RunProps(
        hash=state.run_hash,
        name=state.name,
        description=state.properties.get("description"),
        experiment=state.experiment,
        tags=list(state.tags),
        archived=bool(state.properties.get("archived", False)),
        creation_time=state.created_at_s,
        created_at=utc_without_zone(state.created_at_s),
        updated_at=utc_without_zone(max(state.latest_at_s, state.created_at_s)),
        end_time=end_s,
        finalized_at=None if end_s is None else utc_without_zone(end_s),
        notes=_notes(state.properties.get("notes")),
    )


def _notes(written: Any) -> list[Any]:
    # the pages write one text, Aim 3's callers a list of dicts
    return [{"content": written}] if isinstance(written, str) else list(written or ())
