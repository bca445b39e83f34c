"""
The shipper's side of the protocol, without a network: requests from what is new, and what their answers mean.

    gather(shipments) -> request        numbered; what it holds is counted as sent
    accept(answer)                      durable numbers are confirmed; each writer's state is acted on
    fail()                              no answer: what the request held is taken back, and sent again

There is no counter, token or session to lose: a place counts as done when the server has said `durable`, and everything
else is sent again whenever another process answers.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame, encode
from aim.storage.shipping.progress import FileKey, FilePart
from aim.storage.shipping.shipment import WriterShipment, lost_points

REQUEST_BYTES = 4 << 20  # of data in one request, about
BEHIND_MAX = 3  # how often a server may lack what it has confirmed before the end is sent without counts


class Verdict(NamedTuple):
    """
    What the server said of a writer, other than that all is well.

    Attributes:
        state: `gone`, `refused`, `differs`, `sealed`, `later`, or `behind` when it has lost what it had confirmed.
        why: what it says about it, or ""; of `behind` what is nowhere any more (`shipment.lost_points`).
    """

    shipment: WriterShipment
    state: str
    why: str = ""


class Marks(NamedTuple):
    """
    What a request says of writers beside their bytes.

    Attributes:
        alive: those whose process runs: the server shows that they do.
        complete: those whose process is gone, and all of whose files are durable there.
        again: hashes of runs that are to be sent although they were deleted there.
    """

    alive: Collection[WriterShipment] = ()
    complete: Collection[WriterShipment] = ()
    again: Collection[str] = ()

    def flags(self, shipment: WriterShipment, *, is_begin: bool) -> dict[str, bool]:
        """Return what is said of one writer; *is_begin*: its first line is in the request."""
        said = {
            "begin": is_begin,
            "again": is_begin and shipment.run_hash in self.again,
            "alive": shipment in self.alive,
            "complete": shipment in self.complete,
        }
        return {name: True for name, is_said in said.items() if is_said}


NO_MARKS = Marks()


class SentRequest(NamedTuple):
    """A request that was sent, and what it held of each writer."""

    number: int
    body: bytes
    parts: list[tuple[WriterShipment, list[FilePart]]]

    @property
    def size_bytes(self) -> int:
        """How many bytes of files it holds."""
        return sum(len(piece.data) for _, pieces in self.parts for piece in pieces)


class Exchange:
    """
    The requests of one shipper.

    Attributes:
        shipper: its id, drawn at the start.
        server: the id of the process that has answered last; None: none has.
        next_in_s: the pause that the server wishes for.

    Args:
        said: what the header of each request has besides.
    """

    def __init__(self, host: str, said: Mapping[str, Any] | None = None) -> None:
        self.shipper = os.urandom(8).hex()
        self.server: str | None = None
        self.next_in_s = 1.0
        self._host = host
        self._said = said or {}
        self._number = 0
        self._pending: dict[int, list[tuple[WriterShipment, list[FilePart]]]] = {}
        self._checked: set[WriterShipment] = set()
        self._behind_counts: dict[WriterShipment, int] = {}

    def gather(
        self,
        shipments: Sequence[WriterShipment],
        marks: Marks = NO_MARKS,
        *,
        asks: bool = False,
        budget_bytes: int = REQUEST_BYTES,
    ) -> SentRequest | None:
        """
        Return the next request; None when there is nothing to say.

        Args:
            asks: ask what is durable by now when there is nothing else to say and something is not confirmed.

        Raises:
            OSError: a file can't be read.
        """
        parts: list[tuple[WriterShipment, list[FilePart]]] = []
        entries: list[dict[str, Any]] = []
        for shipment in shipments[: wire.WRITERS_MAX]:
            is_begin = not shipment.is_begun
            pieces = shipment.gather(budget_bytes)
            budget_bytes -= sum(len(piece.data) for piece in pieces)
            flags = marks.flags(shipment, is_begin=is_begin and bool(pieces))
            if pieces or flags or self._is_asked(shipment):
                parts.append((shipment, pieces))
                entries.append(self._entry(shipment, pieces) | flags)
        is_asking = asks and any(pieces for sent in self._pending.values() for _, pieces in sent)
        return self._numbered(parts, entries) if parts or is_asking else None

    def _numbered(
        self, parts: list[tuple[WriterShipment, list[FilePart]]], entries: list[dict[str, Any]]
    ) -> SentRequest:
        self._number += 1
        frames, files = _frames(parts)
        sender = {"shipper": self.shipper, "number": self._number, "pid": os.getpid(), "host": self._host}
        body = encode({**sender, "writers": entries, "files": files, **self._said}, frames)
        self._pending[self._number] = parts
        return SentRequest(self._number, body, parts)

    def _is_asked(self, shipment: WriterShipment) -> bool:
        """Return whether the server is to be asked if it has what is believed to be durable."""
        return shipment not in self._checked and shipment.sizes()["events"] > 0

    def _entry(self, shipment: WriterShipment, pieces: list[FilePart]) -> dict[str, Any]:
        entry: dict[str, Any] = {"run": shipment.run_hash, "writer": shipment.remote_writer}
        if self._is_asked(shipment):
            entry["has"] = shipment.sizes()
        damaged = shipment.damaged_pages(pieces)
        if damaged:
            entry["damaged"] = damaged[: wire.DAMAGED_MAX]
        counts = shipment.end_counts(pieces)
        if counts is not None:
            entry["end"] = counts if self._behind_counts.get(shipment, 0) < BEHIND_MAX else {}
        return entry

    def fail(self) -> None:
        """Take back what the last request held: there was no answer to it, or a refusal of the whole."""
        for shipment, pieces in self._pending.pop(self._number, []):
            shipment.progress.take_back(pieces)

    def accept(self, answer: Mapping[str, Any]) -> list[Verdict]:
        """
        Take the answer to the last request; return what it says of writers that are not well.

        Raises:
            ValueError: it is no answer to it.
        """
        parts = self._pending.get(self._number)
        if parts is None or answer.get("number") != self._number:
            raise ValueError("the answer is of another request")
        server, states = _checked_answer(answer, len(parts))
        next_in_s = answer.get("next_in")
        self.next_in_s = float(next_in_s) if isinstance(next_in_s, (int, float)) else self.next_in_s
        is_other = server != self.server and self.server is not None
        if server != self.server:
            self._begin_with(server)
            for shipment, pieces in parts:
                shipment.progress.send(pieces)
        self._confirm(answer.get("durable", []))
        verdicts: list[Verdict] = []
        for index, ((shipment, pieces), state) in enumerate(zip(list(parts), states)):
            accepted, verdict = self._judge(shipment, pieces, state)
            parts[index] = (shipment, accepted)
            if verdict is not None:
                verdicts.append(verdict)
        if not any(pieces for _, pieces in parts):  # nothing of it can become durable
            self._pending.pop(self._number, None)
        if is_other:  # the next request asks whether it has what the former one had
            self._checked.clear()
        return verdicts

    def _begin_with(self, server: str) -> None:
        # what the former process did not confirm may be gone
        current = self._pending.pop(self._number)
        for parts in self._pending.values():
            for shipment, _ in parts:
                shipment.progress.forget_unconfirmed()
        for shipment, _ in current:
            shipment.progress.forget_unconfirmed()
        self._pending = {self._number: current}
        self.server = server

    def _confirm(self, ranges: Any) -> None:
        for number in sorted(self._pending):
            if any(first <= number <= last for first, last in ranges):
                for shipment, pieces in self._pending.pop(number):
                    shipment.progress.confirm(pieces)

    def _judge(
        self, shipment: WriterShipment, pieces: list[FilePart], state: dict[str, Any]
    ) -> tuple[list[FilePart], Verdict | None]:
        """Return which of *pieces* the server has taken, and what is to be said of the writer."""
        name = state.get("state")
        if name in (wire.OK, wire.LATER):
            self._checked.add(shipment)
            for key, size_bytes in _sizes_of_files(pieces, state, shipment):
                shipment.take_size(key, size_bytes)
            if name == wire.OK:
                return pieces, None
            shipment.takes_blobs = False
            refused = [piece for piece in pieces if piece.key[0] in (wire.BLOBS, wire.SLOTS, wire.ARTIFACT)]
            shipment.progress.take_back(refused)
            return [piece for piece in pieces if piece not in refused], Verdict(shipment, wire.LATER)
        shipment.progress.take_back(pieces)
        if name == wire.BEHIND:
            return [], self._go_back(shipment, state)
        if name in (wire.CLOSED, wire.DIFFERS):
            self._forget(shipment)
        why = str(state.get("why", ""))
        return [], Verdict(shipment, name if name in (wire.GONE, wire.CLOSED, wire.DIFFERS) else wire.REFUSED, why)

    def _forget(self, shipment: WriterShipment) -> None:
        shipment.progress.forget_all()
        self._checked.discard(shipment)
        for number, parts in self._pending.items():
            self._pending[number] = [(other, [] if other is shipment else pieces) for other, pieces in parts]

    def _go_back(self, shipment: WriterShipment, state: Mapping[str, Any]) -> Verdict | None:
        sizes = shipment.sizes()
        blobs, slots = state.get("blobs", {}), state.get("slots", {})
        has_lost = (
            state.get("events", 0) < sizes["events"]
            or any(blobs.get(number, 0) < size for number, size in sizes["blobs"].items())
            or any(slots.get(number, 0) < count for number, count in sizes["slots"].items() if slots)
        )
        if not has_lost:
            shipment.progress.forget_unconfirmed()
            return None
        self._behind_counts[shipment] = self._behind_counts.get(shipment, 0) + 1
        lost = lost_points(shipment, state)
        self._forget(shipment)
        return Verdict(shipment, wire.BEHIND, lost)

    def forget(self, shipment: WriterShipment) -> None:
        """Ship a writer no more."""
        self._forget(shipment)
        self._behind_counts.pop(shipment, None)


def _checked_answer(answer: Mapping[str, Any], count: int) -> tuple[str, list[dict[str, Any]]]:
    """Return who answers, and the states of writers. Raises ValueError."""
    server, states = answer.get("server"), answer.get("writers")
    if not isinstance(server, str) or not isinstance(states, list) or len(states) != count:
        raise ValueError("the answer does not fit the request")
    if not all(isinstance(state, dict) for state in states):
        raise ValueError("the answer says of a writer what can't be understood")
    return server, states


def _frames(parts: Sequence[tuple[WriterShipment, list[FilePart]]]) -> tuple[list[Frame], list[dict[str, Any]]]:
    frames: list[Frame] = []
    files: list[dict[str, Any]] = []
    for index, (shipment, pieces) in enumerate(parts):
        for piece in pieces:
            kind, name = piece.key
            number = len(files) if kind in wire.WHOLE_FILES else int(name)
            if kind in wire.WHOLE_FILES:
                files.append(shipment.files.label(piece.key).to_json())
            frames.append(Frame(kind, index, number, piece.start, piece.data))
    return frames, files


def _sizes_of_files(
    pieces: list[FilePart], state: Mapping[str, Any], shipment: WriterShipment
) -> list[tuple[FileKey, int]]:
    sizes = state.get("files", {})
    keys = [piece.key for piece in pieces if piece.key[0] in wire.WHOLE_FILES]
    named = [(key, sizes.get(shipment.files.label(key).name)) for key in keys]
    return [(key, size) for key, size in named if type(size) is int]
