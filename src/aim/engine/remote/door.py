"""
A repository on a server, as a `Door`: what `open_door` returns for an address such as `aim://host:53800/vision`.

    ServerRepository    the door
    ServerRuns          what its runs and questions share: the project, and what is read ahead

Nothing here keeps a catalogue or files: every answer is the server's. Opening one asks nothing; `check_project` asks
whether the server and the project are there, and speak this version.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, cast

from aim.core.addresses import ServerAddress
from aim.core.errors import NotFound, RepoNotFound, RunNotFound, ServerRefused, ServerUnreachable, UsageError
from aim.core.params import Restore
from aim.engine import door
from aim.engine.arrow_sequences import SentSequence
from aim.engine.door import DocumentDoor, Door, RunDoor, TagDoor
from aim.engine.moving import is_recording, move_run
from aim.engine.remote.archives import unpacked_run
from aim.engine.remote.beside import ServerDocuments, ServerTags
from aim.engine.remote.connection import ServerConnection
from aim.engine.remote.points import SEQUENCES_MAX, SequenceAddress, read_sequences
from aim.engine.remote.project import Ahead, Project
from aim.engine.remote.questions import ServerQuestions
from aim.engine.remote.run import DistantRun, artifact_path
from aim.engine.spool_recording import SpooledDoor, SpoolRecording
from aim.engine.state_forms import state_of
from aim.storage.forms.state import RunState

log = logging.getLogger("aim")

DOOR = 1  # the version of section 12 of wire.md that is spoken here
STATES_MAX = 500
EXISTING_AHEAD_MAX, STATES_AHEAD_MAX, SEQUENCES_AHEAD_MAX = 1_000, 256, 256
POINTS_AHEAD_MAX = 4_000_000  # about 120 MB
EVERY_RUN = ""


class ServerRuns:
    """
    What the runs and the questions of one project share.

    Attributes:
        existing: the runs that are there, by hash.
        states: the states of runs, by hash.
        points, last_points: sequences with their points, and with the last one of each.

    Args:
        restore: makes the objects of runs that are read.
    """

    def __init__(self, project: Project, restore: Restore | None) -> None:
        self.project = project
        self._restore = restore
        self.existing: Ahead[str, str] = Ahead(self._read_existing, EXISTING_AHEAD_MAX)
        self.states: Ahead[str, RunState] = Ahead(self.read_states, STATES_AHEAD_MAX)
        self.points: Ahead[SequenceAddress, SentSequence] = Ahead(self._read_points, SEQUENCES_AHEAD_MAX)
        self.last_points: Ahead[SequenceAddress, SentSequence] = Ahead(self._read_last_points, SEQUENCES_MAX)

    def read_states(self, run_hashes: Sequence[str]) -> list[RunState | None]:
        """Return the states of at most 500 runs; None for one that is gone. Raises OSError for one alone."""
        answer = self.project.post("states", {"runs": list(run_hashes)})
        for run_hash, reason in answer["unreadable"]:
            if len(run_hashes) == 1:
                raise OSError(f"Run {run_hash} can't be read: {reason}.")
            log.warning("Aim can't read run %s and leaves it out: %s.", run_hash, reason)
        by_hash = {form["run"]: state_of(form, self._restore) for form in answer["states"]}
        return [by_hash.get(run_hash) for run_hash in run_hashes]

    def _read_existing(self, run_hashes: Sequence[str]) -> list[str | None]:
        listed = set(self.project.post("hashes", {"among": list(run_hashes)})["runs"])
        return [run_hash if run_hash in listed else None for run_hash in run_hashes]

    def expect(self, run_hashes: Sequence[str]) -> None:
        """Expect that these runs are opened and read in this order."""
        self.existing.expect(run_hashes)
        self.states.expect(run_hashes)

    def _read_points(self, names: Sequence[SequenceAddress]) -> list[SentSequence | None]:
        by_name: dict[SequenceAddress, SentSequence] = {}
        count = 0
        sequences = read_sequences(self.project, names)
        for name, sent in sequences:
            by_name[name] = sent
            count += 0 if sent.points is None else len(sent.points)
            if count >= POINTS_AHEAD_MAX:
                sequences.close()
                names = names[: names.index(name) + 1]
                break
        return [by_name.get(name) for name in names]

    def _read_last_points(self, names: Sequence[SequenceAddress]) -> list[SentSequence | None]:
        by_name = dict(read_sequences(self.project, names, tail=1))
        return [by_name.get(name) for name in names]

    def tail(self, name: SequenceAddress, count: int) -> SentSequence | None:
        """Return a sequence with so many last points; None when there is none."""
        return dict(read_sequences(self.project, [name], tail=count)).get(name)

    def expect_sequences(self, names: Sequence[SequenceAddress]) -> None:
        """Expect that the points of these sequences are read in this order."""
        self.points.expect(names)
        self.last_points.expect(names)

    def forget(self) -> None:
        """Forget what was read ahead: something was changed."""
        self.last_points.forget()
        self.existing.forget()
        self.states.forget()
        self.points.forget()

    def hashes(self, begin: str, limit: int | None = None) -> tuple[int, list[str]]:
        """Return how many runs have hashes that begin so, and the first of these, sorted."""
        answer = self.project.post("hashes", {"begin": begin} if limit is None else {"begin": begin, "limit": limit})
        return answer["count"], answer["runs"]

    def change(self, run_hash: str, name: str, body: Mapping[str, Any]) -> Any:
        """Post a change of a run. Raises RunNotFound."""
        self.forget()
        try:
            return self.project.post(name, body, is_repeatable=False)
        except RepoNotFound:
            raise
        except NotFound:
            raise self.missing(run_hash) from None

    def open_artifact(self, run_hash: str, name: str) -> BinaryIO:
        """Open an artifact of a run that is there. Raises NotFound."""
        return cast("BinaryIO", io.BufferedReader(self.project.stream("GET", artifact_path(run_hash, name))))

    def missing(self, run_hash: str) -> RunNotFound:
        """Return the error for a run that is not there."""
        address = self.project.connection.address
        return RunNotFound(f"Cannot find run {run_hash!r} in repository '{address}'. `aim runs ls` lists the runs.")


def check_project(connection: ServerConnection) -> None:
    """
    Ask whether the server has the project of its address, or one at all.

    Raises:
        ServerUnreachable, ServerRefused, InsecureAddress: see `ServerConnection`.
        RepoNotFound: it has not.
        UsageError: the address has to name one of several, or the server is of a version that this client can't ask.
    """
    address, info = connection.address, connection.info()
    if DOOR not in info.get("door", ()):
        raise UsageError(
            f"{address}: the server runs Aim {info.get('version', 'of an earlier version')}, which can't be asked by "
            "this version. Install the same version at both ends."
        )
    projects = [repo["id"] for repo in info.get("repos", ())]
    if address.project is None and projects:
        connection.path("")  # says which there are, if there are several
    elif address.project not in projects:
        named = "no repository yet" if address.project is None else f"no repository {address.project!r}"
        listed = f" It has {', '.join(projects[:5])}{' ...' if len(projects) > 5 else ''}." if projects else ""
        raise RepoNotFound(f"{address}: the server has {named}.{listed}")


class ServerRepository(SpooledDoor):
    """
    The repository at *address*.

    Args:
        restore: makes the objects of runs that are read.
        offline: record into the spool only.
        token: the token to ask with; None: that of this user for the address.

    Raises:
        ServerUnreachable, ServerRefused, InsecureAddress: by each method that asks the server.
        RepoNotFound: likewise, when the server has no such project.
    """

    can = frozenset((door.RECORD, door.EDIT, door.DELETE))
    files = None

    def __init__(
        self, address: ServerAddress, restore: Restore | None = None, *, offline: bool = False, token: str | None = None
    ) -> None:
        self.project = Project(ServerConnection(address, token=token))
        super().__init__(SpoolRecording(self.project.connection, restore, offline=offline))
        self._runs = ServerRuns(self.project, restore)
        self._questions = ServerQuestions(self._runs)

    @property
    def address(self) -> str:
        return str(self.project.connection.address)

    # runs

    def run_count(self) -> int:
        return self._runs.hashes(EVERY_RUN, 0)[0]

    def run_hashes(self) -> list[str]:
        run_hashes = self._runs.hashes(EVERY_RUN)[1]
        self._runs.expect(run_hashes)
        return run_hashes

    def has_run(self, run_hash: object) -> bool:
        return isinstance(run_hash, str) and bool(run_hash) and self._runs.hashes(run_hash, 1)[1] == [run_hash]

    def find_run(self, text: str) -> str:
        count, hashes = self._runs.hashes(text, 5) if text else (0, [])
        if count == 1 or text in hashes:
            return text if text in hashes else hashes[0]
        if count:
            raise RunNotFound(f"{count} runs begin with {text!r}: {', '.join(hashes)} ... Give more digits.")
        raise self._runs.missing(text)

    def run(self, run_hash: str) -> RunDoor:
        recorded = self.recording.run(run_hash)
        if recorded is not None and self.recording.is_read_here(run_hash):
            return recorded
        try:
            if self.has_run(run_hash):
                return DistantRun(self._runs, run_hash)
        except ServerUnreachable:
            if recorded is None:
                raise
        if recorded is None:
            raise self._runs.missing(run_hash)
        return recorded

    def run_of_answer(self, run_hash: str) -> RunDoor | None:
        if self._runs.existing.get(run_hash) is None:
            return None
        is_here = self.recording.is_read_here(run_hash)
        return (self.recording.run(run_hash) if is_here else None) or DistantRun(self._runs, run_hash)

    def states(self, run_hashes: Iterable[str] | None = None) -> Iterator[RunState]:
        pending = iter(self.run_hashes() if run_hashes is None else run_hashes)
        while batch := list(islice(pending, STATES_MAX)):
            try:
                states = self._runs.read_states(batch)
            except (ServerRefused, ConnectionError):
                raise
            except OSError as error:
                log.warning("Aim leaves a run out: %s", error)
                continue
            yield from (state for state in states if state is not None)

    def questions(self) -> ServerQuestions:
        return self._questions

    # changes

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, after_s: float = 0.0) -> float:
        body = {"run": run_hash, "change": dict(change), "by": by, "after": after_s}
        at_s: float = self._runs.change(run_hash, "edit", body)["at"]
        return at_s

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        self.recording.flush_run(run_hash)  # the copies are made there
        body = {"run": run_hash, "step": step, "name": name}
        return str(self._runs.change(run_hash, "fork", body)["run"])

    def delete_run(self, run_hash: str) -> None:
        if not self.has_run(run_hash):
            raise self._runs.missing(run_hash)
        self._runs.change(run_hash, "edits", {"runs": [run_hash], "change": {"deleted": True}})

    def copy_run(self, run_hash: str, target: Door) -> bool:
        from aim.engine.repository import Repository

        if not isinstance(target, Repository):
            raise UsageError(f"{target.address}: runs of a server are copied into folders only.")
        is_whole = not is_recording(self, run_hash)
        try:
            with unpacked_run(self.project, run_hash) as root:
                Repository(root).copy_run(run_hash, target)
        except RunNotFound:
            raise
        except NotFound:
            raise self._runs.missing(run_hash) from None
        return is_whole

    def move_run(self, run_hash: str, target: Door) -> None:
        move_run(self, run_hash, target)

    # beside the runs

    @property
    def documents(self) -> DocumentDoor:
        return ServerDocuments(self.project)

    def tags(self, *, by: str) -> TagDoor:
        return ServerTags(self.project, self._runs.forget, by)

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        if not self.has_run(run_hash):
            raise self._runs.missing(run_hash)
        return self._runs.open_artifact(run_hash, name)

    def empty_trash(self) -> None:
        raise UsageError(f"{self.address}: only the server removes what deletions left; run `aim storage prune` there.")
