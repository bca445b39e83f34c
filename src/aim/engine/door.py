"""
The upper door: everything that the SDK, the command line and a remote client ask of a repository.

    Door         the repository: its runs, and what changes them
    RunDoor      one run: its state, its points, its objects
    Questions    queries over all runs, and what the columns of the catalogue answer

`opening.open_door` makes a `Door` from an address. Behind it is a folder: `repository.Repository`, `open_run.OpenRun`
and `scan.Scan`; or a server: `remote.door`, `remote.run` and `remote.questions`.

Rule 1: nothing here speaks of columns, tables of the catalogue or paths inside a run: a client of a server has none.
Rule 2: a training imports this module, so at its head it imports the standard library and `core` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from aim.core.errors import RunNotFound
from aim.core.params import Path as ParamPath
from aim.core.params import Restore
from aim.core.tags import Tag
from aim.core.tuples import NamedTuple

if TYPE_CHECKING:
    from datetime import tzinfo

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from aim.engine.artifacts import RunFile
    from aim.engine.documents import DeletedDocument, Document
    from aim.query.query import Hint
    from aim.query.reports import Explanation
    from aim.storage.forms.history import Rewind
    from aim.storage.forms.state import RunState, SequenceKey, SequenceState
    from aim.storage.reading.asked_points import AskedPoints
    from aim.storage.reading.points import Points
    from aim.storage.recording.writer import Writer

Progress = Callable[[int, int], None]
"""Called with how many runs were read, and how many have to be read."""

RECORD, EDIT, DELETE, FILES, SEAL = "record", "edit", "delete", "files", "seal"
"""What a door may allow: `Door.can`. `files`: the repository is a folder that this process can reach."""


class MatchingSequence(NamedTuple):
    """
    A sequence that matches a query.

    Attributes:
        kind: one of `aim.core.kinds.QUERY_SUBJECTS`, or the type of other objects.
        stored_kind: `int`, `float`, `number`, or the type of its objects, such as `list(aim.image)`.
    """

    run_hash: str
    name: str
    context: Mapping[str, Any]
    kind: str
    stored_kind: str


class SequencePoints(NamedTuple):
    """The points of one sequence."""

    sequence: MatchingSequence
    points: Points


class RunTablePage(NamedTuple):
    """
    Some runs as rows of cells.

    Attributes:
        rows: a cell for each column, by the column's name; None is missing, times are Unix seconds.
        total: how many runs match, whether they are on this page or not.
    """

    rows: list[dict[str, Any]]
    total: int


class RunDoor(Protocol):
    """
    What a run is asked. Nothing is kept from one call to the next that another process could have changed.

    Raises:
        FileNotFoundError: by each method, when the run was deleted.
    """

    @property
    def run_hash(self) -> str:
        """The hash of the run."""

    def state(self) -> RunState:
        """Return the run's state as it is now, without points."""

    def params(self) -> Any:
        """Return a fresh copy of the params as they are now."""

    def param(self, path: ParamPath) -> Any:
        """Return a copy of what the params hold at *path*. Raises KeyError."""

    def sequences(self) -> dict[SequenceKey, SequenceState]:
        """Return all sequences that have points."""

    def points(self, key: SequenceKey) -> Points | None:
        """Return the points of a sequence as they are now; None when the run has no such sequence."""

    def points_of_many(self, keys: Iterable[SequenceKey] | None = None) -> dict[SequenceKey, Points]:
        """Return the points of several sequences, or of all; it costs one look at each file."""

    def asked_points(self, key: SequenceKey, missing: Exception) -> Points | AskedPoints:
        """
        Return the points of a sequence; of a run on a server no more of them travel than are needed later.

        Raises:
            Exception: *missing*, now or later: the run has no such sequence.
        """

    def last_points_of_many(self, keys: Iterable[SequenceKey]) -> dict[SequenceKey, tuple[Points, int]]:
        """Return the last point of several sequences, perhaps with those before it, and how many points there are."""

    def record(self, points: Points, index: int) -> dict[str, Any]:
        """Return the stored record of the objects at *index*, without deleted ones. Raises DamagedFile."""

    def items(self, points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the objects of `record`, each with its index in the list that was tracked. Raises DamagedFile."""

    def objects(self, points: Points, index: int, restore: Restore) -> Any:
        """Return the object, or list of objects, at *index*; their bytes are read when they are asked for."""

    def read_data(self, writer: str, number: int, offset: int) -> bytes:
        """Return the bytes of one data entry of a writer's blob file *number*."""

    def before(self, rewind: Rewind) -> RunDoor:
        """Return the run as it stood just before a rewind."""

    def files(self) -> list[RunFile]:
        """List the artifacts by name, those that lie elsewhere too."""

    def artifact_folder(self) -> Path:
        """
        Return the folder for those artifacts of the run that go to no other store; it may not be there yet.

        Raises:
            UsageError: the repository is in no folder of this machine.
        """

    def artifact_uri(self, name: str) -> str:
        """Return the address of an artifact that the repository keeps itself."""


class TagDoor(Protocol):
    """What the tags of a repository are asked; `engine.tags.Tags` says more of each method."""

    def all(self) -> list[Tag]:
        """List all tags, by name."""

    def put(self, name: str, *, color: str | None = None, description: str | None = None) -> Tag:
        """Set the colour or the description of a tag. Raises UsageError."""

    def rename(self, name: str, new_name: str) -> int:
        """Rename a tag on all its runs, and return how many there are. Raises NotFound, UsageError."""

    def delete(self, name: str) -> int:
        """Take a tag off all its runs, and return how many had it. Raises NotFound."""


class DocumentDoor(Protocol):
    """What the documents of a repository are asked; `engine.documents.Documents` says more of each method."""

    def list(self, kind: str | None = None) -> list[Document]:
        """List the documents, of one kind or all, by kind and id."""

    def stored(self) -> Sequence[Document | DeletedDocument]:
        """List the documents, and those that were deleted and not written again since, by kind and id."""

    def put(
        self, kind: str, document_id: str, revision: str | None, body: Mapping[str, Any], *, at_s: float | None = None
    ) -> Document:
        """
        Write a document in place of the one of *revision*; None: there was none.

        Args:
            at_s: when it was written, elsewhere; None: now.

        Raises:
            UsageError, StaleRevision: it can't be written, or was changed since it was read.
        """

    def delete(self, kind: str, document_id: str, *, at_s: float | None = None) -> None:
        """Delete a document; *at_s*: as of then. Raises NotFound, and StaleRevision: it was written since."""


class Questions(Protocol):
    """
    What a repository as a whole is asked. An answer includes whatever any process recorded before the question.

    Args:
        zone: of each method with a query, the time zone of the reader, on whose clock the times in the query are; None
            means that of this process.

    Raises:
        InvalidQuery: by each method with a query, when the query can't be understood or asks for too much.
    """

    def check(self, query_text: str, subject: str = "run", *, zone: tzinfo | None = None) -> str:
        """Compile a query, and return what it is about: *subject*, or a kind of sequence that a query of runs names."""

    def runs(
        self,
        query_text: str = "",
        *,
        limit: int | None = None,
        offset_hash: str | None = None,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        """
        Return the hashes of the runs that match, newest first.

        Args:
            query_text: about runs, or about sequences: then a run matches when one of its sequences does.
            limit: the largest number of runs.
            offset_hash: only runs after this one; when there is no such run, all.
            progress: is called while runs have to be read first.
        """

    def sequences(
        self,
        query_text: str = "",
        subject: str = "metric",
        *,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[MatchingSequence]:
        """
        Return the sequences that match: of the newest run first; within a run by context, then name.

        Args:
            subject: `metric`, `images`, `texts`, `audios`, `distributions`, `figures`, `videos`, `tables` or
                `objects3d`.
        """

    def explain(self, query_text: str, subject: str = "run", *, zone: tzinfo | None = None) -> Explanation:
        """Return what each clause of a query leaves: runs, or sequences if the query is about them."""

    def hints(self, query_text: str, subject: str = "run") -> list[Hint]:
        """Return what a query names that no run has."""

    def complete(self, prefix: str = "") -> dict[str, list[str]]:
        """
        Return the names that begin with *prefix*, for a query box, sorted: of params (`hparams.lr`), of sequences by
        kind, of context keys and of values in contexts.

        >>> from tempfile import mkdtemp
        >>> from aim.engine.opening import open_door
        >>> door = open_door(mkdtemp(), create=True)
        >>> writer = door.new_run()
        >>> writer.lines.set_param(("hparams", "lr"), 0.1)
        >>> writer.close()
        >>> door.questions().complete("hp")["param"]
        ['hparams.lr']
        """

    def table(
        self,
        columns: Sequence[str],
        query_text: str = "",
        *,
        sort: str = "-created_at",
        offset: int = 0,
        limit: int | None = None,
    ) -> RunTablePage:
        """
        Return the runs that match as rows of cells.

        Args:
            columns: a property (`name`), a param (`hparams.lr`), or a summary of a metric (`loss[subset=val].min`).
            query_text: about runs, or about sequences: then a run matches when one of its sequences does.
            sort: a column; with `-` in front the largest value comes first.
            offset, limit: which of the sorted runs are on the page.

        Raises:
            UsageError: there is no such column.
        """

    def summaries(
        self, name: str, context: Mapping[str, Any] | None = None, value: str = "last", *, kind: str = "metric"
    ) -> tuple[list[str], npt.NDArray[np.generic]]:
        """
        Return one summary value of one sequence for all runs that have it: their hashes, newest first, and the values.

        Args:
            value: `first last min max mean count first_step last_step argmin argmax has_nan record_max_length`.
        """

    def summary_rows(
        self, sequences: Iterable[MatchingSequence], values: Sequence[str]
    ) -> list[dict[str, float | int | None]]:
        """
        Return the summaries called *values* of each sequence; an empty row for one that is gone.

        Args:
            values: some of those that `summaries` takes.
        """

    def series(self, sequences: Iterable[MatchingSequence]) -> Iterator[SequencePoints]:
        """Read the points of many sequences, in their order; sequences of runs that were deleted are left out."""

    def point_batches(
        self, query_text: str = "", *, zone: tzinfo | None = None, batch_points: int = ...
    ) -> Iterator[pa.RecordBatch]:
        """
        Go through all points of all metrics that match, as Arrow record batches: run, name, context (JSON), step,
        time (UTC), value, epoch (null: none).

        Cost: memory for one batch, or for the longest sequence.
        """

    def points_table(self, query_text: str = "", *, zone: tzinfo | None = None) -> pa.Table:
        """Return all of `point_batches` as one Arrow table."""


class QuestionDoor(Protocol):
    """What a repository is asked as a whole. A folder may answer the first question of a process without numpy."""

    def questions(self) -> Questions:
        """Return what answers queries over all runs."""

    def check_query(self, query_text: str, subject: str = "run") -> str:
        """Return what `Questions.check` does."""
        return self.questions().check(query_text, subject)

    def matching_runs(
        self,
        query_text: str = "",
        *,
        limit: int | None = None,
        offset_hash: str | None = None,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        """Return what `Questions.runs` does."""
        return self.questions().runs(query_text, limit=limit, offset_hash=offset_hash, zone=zone, progress=progress)

    def last_values(self, name: str, context: Mapping[str, Any] | None = None) -> dict[str, float]:
        """
        Return the last value of one metric in each run that has it, by the hash of the run, newest run first.

        Args:
            name, context: as the metric was tracked; None is the empty context.
        """
        hashes, values = self.questions().summaries(name, context)
        numbers: list[float] = values.tolist()
        return dict(zip(hashes, numbers, strict=True))


class Door(QuestionDoor, Protocol):
    """
    A repository, wherever it is.

    Attributes:
        address: what opens it again: the absolute path of a folder, or the address of a server.
        can: what it allows: some of `RECORD`, `EDIT`, `DELETE`, `FILES`, `SEAL`.
        files: the folder `.aim`; None when the repository is not in a folder that this process can reach.
    """

    @property
    def address(self) -> str: ...
    @property
    def can(self) -> frozenset[str]: ...
    @property
    def files(self) -> Path | None: ...

    def run_count(self) -> int:
        """Count the runs."""

    def run_hashes(self) -> list[str]:
        """List the hashes of all runs, sorted."""

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""

    def run_of_answer(self, run_hash: str) -> RunDoor | None:
        """
        Return a run that an answer has just named; None: it was deleted since.

        A server is asked about those that the answer names next as well, so this may be two seconds old.
        """
        try:
            return self.run(run_hash)
        except RunNotFound:
            return None

    def find_run(self, text: str) -> str:
        """
        Return the hash of the run that *text* names: a whole hash, or the beginning of only one.

        Raises:
            RunNotFound: no run begins so, or several do.
        """

    def states(self, run_hashes: Iterable[str] | None = None) -> Iterator[RunState]:
        """
        Go through the states of runs, of all by default. Runs deleted meanwhile are left out, and those that can't be
        read with a warning.
        """

    def run(self, run_hash: str) -> RunDoor:
        """Open a run for reading. Raises RunNotFound."""

    def new_run(self, run_hash: str | None = None) -> Writer:
        """
        Begin to record into a new run, or into the run *run_hash*, which is made if there is none.

        Raises:
            DiskRefused: (an OSError) the disk has no room, or may not be written to.
        """

    def resume_run(self, run_hash: str) -> Writer:
        """Begin to record into a run that exists. Raises RunNotFound, and DiskRefused as `new_run`."""

    def flush(self, writer: Writer, *, to_read: bool = False) -> None:
        """
        Wait until what a writer has put on this disk is safe on the server, if the repository is on one; 10 s at most.

        Args:
            to_read: wait only if it can't be read through `run` before.
        """
        return  # in a folder it is safe already

    def recorded_state(self, run_hash: str) -> RunState:
        """
        Return what this process knows of a run that it records. No server is asked, so others may have recorded more.

        Raises:
            RunNotFound: it was deleted.
        """
        return self.run(run_hash).state()

    def ended(self, writer: Writer) -> None:
        """Take over what a closed writer recorded: a folder has it sealed by another process."""

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, after_s: float = 0.0) -> float:
        """
        Change properties, tags or params of a run (docs/formats/edits.md), and return the time of the edit.

        Args:
            after_s: the latest time of the points that it hides; the edit is later, however wrong the clocks are.

        Raises:
            RunNotFound: there is no such run.
        """

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        """
        Return the hash of a new run that has what a run shows now up to *step*.

        Raises:
            RunNotFound: there is no such run.
        """

    def delete_run(self, run_hash: str) -> None:
        """Delete a run. Raises RunNotFound."""

    def copy_run(self, run_hash: str, target: Door) -> bool:
        """
        Copy a run; return False when it was still recording: the copy then has what was recorded so far.

        Raises:
            RunNotFound, RunExists: here there is no such run, or there is one of its hash.
            UsageError: runs of this repository can't be copied into *target*.
        """

    def move_run(self, run_hash: str, target: Door) -> None:
        """
        Move a run.

        Raises:
            RunNotFound, RunExists, UsageError: see `copy_run`.
            RunBusy: it is still recording: what is recorded from now on would be lost.
        """

    @property
    def documents(self) -> DocumentDoor:
        """The saved views, reports and descriptions of tags."""

    def tags(self, *, by: str) -> TagDoor:
        """Return the tags of the repository; *by* says in edits who changes them."""

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        """Open one artifact of a run. Raises RunNotFound, NotFound."""

    def empty_trash(self) -> None:
        """Remove what interrupted deletions and copies left."""
