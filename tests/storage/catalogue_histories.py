"""
What the tests of the catalogue share: a repository changed at random, and everything that a catalogue says of it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aim.core.errors import NotFound
from aim.core.summaries import SUMMARY_VALUES
from aim.engine import rewinding
from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.catalogue_row import FIELD_NAMES
from aim.storage.catalogue.distinct_values import MISSING
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal

VALUES: tuple[Any, ...] = (
    1,
    1.0,
    True,
    0,
    False,
    -0.0,
    0.0,
    None,
    "1",
    "",
    "adam",
    float("nan"),
    float("inf"),
    2**60,
    b"\x00\xff",
    [1, 1.0, [True]],
    [],
    {},
    {"deep": {"er": 1}},
    {3: "int key", "s": [None]},
)
POINT_VALUES = (0.5, -1.0, 2.0, float("nan"), float("inf"), 7, 2**60)


class History:
    """A repository with runs that come, record, end, are resumed, edited, sealed and deleted, as *chance* wants it."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.repository = Repository(root, create=True)
        self.chance = chance
        self.writers: dict[str, list[Writer]] = {}

    def step(self) -> None:
        """Let one thing happen."""
        actions: list[Callable[[], None]] = [self.begin, *[self.track] * 4, *[self.set] * 3]
        actions += [self.end, self.resume, self.edit, self.delete, self.drop, self.seal, self.forget]
        actions += [self.rewind, self.delete_points, self.undelete_points]
        self.chance.choice(actions)()

    def _run(self) -> str | None:
        return self.chance.choice(sorted(self.writers)) if self.writers else None

    def _writer(self) -> Writer | None:
        running = [writer for writers in self.writers.values() for writer in writers if not writer.closed]
        return self.chance.choice(running) if running else None

    def begin(self) -> None:
        """A new run."""
        writer = self.repository.new_run()
        self.writers[writer.run_hash] = [writer]

    def track(self) -> None:
        """Some points, in order or not."""
        writer = self._writer()
        if writer is None:
            return
        name, subset = self.chance.choice(("loss", "acc")), self.chance.choice((None, "train", "val"))
        sequence = writer.sequence(name, {"subset": subset} if subset else None)
        for _ in range(self.chance.randint(1, 400) if self.chance.random() < 0.2 else 2):
            step = None if self.chance.random() < 0.9 else self.chance.randint(-3, 30)
            sequence.track(self.chance.choice(POINT_VALUES), step=step)

    def set(self) -> None:
        """A param, at any depth."""
        writer = self._writer()
        if writer is not None:
            path = tuple(self.chance.choices(("hparams", "a", "b", 3), k=self.chance.randint(1, 3)))
            if self.chance.random() < 0.2:
                writer.lines.delete_param(path)
            else:
                writer.lines.set_param(path, self.chance.choice(VALUES))

    def end(self) -> None:
        """A writer ends."""
        writer = self._writer()
        if writer is not None:
            writer.close(error=self.chance.choice((None, "ValueError")))

    def resume(self) -> None:
        """One more writer of a run."""
        run_hash = self._run()
        if run_hash is not None:
            self.writers[run_hash].append(self.repository.resume_run(run_hash))

    def edit(self) -> None:
        """Somebody else changes a run."""
        run_hash = self._run()
        if run_hash is not None:
            change: dict[str, Any] = self.chance.choice(
                (
                    {"property": {"archived": True}},
                    {"property": {"archived": False, "name": "renamed"}},
                    {"tags": {"add": ["paper"], "remove": []}},
                    {"tags": {"add": [], "remove": ["paper"]}},
                    {"set": ["hparams", "a"], "value": 5},
                    {"property": {"notes": "seen"}},
                )
            )
            self.repository.edit(run_hash, change, by="test")

    def drop(self) -> None:
        """Somebody deletes a sequence."""
        run_hash = self._run()
        if run_hash is not None:
            self.repository.edit(run_hash, {"drop": [{"name": "loss", "context": {"subset": "val"}}]}, by="test")

    def rewind(self) -> None:
        """A writer takes its run back."""
        writer = self._writer()
        if writer is not None:
            rewinding.rewind(self.repository.run(writer.run_hash).state(), writer, self.chance.randint(-1, 30))

    def delete_points(self) -> None:
        """Somebody deletes points."""
        run_hash = self._run()
        if run_hash is not None:
            steps = self.chance.sample(range(-3, 30), 3)
            entries = rewinding.deletion_of(self.repository.readers.reader(run_hash), ("loss", "{}"), steps).entries
            if entries:
                self.repository.edit(run_hash, {"delete": entries}, by="test")

    def undelete_points(self) -> None:
        """Somebody shows the deleted points again."""
        run_hash = self._run()
        sequence = (
            self.repository.readers.state(run_hash).sequences.get(("loss", "{}")) if run_hash is not None else None
        )
        if run_hash is not None and sequence is not None and sequence.deletions:
            self.repository.edit(run_hash, {"undelete": rewinding.undeletion_of(sequence)}, by="test")

    def delete(self) -> None:
        """A run that has ended is deleted."""
        run_hash = self._run()
        if run_hash is not None and all(writer.closed for writer in self.writers[run_hash]):
            self.repository.delete_run(run_hash)
            del self.writers[run_hash]

    def seal(self) -> None:
        """An ended writer is sealed."""
        run_hash = self._run()
        if run_hash is not None:
            folder = self.repository.files / "runs" / run_hash
            for writer in self.writers[run_hash]:
                if writer.closed:
                    seal.seal_writer(folder, writer.id, RunLog(folder).refresh())

    def forget(self) -> None:
        """Nothing happens."""

    def close(self) -> None:
        """All writers end."""
        for writers in self.writers.values():
            for writer in writers:
                writer.close()


