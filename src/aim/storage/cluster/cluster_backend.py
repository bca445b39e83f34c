"""
A project of a cluster, as a `Backend`.

Recording goes through a server (`POST .../ship`), so there is no writer here; reading, edits, deletions and documents
are rows of the tables. Several servers may use one project at once: nothing is held but caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from aim.core.errors import NotFound, RunNotFound, UsageError
from aim.core.params import Restore
from aim.storage.backend import Backend, RunCatalogue
from aim.storage.cluster.cluster_catalogue import CatalogueReading, ClusterCatalogue
from aim.storage.cluster.cluster_documents import ClusterDocuments
from aim.storage.cluster.cluster_edits import write_edits
from aim.storage.cluster.cluster_files import WholeFile
from aim.storage.cluster.cluster_lines import ClusterLines
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_reduction import ClusterSequence
from aim.storage.cluster.cluster_source import ClusterSource
from aim.storage.cluster.cluster_trash import ClusterTrash
from aim.storage.cluster.database import ClusterUnavailable
from aim.storage.cluster.imported_runs import ImportedRuns
from aim.storage.cluster.read_ahead import ReadAhead
from aim.storage.cluster.settings import RUNS_IN_MEMORY_MAX
from aim.storage.forms.artifact_records import ArtifactRecord
from aim.storage.forms.history import Rewind
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import SequenceKey
from aim.storage.reading.reader import RunReader, is_sole_part
from aim.storage.recording.sequences import ReadEarlier
from aim.storage.recording.writer import Writer

THROUGH_A_SERVER = "Runs of a cluster are recorded through a server of it: Run(repo='aim://host/project')."


class ClusterBackend(ImportedRuns, Backend):
    """
    The runs of *project*.

    Args:
        runs_max: how many runs a catalogue may have in memory.
    """

    def __init__(self, project: ClusterProject, *, runs_max: int = RUNS_IN_MEMORY_MAX) -> None:
        self.project = project
        self._ahead = ReadAhead(project)
        self._runs_max = runs_max

    @property
    def address(self) -> str:
        return self.project.address

    @property
    def files(self) -> None:
        return None

    @property
    def trash(self) -> ClusterTrash:
        return ClusterTrash(self.project, self.check_exists)

    @property
    def documents(self) -> ClusterDocuments:
        return ClusterDocuments(self.project)

    # runs

    def is_available(self) -> bool:
        try:
            self.project.database.rows("SELECT 1")
        except ClusterUnavailable:
            return False
        return True

    def run_hashes(self) -> list[str]:
        runs = self.project.database.rows(
            f"SELECT DISTINCT run FROM {self.project.table('heads')} WHERE project = {{project:String}}",
            {"project": self.project.name},
        )
        deleted = self.project.marks.deleted()
        return [run_hash for (run_hash,) in runs if run_hash not in deleted]

    def has_run(self, run_hash: object) -> bool:
        if not isinstance(run_hash, str) or run_hash in self.project.marks.deleted():
            return False
        if self._ahead.has_run(run_hash):
            return True
        rid = self.project.rid(run_hash)
        return bool(
            self.project.database.rows(
                f"SELECT 1 FROM {self.project.table('heads')} "
                "WHERE project = {project:String} AND rid = {rid:FixedString(16)} LIMIT 1",
                {"project": self.project.name, "rid": rid},
            )
        )

    def check_exists(self, run_hash: str) -> None:
        if not self.has_run(run_hash):
            raise RunNotFound(f"There is no run {run_hash!r} in '{self.project.address}'.")

    def delete_run(self, run_hash: str) -> None:
        self.check_exists(run_hash)
        self.project.marks.write(run_hash)

    def copy_run(self, run_hash: str, target: Backend) -> None:
        raise UsageError(f"Copy runs out of a cluster with: aim sync {self.project.address} FOLDER")

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        from aim.storage.cluster.cluster_scratch import fork_run  # it imports what writes folders

        self.check_exists(run_hash)
        return fork_run(self.project, run_hash, step, name=name)

    # reading

    def together(self, run_hashes: Sequence[str]) -> AbstractContextManager[None]:
        return self._ahead.together(run_hashes)

    def log(self, run_hash: str, restore: Restore | None = None) -> RunLog:
        self.check_exists(run_hash)
        return RunLog(Path(run_hash), restore, ClusterLines(self.project, run_hash, self._ahead))

    def reader(
        self,
        run_hash: str,
        restore: Restore | None = None,
        *,
        may_seal: bool = True,
        log: RunLog | None = None,
        before: Rewind | None = None,
    ) -> RunReader:
        source = ClusterSource(self.project, run_hash, self._ahead)
        return RunReader(log or self.log(run_hash, restore), source, before=before)

    def stored_sequence(self, run_hash: str, key: SequenceKey) -> ClusterSequence | None:
        reader = self.reader(run_hash)
        state = reader.state()
        sequence = state.sequences.get(key)
        if sequence is None or not sequence.is_numeric or not is_sole_part(reader, sequence, state):
            return None
        return ClusterSequence(self.project, run_hash, sequence.parts[0])

    def catalogue(self, open_reader: Callable[[str], RunReader], *, cache: Path | None = None) -> RunCatalogue:
        reading = CatalogueReading(open_reader, self._ahead.together, self._ahead.ask_marks)
        return ClusterCatalogue(self.project, reading, runs_max=self._runs_max)

    def open_artifact(self, run_hash: str, record: ArtifactRecord) -> BinaryIO:
        file = WholeFile(self.project.objects, self.project.rid(run_hash), record.sha256, record.size_bytes)
        try:
            return file.opened()
        except FileNotFoundError:
            raise NotFound(f"The artifact {record.name!r} is not here: it was not sent, or not yet.") from None

    # recording

    def new_writer(self, run_hash: str | None = None) -> Writer:
        raise UsageError(THROUGH_A_SERVER)

    def resume_writer(self, run_hash: str, read_earlier: ReadEarlier | None = None) -> Writer:
        raise UsageError(THROUGH_A_SERVER)

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0) -> float:
        self.check_exists(run_hash)
        return write_edits(self.project, [run_hash], change, by=by, seen_at_s=seen_at_s)

    def edit_runs(
        self, run_hashes: Iterable[str], change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0
    ) -> list[str]:
        present = set(self.run_hashes())
        edited = [run_hash for run_hash in run_hashes if run_hash in present]
        write_edits(self.project, edited, change, by=by, seen_at_s=seen_at_s)
        return edited
