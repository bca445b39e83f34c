"""
Recording a run of a server: into the spool of its address, from which it is shipped.

    new run         never waits for the network
    run by hash     asks the server what it has of it (`past`): where automatic steps go on, kinds, the newest time

Reading back in the process that records: a new run is read from the spool, which has all of it; one that was resumed is
read from the server after what was recorded is there, or from the spool while no server answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from aim.core import contexts, params
from aim.core.errors import AimError, RunNotFound, ServerRefused, ServerUnreachable
from aim.core.params import Restore
from aim.engine.door import Door
from aim.engine.repository import Repository
from aim.engine.resuming import earlier_writers
from aim.engine.shipping import SHIPPERS, SpoolShipper
from aim.storage.recording.sequence_writer import EarlierWriters
from aim.storage.recording.sequences import ReadEarlier
from aim.storage.recording.writer import Writer
from aim.storage.shipping.spool import Spool, SpoolDisk, SpoolRoom, is_offline

if TYPE_CHECKING:
    from aim.engine.open_run import OpenRun
    from aim.engine.remote.connection import ServerConnection
    from aim.storage.forms.state import RunState, SequenceKey

PAST_ANSWER_S = 10.0

log = logging.getLogger("aim")


class SpoolRecording:
    """
    Records runs of the server that *connection* asks.

    Args:
        offline: record into the spool only; `aim sync` sends it.
    """

    def __init__(self, connection: ServerConnection, restore: Restore | None, *, offline: bool = False) -> None:
        self._connection = connection
        self._restore = restore
        self._is_offline = offline or is_offline()
        self._spool = Spool(str(connection.address))
        self._repository: Repository | None = None
        self._writers: dict[str, Writer] = {}
        self._new_runs: set[str] = set()
        self._pasts: dict[str, Mapping[str, Any]] = {}

    @property
    def repository(self) -> Repository:
        """The repository in the spool. Raises DiskRefused: the disk refuses to make it."""
        if self._repository is None:
            self._spool.make()
            disk = SpoolDisk(SpoolRoom(self._spool.root))
            self._repository = Repository(self._spool.folder, create=True, restore=self._restore, disk=disk)
        return self._repository

    @property
    def _shipper(self) -> SpoolShipper | None:
        return None if self._is_offline else SHIPPERS.shipper(self._spool)

    # recording

    def new_run(self, run_hash: str | None) -> Writer:
        """Begin to record into a new run, or into the run *run_hash*, whether a server answers or not."""
        if run_hash is None:
            writer = self.repository.backend.new_writer()
            self._new_runs.add(writer.run_hash)
            return self._begin(writer)
        try:
            past = self._past(run_hash)
        except AimError as error:
            log.warning("Aim: the server does not say what it has of run %s: %s", run_hash, error)
            past = {}
        if past is None and not self.repository.has_run(run_hash):
            self._new_runs.add(run_hash)
        return self._resume(run_hash, past or {})

    def resume_run(self, run_hash: str) -> Writer:
        """
        Begin to record into a run that exists.

        Raises:
            RunNotFound: neither the server nor the spool has it.
            ServerUnreachable, ServerRefused: the server does not say what it has of it, and the spool has nothing.
        """
        has_run = self.repository.has_run(run_hash)
        try:
            past = self._past(run_hash)
        except (ServerUnreachable, ServerRefused) as error:
            if not has_run:
                raise
            log.warning("Aim: run %s goes on from what is in the spool. %s", run_hash, error)
            past = {}
        if past is None and not has_run:
            raise RunNotFound(f"Cannot find run {run_hash!r} in repository '{self._spool.address}'.")
        return self._resume(run_hash, past or {})

    def _past(self, run_hash: str) -> dict[str, Any] | None:
        """Return what the server has of a run; None: it has no such run."""
        if self._is_offline:
            if self.repository.has_run(run_hash):
                return None
            raise ServerUnreachable(f"{self._spool.address}: it is not asked, since this process records offline.")
        path = self._connection.path("past")
        try:
            past: dict[str, Any] = self._connection.ask_json(path, {"run": run_hash}, tries=1, answer_s=PAST_ANSWER_S)
            return past
        except ServerRefused as refused:
            if refused.status == 404 and refused.kind:  # no such run, or no such project yet
                return None
            raise

    def _resume(self, run_hash: str, past: Mapping[str, Any]) -> Writer:
        repository = self.repository
        self._pasts[run_hash] = past
        folder_exists = repository.has_run(run_hash)
        repository.backend.files.store.create_run(run_hash)
        latest_at_s = float(past.get("latest_at") or 0.0)
        if folder_exists:
            latest_at_s = max(latest_at_s, repository.readers.state(run_hash).latest_at_s)
        writer = repository.backend.resume_writer(run_hash, self._earlier(run_hash, past))
        writer.sequences.advance_clock(latest_at_s)
        return self._begin(writer)

    def _earlier(self, run_hash: str, past: Mapping[str, Any]) -> ReadEarlier:
        def read() -> Mapping[SequenceKey, EarlierWriters]:
            try:
                earlier = dict(earlier_writers(self.repository.readers, run_hash))
            except (RunNotFound, FileNotFoundError):
                earlier = {}
            for sequence in past.get("sequences", ()):
                key = (sequence["name"], contexts.text(params.decode_in_order(sequence["context"])))
                here = earlier.get(key, EarlierWriters(frozenset(), 0))
                next_step = max(here.next_step, sequence["next_step"])
                earlier[key] = EarlierWriters(here.kinds | frozenset(sequence["kinds"]), next_step)
            return earlier

        return read

    def _begin(self, writer: Writer) -> Writer:
        self._writers[writer.run_hash] = writer
        if self._shipper is not None:
            self._shipper.add(writer)
        elif len(self._writers) == 1:
            text = "Aim records offline: what goes to %s is kept in %s until `aim sync` sends it."
            log.warning(text, self._spool.address, self._spool.folder)
        return writer

    # what a run asks of its door

    def flush(self, writer: Writer, *, to_read: bool = False) -> None:
        """
        Wait until what *writer* has recorded is durable at the server, for 10 s at most.

        Args:
            to_read: only if the run is read from the server.
        """
        if self._shipper is not None and not (to_read and writer.run_hash in self._new_runs):
            self._shipper.flush(writer)

    def flush_run(self, run_hash: str) -> None:
        """Do so for the writer of a run, if this process records it."""
        writer = self._writers.get(run_hash)
        if writer is not None:
            self.flush(writer)

    def ended(self, writer: Writer) -> None:
        """Send the rest of a closed writer."""
        if self._shipper is not None:
            self._shipper.end(writer)

    def is_read_here(self, run_hash: str) -> bool:
        """Return whether a run is read from the spool: nobody but this machine has recorded into it."""
        is_new = run_hash in self._new_runs or (self._is_offline and run_hash in self._writers)
        return is_new and self.repository.has_run(run_hash)

    def recorded_state(self, run_hash: str) -> RunState:
        """Return the state of a run as the spool has it, with the properties that it had at the server before."""
        state = self.repository.readers.state(run_hash)
        earlier = self._pasts.get(run_hash, {}).get("properties", {})
        if not earlier:
            return state
        merged = copy(state)
        merged.properties = {**earlier, **state.properties}
        return merged

    def run(self, run_hash: str) -> OpenRun | None:
        """Return a run as the spool has it; None when this process does not record it."""
        has_run = run_hash in self._writers and self.repository.has_run(run_hash)
        return self.repository.run(run_hash) if has_run else None


class SpooledDoor(Door):
    """
    The part of a door to a server that records.

    Attributes:
        recording: records into the spool.
    """

    def __init__(self, recording: SpoolRecording) -> None:
        self.recording = recording

    def new_run(self, run_hash: str | None = None) -> Writer:
        return self.recording.new_run(run_hash)

    def resume_run(self, run_hash: str) -> Writer:
        return self.recording.resume_run(run_hash)

    def flush(self, writer: Writer, *, to_read: bool = False) -> None:
        self.recording.flush(writer, to_read=to_read)

    def recorded_state(self, run_hash: str) -> RunState:
        return self.recording.recorded_state(run_hash)

    def ended(self, writer: Writer) -> None:
        self.recording.ended(writer)