def catalogue_of(repository: Repository, cache: Path) -> Catalogue:
    """Return a catalogue of *repository* with its file in *cache*."""
    return Catalogue(repository.files, repository.readers.reader, cache=cache)


def contents(catalogue: Catalogue) -> dict[str, Any]:
    """Return all that a catalogue says, by hash: the same for equal contents, whatever the rows."""
    table = catalogue.table
    runs: dict[str, Any] = {}
    for row, run_hash in enumerate(table.hashes()):
        slot = table.runs.slots.slot_of(row)
        # which runs have a sole writer is for reading points; a catalogue may know it later than another
        columns = [(name, table.field(name)) for name in FIELD_NAMES if name != "sole_writer"]
        fields = {}
        for name, column in columns:
            code = int(column.codes[row])
            fields[name] = repr(column.values[code]) if code >= 0 else None
        values = {path: column.value(slot) for path, column in table.params.items()}
        leaves = {path: repr(value) for path, value in values.items() if value is not MISSING}
        runs[run_hash] = {"fields": fields, "leaves": dict(sorted(leaves.items(), key=repr)), "sequences": {}}
    hashes = table.hashes()
    for pair_index, pair in enumerate(table.pairs):
        stored_kinds = [table.kinds.names[number] for number in pair.stored_kinds().tolist()]
        summaries = {value.name: table.summary(pair_index, value.name) for value in SUMMARY_VALUES}
        for index, row in enumerate(table.rows(pair_index).tolist()):
            runs[hashes[row]]["sequences"][(pair.name, pair.context_text, pair.kind)] = {
                "stored_kind": stored_kinds[index],
                **{name: rounded(values[index].item()) for name, values in summaries.items() if values is not None},
            }
    return runs


def rebuilt(repository: Repository, folder: Path) -> dict[str, object]:
    """Return the contents of a catalogue that is made from nothing, and leave its file in *folder*."""
    fresh = catalogue_of(repository, folder)
    fresh.refresh()
    fresh.save()
    return contents(fresh)


def rounded(value: float) -> object:
    """Return a number so that equal ones are equal, NaN too; the last digits of means may differ."""
    return f"{value:.9g}" if isinstance(value, float) and math.isfinite(value) else repr(value)


def exists(repository: Repository, run_hash: str) -> bool:
    """Return whether a run is there."""
    try:
        repository.readers.state(run_hash)
    except NotFound:
        return False
    return True
