"""
The entrance for runs that another program recorded: arrays in, the sealed form out, all times settable.

    with exclusive(repository):
        run = begin(repository, run_hash, created_at_s=...)      a `RunImport`, storage/care/importing.py
        run.points(name, context, steps, values, times_s, epochs)
        run.write()                                              whole, and not yet in the repository
        run.finish(note)                                         it is there from here on

A training records through `Run`, one value at a time and safe at each. An import has all values at hand and can begin
again, so it writes whole files: a million points a second instead of a tenth of that.

`checksums` reads a written run back, so that whoever fed it in can compare before it appears.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from aim.core import clock
from aim.core.addresses import folder_of_address, is_server, server_address
from aim.core.errors import RunBusy
from aim.core.reserved import SYSTEM_PREFIX
from aim.engine.repository import Repository
from aim.storage.forms.records import IntArray
from aim.storage.reading.reader import recorded_parts, visible_count

if TYPE_CHECKING:
    from aim.engine.door import TagDoor
    from aim.storage.care.importing import ImportFollowers, RunImport
    from aim.storage.forms.state import SequenceKey

TENSORBOARD_PATTERNS = ("*tfevents*", "*/*tfevents*", "*/*/*tfevents*")
LOCK_NAME = ".import.lock"
PRIMES = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
"""Odd numbers of 64 bits; the last two are those of splitmix64 (Steele, Lea, Flood 2014)."""


class ImportTarget(Protocol):
    """Where imported runs go: a repository in a folder, one in a cluster, or a project of a server."""

    @property
    def address(self) -> str:
        """Where it is, for messages."""

    @property
    def backend(self) -> RunImports:
        """What begins imports."""

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""

    def tags(self, *, by: str) -> TagDoor:
        """Return the tags."""


class RunImports(Protocol):
    """What `storage.backend.Backend` has of imports."""

    def import_run(self, run_hash: str, *, created_at_s: float | None = None) -> RunImport:
        """Begin to write a run."""

    def import_note(self, run_hash: str) -> dict[str, Any] | None:
        """Return what was noted when a run was imported."""

    def import_followers(self, run_hash: str) -> ImportFollowers:
        """Return who records what the source of an imported run still gets."""


def import_target(repo: str | os.PathLike[str]) -> ImportTarget:
    """
    Return where runs are imported to: the repository of a folder, made if there is none, or a project of a server.

    Raises:
        ServerUnreachable, ServerRefused, InsecureAddress: the server can't be asked.
        UsageError: the address names no folder and no server.
    """
    if not is_server(repo):
        return Repository(folder_of_address(repo), create=True)
    from aim.engine.remote.door import ServerRepository
    from aim.engine.remote.imports import ServerImports

    return ServerImports(ServerRepository(server_address(repo)))


class PointSum(NamedTuple):
    """
    How many points a sequence has, and a checksum over them that does not depend on their order.

    >>> steps, values = np.array([1, 2]), np.array([0.5, 9.0])
    >>> PointSum() + point_sum(steps, values) == point_sum(steps[::-1], values[::-1])
    True
    """

    point_count: int = 0
    checksum: int = 0

    def __add__(self, other: object) -> PointSum:
        if not isinstance(other, PointSum):
            return NotImplemented
        return PointSum(self.point_count + other.point_count, (self.checksum + other.checksum) & (2**64 - 1))


def point_sum(steps: IntArray, values: npt.NDArray[Any] | None) -> PointSum:
    """
    Return the sum of some points: of their steps, and of the bits of their values.

    Args:
        values: float64, int64, or object (Python ints and floats); None: objects, of which the steps count.

    Cost: 20 ns a point.
    """
    step_bits = np.ascontiguousarray(steps, np.int64).view(np.uint64)
    if values is None:
        return PointSum(len(steps), _mixed(step_bits, np.zeros(len(steps), np.uint64)))
    if values.dtype == object:
        is_int = np.array([isinstance(value, int) for value in values.tolist()], bool)
        floats, ints = values[~is_int].astype(np.float64), values[is_int].astype(np.int64)
        return point_sum(steps[~is_int], floats) + point_sum(steps[is_int], ints)
    kind = np.int64 if values.dtype.kind in "iu" else np.float64
    bits = np.ascontiguousarray(values, kind).view(np.uint64)
    # an int and a float of the same bits are two values
    return PointSum(len(steps), _mixed(step_bits ^ np.uint64(kind is np.int64), bits))


def _mixed(first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]) -> int:
    mixed = (first * PRIMES[0] + second) ^ (second >> np.uint64(29))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * PRIMES[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * PRIMES[2]
    return int((mixed ^ (mixed >> np.uint64(31))).sum(dtype=np.uint64))


@contextlib.contextmanager
def exclusive(repository: ImportTarget) -> Iterator[None]:
    """
    Let no other process import into the repository meanwhile; a process that is killed lets go. A server refuses the
    earlier of two imports of one run by itself.

    Raises:
        RunBusy: another process imports at this moment.
    """
    if not isinstance(repository, Repository):
        yield
        return
    descriptor = os.open(repository.files / LOCK_NAME, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        try:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # a system without it: two imports at once may refuse each other's runs
            pass
        except BlockingIOError:
            raise RunBusy(
                f"Another import writes to '{repository.address}' at this moment. Wait for it, or end it."
            ) from None
        yield
    finally:
        os.close(descriptor)


NEIGHBOURS = (
    ("Weights & Biases", "wandb", ("offline-run-*/*.wandb", "run-*/*.wandb")),
    ("MLflow", "mlruns", ("*/meta.yaml",)),
    ("MLflow", "mlflow.db", ("",)),
    ("TensorBoard", "runs", TENSORBOARD_PATTERNS),
    ("TensorBoard", "logs", TENSORBOARD_PATTERNS),
    ("TensorBoard", "lightning_logs", TENSORBOARD_PATTERNS),
    ("Aim 3", ".aim3", ("VERSION", "run_metadata.sqlite")),
)
"""What other trackers write where a training runs: who, the name, and what has to match in it."""


def beside(root: Path) -> list[tuple[str, Path]]:
    """
    Return what could be imported from the folder *root* of a repository: the tracker's name and the path.

    Cost: some names are looked up; nothing is read.
    """
    return [
        (title, root / name)
        for title, name, patterns in NEIGHBOURS
        if any(next((root / name).glob(pattern), None) if pattern else (root / name).is_file() for pattern in patterns)
    ]


def begin(repository: ImportTarget, run_hash: str, *, created_at_s: float | None = None) -> RunImport:
    """
    Begin to write a run that another program recorded; it appears when it is finished.

    Args:
        created_at_s: when it began, in Unix seconds; None: at its first point.
    """
    return repository.backend.import_run(run_hash, created_at_s=created_at_s)


def note_of(repository: ImportTarget, run_hash: str) -> dict[str, Any] | None:
    """Return what was noted when a run was imported; None when it was not imported, or is not there."""
    return repository.backend.import_note(run_hash)


def obstacle(repository: ImportTarget, run_hash: str) -> str | None:
    """Return why a run of this hash can't be imported: somebody else's run has it, or another process follows it."""
    if note_of(repository, run_hash) is None:
        return "there is a run of its hash, which was not imported" if repository.has_run(run_hash) else None
    for process in repository.backend.import_followers(run_hash).processes():
        if process != clock.this_process() and clock.is_alive(process):
            return f"process {process.pid} follows its source at this moment"
    return None


def checksums(run: RunImport) -> dict[SequenceKey, PointSum]:
    """
    Read a written run back, and return the sum of each sequence: all its points, hidden or not.

    Cost: 0.1 us a point, and memory for the largest share that one writer has of a sequence.
    """
    sums: dict[SequenceKey, PointSum] = {}
    reader = run.reader()
    for sequence, chunk in recorded_parts(reader, reader.state()):
        values = chunk.values if sequence.is_numeric else None
        sums[sequence.key] = sums.get(sequence.key, PointSum()) + point_sum(chunk.steps, values)
    return sums


def superseded_count(run: RunImport, sums: Mapping[SequenceKey, PointSum]) -> int:
    """
    Return how many of the points in *sums*, those of a written run, a reader does not see, because their step was
    recorded again or because a rewind hides them. Only metrics that are not of the machine count.

    Cost: that of reading these metrics; see `visible_count`.
    """
    reader = run.reader()
    state = reader.state()
    metrics = [
        sequence
        for key, sequence in state.sequences.items()
        if key in sums and sequence.is_numeric and not key[0].startswith(SYSTEM_PREFIX)
    ]
    return sum(sums[sequence.key].point_count - visible_count(reader, sequence, state) for sequence in metrics)


def scratch_repository(folder: Path) -> Repository:
    """Return a new repository in *folder*, for what is only tried."""
    return Repository(folder, create=True)
