r"""
The bytes of a request that ships files of runs. Specified in docs/formats/ship.md.

    request := "AXS1" | header_bytes u32 | header (JSON) | frames
    frame   := kind u8 | pack u8 | writer u16 | file u32 | offset u64 | raw_bytes u32 | packed_bytes u32 | crc u32
               data

Rule 1: nothing of a request is believed before all of its frames have passed their checks, and every size is bounded
before anything is unpacked.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aim.core.errors import UsageError
from aim.storage.disk import layout
from aim.storage.forms.journal import PAGE_BYTES, RECORD_BYTES, segment_size

PROTOCOL = 1
MAGIC = b"AXS1"
START = struct.Struct("<4sI")
FRAME = struct.Struct("<BBHIQIII")
EVENTS, SLOTS, BLOBS, SEALED, EDIT, ARTIFACT = range(6)
WHOLE_FILES = frozenset({SEALED, EDIT, ARTIFACT})
"""The kinds of files that get their name when all of their bytes are there."""
PLAIN, DEFLATED, TRANSPOSED = range(3)
OK, BEHIND, GONE, CLOSED, DIFFERS, REFUSED, LATER = "ok", "behind", "gone", "sealed", "differs", "refused", "later"
"""What an answer says of a writer: `state`."""

CRC_FIELD = "Aim-CRC"
"""The field of HTTP that has the CRC of the whole request: JSON and heads of frames have none of their own."""

HEADER_BYTES_MAX = 4 << 20
FRAME_BYTES_MAX = 4 << 20  # of the data of one frame, unpacked
REQUEST_BYTES_MAX = 16 << 20  # of the data of all frames, unpacked
BODY_BYTES_MAX = 18 << 20  # of a request as it travels
WRITERS_MAX = 4096
FILE_MAX = 1 << 20
OFFSET_MAX = 1 << 48
PACKED_BYTES_MIN = 200  # what is smaller is not worth packing
SAMPLE_BYTES = 4096
SAMPLE_SHARE = 0.9  # a sample that shrinks less than to this share is sent as it is
SHIPPER_CHARS = 16
DAMAGED_MAX = 4096


class MalformedRequest(UsageError):
    """The bytes of a request that ships files are not what docs/formats/ship.md says."""


class UnsupportedProtocol(UsageError):
    """A request that ships files is of another version of the protocol."""


class Frame(NamedTuple):
    """
    A part of a file.

    Attributes:
        kind: one of the kinds above.
        writer: the index of the writer in the header.
        file: the number of the segment or of the blob file; of a whole file its index in the header's `files`.
        offset: of the first byte; of slots the number of the first slot.
        data: the bytes, unpacked.
    """

    kind: int
    writer: int
    file: int
    offset: int
    data: bytes


class Request(NamedTuple):
    """
    A request that has passed its checks.

    Attributes:
        shipper: who sends it, 16 hex digits.
        number: which of its requests this is.
        writers: what is said of each writer: `run`, `writer`, and flags.
        files: name, size and SHA-256 of each whole file.
        importing: what is said of the import of a run; None: nothing.
    """

    shipper: str
    number: int
    writers: list[dict[str, Any]]
    files: list[dict[str, Any]]
    frames: list[Frame]
    importing: dict[str, Any] | None = None


def transposed(data: bytes) -> bytes:
    """
    Return the bytes of 32-byte slots with the first bytes of all slots first, then all second ones ...

    >>> transposed(bytes(range(64)))[:4]
    b'\\x00 \\x01!'
    """
    return b"".join(data[column::RECORD_BYTES] for column in range(RECORD_BYTES))


def untransposed(data: bytes) -> bytes:
    """Undo `transposed`."""
    count = len(data) // RECORD_BYTES
    slots = bytearray(len(data))
    for column in range(RECORD_BYTES):
        slots[column::RECORD_BYTES] = data[column * count : (column + 1) * count]
    return bytes(slots)


def _packed(frame: Frame) -> tuple[int, bytes]:
    """Return how the data of a frame travels: as what is shortest, without much work for what does not shrink."""
    data = frame.data
    if frame.kind == SLOTS and data:
        return TRANSPOSED, zlib.compress(transposed(data), 1)
    if len(data) < PACKED_BYTES_MIN:
        return PLAIN, data
    sample = data[:SAMPLE_BYTES]
    if len(zlib.compress(sample, 1)) > SAMPLE_SHARE * len(sample):
        return PLAIN, data
    return DEFLATED, zlib.compress(data, 1)


def encode(header: Mapping[str, Any], frames: Sequence[Frame]) -> bytes:
    """
    Return the bytes of a request.

    Args:
        header: all of it but `protocol`.
    """
    text = json.dumps({"protocol": PROTOCOL, **header}, separators=(",", ":")).encode()
    chunks = [START.pack(MAGIC, len(text)), text]
    for frame in frames:
        pack, packed = _packed(frame)
        sizes = (frame.offset, len(frame.data), len(packed), zlib.crc32(frame.data))
        chunks += (FRAME.pack(frame.kind, pack, frame.writer, frame.file, *sizes), packed)
    return b"".join(chunks)


def body_crc(body: bytes) -> str:
    """
    Return the CRC-32 of a request as it travels, 8 hex digits.

    >>> body_crc(b"123456789")
    'cbf43926'
    """
    return f"{zlib.crc32(body):08x}"


def decode(body: bytes) -> Request:
    """
    Return the request in *body*, all of whose frames match their CRCs and bounds.

    Raises:
        MalformedRequest: the body is something else, was cut short or damaged, or exceeds a bound.
        UnsupportedProtocol: it is of another version.
    """
    if len(body) < START.size or not body.startswith(MAGIC):
        raise MalformedRequest("The body does not begin with AXS1: it is no request of Aim that ships runs.")
    _, header_bytes = START.unpack_from(body)
    if header_bytes > HEADER_BYTES_MAX or START.size + header_bytes > len(body):
        raise MalformedRequest(f"The header of the request has {header_bytes:,} bytes, more than there are or may be.")
    header = _header(body[START.size : START.size + header_bytes])
    frames: list[Frame] = []
    offset = START.size + header_bytes
    left_bytes = REQUEST_BYTES_MAX
    while offset < len(body):
        frame, offset = _frame(body, offset, header, left_bytes)
        left_bytes -= len(frame.data)
        frames.append(frame)
    sender = header["shipper"], header["number"]
    return Request(*sender, header["writers"], header["files"], frames, header.get("import"))


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedRequest("The header of the request is no JSON.") from None
    if not isinstance(header, dict):
        raise MalformedRequest("The header of the request is no JSON object.")
    if header.get("protocol") != PROTOCOL:
        raise UnsupportedProtocol(
            f"The request is of version {str(header.get('protocol'))[:20]} of the protocol; this server speaks "
            f"version {PROTOCOL}. Upgrade the older of the two."
        )
    header.setdefault("files", [])
    _check_sender(header)
    _check_import(header.get("import"))
    for name, check in (("writers", _check_writer), ("files", _check_file)):
        entries = header.get(name)
        if not isinstance(entries, list) or len(entries) > WRITERS_MAX:
            raise MalformedRequest(f"`{name}` must be a list of at most {WRITERS_MAX:,} objects.")
        for entry in entries:
            check(entry)
    return header


def _check_sender(header: Mapping[str, Any]) -> None:
    shipper, number = header.get("shipper"), header.get("number")
    if not (isinstance(shipper, str) and len(shipper) == SHIPPER_CHARS and shipper.isalnum() and shipper.isascii()):
        raise MalformedRequest("`shipper` must be 16 hex digits.")
    if type(number) is not int or not 0 <= number < OFFSET_MAX:
        raise MalformedRequest("`number` must be a whole number.")


def _check_import(said: object) -> None:
    if said is None:
        return
    note = said.get("note", {}) if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(note, dict) or not _is_run(said.get("run")):
        raise MalformedRequest("`import` must be an object with a run, and its note an object.")
    writers = (said.get("show", []), note.get("writers", []))
    if not all(isinstance(ids, list) and all(map(_is_writer_id, ids)) for ids in writers):
        raise MalformedRequest("The writers of an import must be lists of 8 hex digits each.")


def _is_run(run_hash: object) -> bool:
    return isinstance(run_hash, str) and layout.RUN_HASH.fullmatch(run_hash) is not None


def _is_writer_id(writer: object) -> bool:
    return isinstance(writer, str) and layout.WRITER_ID.fullmatch(writer) is not None


def _check_writer(entry: object) -> None:
    if not isinstance(entry, dict):
        raise MalformedRequest("Each of `writers` must be an object.")
    run_hash, writer = entry.get("run"), entry.get("writer")
    if not _is_run(run_hash):
        raise MalformedRequest("`run` of a writer can't name a run.")
    if not _is_writer_id(writer):
        raise MalformedRequest("`writer` must be 8 hex digits.")
    damaged = entry.get("damaged", [])
    if not (isinstance(damaged, list) and len(damaged) <= DAMAGED_MAX and all(map(_is_damaged_page, damaged))):
        raise MalformedRequest("`damaged` of a writer must be a list of segment, page and CRC.")
    counts = entry.get("end", {})
    if not (isinstance(counts, dict) and all(type(count) is int for count in counts.values())):
        raise MalformedRequest("`end` of a writer must hold counts.")
    _check_sizes(entry.get("has", {}))


def _is_damaged_page(entry: object) -> bool:
    if not (isinstance(entry, list) and len(entry) == 3 and all(type(number) is int for number in entry)):
        return False
    number, page, crc = (int(member) for member in entry)
    return 0 <= number < FILE_MAX and 1 <= page < segment_size(number) // PAGE_BYTES and 0 < crc < 1 << 32


def _check_sizes(sizes: object) -> None:
    is_fine = isinstance(sizes, dict) and type(sizes.get("events", 0)) is int
    for name in ("slots", "blobs"):
        counts = sizes.get(name, {}) if isinstance(sizes, dict) else None
        is_fine = is_fine and isinstance(counts, dict)
        for number, count in counts.items() if isinstance(counts, dict) else ():
            is_fine = is_fine and number.isascii() and number.isdigit() and len(number) < 8 and type(count) is int
    if not is_fine:
        raise MalformedRequest("`has` of a writer must hold the sizes of its files.")


def _check_file(entry: object) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise MalformedRequest("Each of `files` must be an object with a name.")
    size_bytes, digest = entry.get("bytes"), entry.get("sha256")
    if type(size_bytes) is not int or not 0 <= size_bytes < OFFSET_MAX:
        raise MalformedRequest("`bytes` of a file must be its size.")
    if not (isinstance(digest, str) and layout.SHA256.fullmatch(digest)):
        raise MalformedRequest("`sha256` of a file must be 64 hex digits.")


def _frame(body: bytes, start: int, header: Mapping[str, Any], left_bytes: int) -> tuple[Frame, int]:
    """Return the frame that begins at *start*, and where it ends."""
    if start + FRAME.size > len(body):
        raise MalformedRequest("The request ends within a frame.")
    kind, pack, writer, file, offset, raw_bytes, packed_bytes, crc = FRAME.unpack_from(body, start)
    start += FRAME.size
    is_transposed = pack == TRANSPOSED and kind == SLOTS and not raw_bytes % RECORD_BYTES
    if kind > ARTIFACT or (pack not in (PLAIN, DEFLATED) and not is_transposed):
        raise MalformedRequest(f"A frame is of kind {kind} and pack {pack}, which this server does not speak.")
    if raw_bytes > min(FRAME_BYTES_MAX, left_bytes) or start + packed_bytes > len(body):
        raise MalformedRequest("A frame is larger than it may be, or the request was cut short.")
    _check_target(kind, writer, file, header)
    if offset + raw_bytes > OFFSET_MAX:
        raise MalformedRequest("A frame is of an offset that can't be.")
    data = _unpacked(body[start : start + packed_bytes], pack, raw_bytes)
    if len(data) != raw_bytes or zlib.crc32(data) != crc:
        raise MalformedRequest("A frame does not match its CRC: it was damaged on the way.")
    frame = Frame(kind, writer, file, offset, data)
    _check_slots(frame)
    return frame, start + packed_bytes


def _check_target(kind: int, writer: int, file: int, header: Mapping[str, Any]) -> None:
    file_count = len(header["files"]) if kind in WHOLE_FILES else FILE_MAX
    if writer >= len(header["writers"]) or file >= file_count:
        raise MalformedRequest("A frame is of a writer or a file that the header does not name.")


def _unpacked(packed: bytes, pack: int, raw_bytes: int) -> bytes:
    if pack == PLAIN:
        return packed
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(packed, raw_bytes + 1)
    except zlib.error:
        raise MalformedRequest("A frame can't be unpacked: it was damaged on the way.") from None
    if not inflater.eof or inflater.unused_data:
        raise MalformedRequest("A frame unpacks to more than it says.")
    return untransposed(data) if pack == TRANSPOSED else data


def _check_slots(frame: Frame) -> None:
    if frame.kind != SLOTS:
        return
    slots = (segment_size(frame.file) - PAGE_BYTES) // RECORD_BYTES
    if len(frame.data) % RECORD_BYTES or frame.offset + len(frame.data) // RECORD_BYTES > slots:
        raise MalformedRequest(f"A frame has slots beyond the end of segment {frame.file}.")
    if 0 in memoryview(frame.data).cast("I")[7::8].tolist():
        raise MalformedRequest("A frame has an empty slot, which is never sent.")
