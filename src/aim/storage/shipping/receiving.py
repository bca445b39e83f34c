"""
What a server does with the requests of shippers: frames become files. Specified in docs/formats/ship.md.

    receive(body) -> answer     check all frames, then write each at its place; nothing waits for the disk
    sync()                      once a second, in a thread of its own: fsync, CRCs of pages, names of whole files;
                                then what was received before it is `durable`

Requests are stateless: the files say all that is to be known, so any process that has the folder can answer any of
them, and a restart needs no hand-over. A `Receiver` remembers only which requests it took and has synced since.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Set
from pathlib import Path
from typing import Any

from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Request
from aim.storage.shipping.intake import ArrivingWriter, WriterIntake
from aim.storage.shipping.received_files import ReceivedFile, ReceivedFiles
from aim.storage.shipping.spans import Spans
from aim.storage.shipping.whole_files import frames_by_writer
from aim.storage.store import Store

SHIPPERS_MAX = 20_000

log = logging.getLogger("aim.server")

Answer = dict[str, Any]
OnComplete = Callable[[Path, str], object]


class Receiver:
    """
    Receives into the repository of *store*. Any number of threads may call `receive`, and one thread calls `sync`.

    Attributes:
        id: of this process as a receiver: when it changes, what was not `durable` may be gone.

    Args:
        on_complete: called, by `sync`, with the folder and the id of each writer that is complete.
        open_max: see `ReceivedFiles`.
    """

    def __init__(self, store: Store, on_complete: OnComplete | None = None, *, open_max: int | None = None) -> None:
        self.id = os.urandom(8).hex()
        self._store = store
        self._disk = store.disk
        self._files = ReceivedFiles(store.disk, open_max)
        self._intake = WriterIntake(store, self._files)
        self._on_complete = on_complete or (lambda folder, writer: None)
        self._lock = threading.Lock()
        self._taken: list[tuple[str, int]] = []
        self._durable: OrderedDict[str, Spans] = OrderedDict()
        self._ids: dict[str, str] = {}  # instead of `id`, to shippers that are to send again

    def receive(self, body: bytes) -> Answer:
        """
        Take a request; return the answer.

        Raises:
            MalformedRequest, UnsupportedProtocol: see `frames.decode`; nothing of the request was written.
            OSError: the disk refuses; the same request can be sent again.
        """
        request = wire.decode(body)
        arrivals = self._arrivals(request)
        with self._files.lock:
            states = [self._intake.take(arriving) for arriving in arrivals]
        with self._lock:
            durable = self._durable.setdefault(request.shipper, Spans())
            self._durable.move_to_end(request.shipper)
            while len(self._durable) > SHIPPERS_MAX:
                self._ids.pop(self._durable.popitem(last=False)[0], None)
            self._taken.append((request.shipper, request.number))
            ranges = [[start, stop - 1] for start, stop in durable]
            sender = {"shipper": request.shipper, "number": request.number}
            return {"server": self._ids.get(request.shipper, self.id), **sender, "durable": ranges, "writers": states}

    def _arrivals(self, request: Request) -> list[ArrivingWriter]:
        by_writer = frames_by_writer(request)
        return [
            ArrivingWriter(
                self._store.runs / entry["run"],
                entry["writer"],
                request.shipper,
                entry,
                by_writer.get(index, []),
                request.files,
            )
            for index, entry in enumerate(request.writers)
        ]

    # the thread that syncs

    def sync(self) -> None:
        """Put all that was received so far on the disk; what is there then is `durable`."""
        with self._lock:
            taken, self._taken = self._taken, []
        with self._files.lock:
            dirty = self._files.take_dirty()
            pages = {file: self._full_pages(file) for file in dirty if file.pages}
            full = {file: contents for file, contents in pages.items() if contents}
            ended = self._intake.take_ended()
        refusal = self._files.sync(dirty, full)
        try:
            damaged = self._intake.whole_files.publish_arrivals()
            with self._files.lock:
                self._store_crcs(full)
                self._end(ended)
        except OSError as error:
            refusal, damaged = refusal or error, set()
        finally:
            for file in full:
                file.is_syncing = False
        if refusal is not None:
            self.doubt(refusal)
        else:
            self._confirm([(shipper, number) for shipper, number in taken if shipper not in damaged])
            self._doubt_some(damaged)
        self._files.close_some()
        for folder, writer in ended:
            self._on_complete(folder, writer)

    def _full_pages(self, file: ReceivedFile) -> dict[int, bytes]:
        with self._files.held(file) as is_there:
            return self._intake.segments.full_pages(file) if is_there else {}

    def _store_crcs(self, full: Mapping[ReceivedFile, dict[int, bytes]]) -> None:
        for file, contents in full.items():
            with self._files.held(file) as is_there:
                if is_there:
                    self._intake.segments.store_crcs(file, contents)

    def _end(self, ended: Iterable[tuple[Path, str]]) -> None:
        for folder, writer in ended:
            self._intake.segments.end(folder, writer)
            self._intake.whole_files.sweep(folder)

    def _confirm(self, taken: list[tuple[str, int]]) -> None:
        with self._lock:
            for shipper, number in taken:
                durable = self._durable.get(shipper)
                if durable is not None:
                    durable.add(number, number + 1)

    def _doubt_some(self, shippers: Set[str]) -> None:
        """Have some shippers send again what is not durable: a whole file does not have the bytes that it should."""
        with self._lock:
            self._taken = [(shipper, number) for shipper, number in self._taken if shipper not in shippers]
            for shipper in shippers:
                self._durable[shipper] = Spans()
                self._ids[shipper] = os.urandom(8).hex()

    def doubt(self, refusal: Exception) -> None:
        """
        Have everything that is not durable sent again: what the disk refused to sync may be gone, and a second fsync
        would not say so.
        """
        with self._lock:
            self.id = os.urandom(8).hex()
            self._ids.clear()
            self._durable.clear()
            self._taken.clear()
        log.error("Aim: the disk refused what was received: %s. It is asked for again.", refusal)

    def close(self) -> None:
        """Put all on the disk, and close the files."""
        self.sync()
        self._files.close()
