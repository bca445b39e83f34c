"""
Whole sequences from a server: a request of up to 1,000 sequences, and the stream of Arrow that answers it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from aim.core.errors import ServerUnreachable
from aim.engine import arrow_sequences
from aim.engine.arrow_sequences import SentSequence
from aim.engine.remote.connection import ServerStream
from aim.engine.remote.project import Project
from aim.engine.remote.refusals import TooManyPoints
from aim.storage.forms.history import Rewind

SEQUENCES_MAX = 1_000


class SequenceAddress(NamedTuple):
    """
    A sequence of a project.

    Attributes:
        context_text: the text of its context.
        before: as it stood just before this rewind of its run; None: as it is now.
    """

    run_hash: str
    name: str
    context_text: str
    before: Rewind | None = None


def read_sequences(
    project: Project, names: Iterable[SequenceAddress], *, tail: int | None = None
) -> Generator[tuple[SequenceAddress, SentSequence], None, None]:
    """
    Go through the sequences of *names* that are there, in this order, with their points or why they can't be read.

    Args:
        tail: only so many last points of each; a server of an earlier version sends all.

    Raises:
        UsageError: one of them alone has more points than the server sends at once.

    Cost: memory for some short sequences, or one that is long; a request for each thousand.
    """
    pending = iter(names)
    while batch := list(islice(pending, SEQUENCES_MAX)):
        yield from _of_request(project, batch, tail)


def _of_request(
    project: Project, names: Sequence[SequenceAddress], tail: int | None
) -> Iterator[tuple[SequenceAddress, SentSequence]]:
    body = {
        "sequences": [
            [name.run_hash, name.name, name.context_text, None if name.before is None else list(name.before)]
            for name in names
        ],
        "compression": "none" if _is_near(project.connection.address.host) else "lz4",
        **({} if tail is None else {"tail": tail}),
    }
    try:
        stream = project.stream("POST", "points", body)
    except TooManyPoints:
        if len(names) == 1:
            raise
    else:
        yield from _of_answer(project, names, stream)
        return
    middle = len(names) // 2
    yield from _of_request(project, names[:middle], tail)
    yield from _of_request(project, names[middle:], tail)


def _of_answer(
    project: Project, names: Sequence[SequenceAddress], stream: ServerStream
) -> Iterator[tuple[SequenceAddress, SentSequence]]:
    import pyarrow

    with stream:
        try:
            for batch in pyarrow.ipc.open_stream(stream):
                for sent in arrow_sequences.sequences_of(batch):
                    yield names[sent.number], sent
        except pyarrow.ArrowInvalid as error:
            raise ServerUnreachable(f"{project.connection.address}: the points can't be read: {error}.") from None


def _is_near(host: str) -> bool:
    """Return whether *host* is this machine, to which bytes cost less than compressing them."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
