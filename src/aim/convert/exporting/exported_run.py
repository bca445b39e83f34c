"""
A run as every export reads it: a record of what it is, its curves one by one, its objects one by one.

Memory: one curve, or one object with its bytes, at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aim.core import params
from aim.core.errors import DamagedFile, RunNotFound
from aim.core.kinds import subject_of
from aim.core.params import OWN_KIND
from aim.engine.listing import notes_text
from aim.storage.forms import blobs
from aim.storage.forms.state import RunState, SequenceKey, SequenceState
from aim.storage.reading.points import Points

if TYPE_CHECKING:
    from aim.engine.artifacts import RunFile
    from aim.engine.door import Door

DAMAGED_OBJECT = "a damaged object (`aim fsck` says where it is)"
SequenceFilter = Callable[[str, SequenceState], bool]


@dataclass(frozen=True)
class ExportedObject:
    """
    One tracked object.

    Attributes:
        sequence: the sequence that it was tracked in.
        step, time_s, epoch: of its point; a NaN epoch is none.
        index: its place in the list that was tracked at this step; 0 when it was tracked alone.
        kind: such as `aim.image`.
        fields: its properties, as docs/formats/objects.md has them.
        data: its bytes; None: it has only fields.
    """

    sequence: SequenceState
    step: int
    time_s: float
    epoch: float
    index: int
    kind: str
    fields: Mapping[str, Any]
    data: bytes | None


class ExportedRun:
    """
    The run *run_hash* of a repository.

    Args:
        is_chosen: whether a sequence is exported; None: all are.
        on_damage: is called once for each object that can't be read.

    Raises:
        RunNotFound: the run was deleted.
    """

    def __init__(
        self, door: Door, run_hash: str, is_chosen: SequenceFilter | None, on_damage: Callable[[str], None]
    ) -> None:
        self.run_hash = run_hash
        self._run = door.run(run_hash)
        self._is_chosen = is_chosen
        self._on_damage = on_damage
        self.state: RunState = self._run.state()

    @cached_property
    def params(self) -> dict[str, Any]:
        """All params, the environment under `__system_params` too, as plain values."""
        tree = self._run.params()
        return tree if isinstance(tree, dict) else {}

    @cached_property
    def record(self) -> dict[str, Any]:
        """What the run is, as JSON: properties, params in their form of docs/formats/events.md, tags, artifacts."""
        status, end_s = self.state.status()
        properties = self.state.properties
        return {
            "hash": self.run_hash,
            "name": properties.get("name"),
            "experiment": self.state.experiment,
            "description": properties.get("description"),
            "notes": notes_text(properties.get("notes")),
            "created_at": self.state.created_at_s,
            "end_time": end_s,
            "status": status,
            "error": self.state.error(),
            "archived": bool(properties.get("archived", False)),
            "tags": list(self.state.tags),
            "params": params.encode(self.params, strict=False),
            "artifacts": [record.event() for record in self.state.artifacts.values()],
        }

    def sequences(self) -> list[SequenceState]:
        """List the sequences that are exported, by name and context."""
        chosen = [
            sequence
            for sequence in self._run.sequences().values()
            if self._is_chosen is None or self._is_chosen(self.run_hash, sequence)
        ]
        return sorted(chosen, key=lambda sequence: sequence.key)

    def curves(self) -> Iterator[tuple[SequenceState, Points]]:
        """Go through the sequences of numbers, each with its points."""
        for sequence in self.sequences():
            points = self.points(sequence.key) if sequence.is_numeric else None
            if points is not None and len(points):
                yield sequence, points

    def points(self, key: SequenceKey) -> Points | None:
        """Return the points of one sequence; None: it is gone."""
        return self._run.points(key)

    def objects(self) -> Iterator[ExportedObject]:
        """Go through the objects of all kinds, those of logs too; an object that can't be read is reported."""
        for sequence in self.sequences():
            points = None if sequence.is_numeric else self.points(sequence.key)
            for position in range(0 if points is None else len(points)):
                if points is not None:
                    yield from self._objects_at(sequence, points, position)

    def _objects_at(self, sequence: SequenceState, points: Points, position: int) -> Iterator[ExportedObject]:
        try:
            record_kind = self._run.record(points, position)["kind"]
            items = self._run.items(points, position)
        except (DamagedFile, FileNotFoundError):
            self._on_damage(DAMAGED_OBJECT)
            return
        writer = points.writer_ids[int(points.writers[position])]
        number, _ = blobs.split_position(int(points.values[position]))
        for index, item in items:
            try:
                offset = item.get("data")
                data = self._run.read_data(writer, number, offset) if isinstance(offset, int) else None
            except (DamagedFile, FileNotFoundError):
                self._on_damage(DAMAGED_OBJECT)
                continue
            yield ExportedObject(
                sequence,
                int(points.steps[position]),
                float(points.times_s[position]),
                float(points.epochs[position]),
                index,
                blobs.kind_of_item(str(record_kind), item),
                {name: value for name, value in item.items() if name not in ("data", "size", OWN_KIND)},
                data,
            )

    def files(self) -> list[RunFile]:
        """List the artifacts, those that lie elsewhere too."""
        return self._run.files()


class ExportedRuns:
    """
    The runs of one export, in the order of their making.

    Attributes:
        door: the repository.
        hashes: of the runs.
    """

    def __init__(
        self,
        door: Door,
        hashes: Iterable[str],
        is_chosen: SequenceFilter | None,
        on_damage: Callable[[str], None],
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self.door = door
        self.hashes = list(hashes)
        self.has_all_sequences = is_chosen is None
        self._is_chosen = is_chosen
        self._on_damage = on_damage
        self._on_progress = on_progress

    def __iter__(self) -> Iterator[ExportedRun]:
        for index, run_hash in enumerate(self.hashes):
            try:
                yield ExportedRun(self.door, run_hash, self._is_chosen, self._on_damage)
            except (RunNotFound, FileNotFoundError):
                self._on_damage("a run that was deleted meanwhile")
            if self._on_progress is not None:
                self._on_progress(index + 1, len(self.hashes))


def subject_filter(subject: str, chosen: Mapping[str, frozenset[SequenceKey]]) -> SequenceFilter:
    """Return a filter for the sequences of kind *subject* whose keys are in *chosen*, by the hash of their run."""

    def is_chosen(run_hash: str, sequence: SequenceState) -> bool:
        return subject_of(sequence.kind) == subject and sequence.key in chosen.get(run_hash, frozenset())

    return is_chosen
