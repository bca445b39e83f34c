"""
Objects of sequences: which steps are shown, what each item is, and its bytes.

An *address* names one item for good: `<run>.<writer>.<file>.<offset>.<index>`, where the offset is that of its record
entry (docs/formats/blobs.md). Neither record nor bytes ever change, so an item may be cached under its address for
ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.errors import DamagedFile, NotFound
from aim.core.recent import Recent
from aim.engine.backend_repository import BackendRepository
from aim.engine.tables import cell_object
from aim.storage.forms import blobs
from aim.storage.reading.deleted_objects import DeletedItems, deleted_objects, has_deleted
from aim.storage.reading.points import Points
from aim.storage.reading.reader import DataPlace, RunReader, data_chunks, data_part

IntArray = npt.NDArray[np.int64]
ADDRESS = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})\.([0-9a-f]{8})\.(\d{1,6})\.(\d{1,13})\.(\d{1,6})")
IMAGE_KIND, TABLE_KIND = "aim.image", "aim.table"
DELETED_MAX = 64  # runs whose deleted objects are remembered

_deleted: Recent[tuple[str, str], DeletedItems] = Recent(DELETED_MAX)


@dataclass(frozen=True)
class StepChoice:
    """
    Which steps are shown: *count* of those from *low* to *high*, or the latest one not after *at*.

    Attributes:
        is_at: whether *at* is meant; None as *at* is the last step, as *low* or *high* no bound.
    """

    is_at: bool = False
    at: int | None = None
    low: int | None = None
    high: int | None = None
    count: int = 8

    def indices(self, steps: IntArray) -> IntArray:
        """
        Return the places of the chosen steps among *steps*, which increase.

        >>> steps = np.arange(0, 100, 10)
        >>> StepChoice(count=3).indices(steps), StepChoice(is_at=True, at=25).indices(steps)
        (array([0, 4, 9]), array([2]))
        """
        if self.is_at:
            stop = len(steps) if self.at is None else int(np.searchsorted(steps, self.at, "right"))
            return np.arange(max(stop - 1, 0), stop)
        start = 0 if self.low is None else int(np.searchsorted(steps, self.low, "left"))
        stop = len(steps) if self.high is None else int(np.searchsorted(steps, self.high, "right"))
        return start + spread(stop - start, self.count)


def spread(size: int, count: int) -> IntArray:
    """
    Return at most *count* of 0 … size - 1, evenly spread, the last one always and the first if there is room.

    >>> spread(10, 4), spread(2, 4), spread(10, 1)
    (array([0, 3, 6, 9]), array([0, 1]), array([9]))
    """
    if size <= count:
        return np.arange(max(size, 0))
    if count == 1:
        return np.array([size - 1])
    return np.arange(count) * (size - 1) // (count - 1)


@dataclass(frozen=True)
class ObjectItem:
    """
    One object.

    Attributes:
        address: names it; see above.
        fields: what describes it, as it is stored, `size` and `format` among them.
    """

    step: int
    epoch: float
    time_s: float
    index: int
    address: str
    fields: Mapping[str, Any]


def items_at(reader: RunReader, points: Points, position: int, first: int, count: int) -> Iterator[ObjectItem]:
    """
    Go through the items *first* … of the object, or list of objects, at *position*. A damaged record has none, and
    deleted items are left out.
    """
    writer = points.writer_ids[int(points.writers[position])]
    number, offset = blobs.split_position(int(points.values[position]))
    try:
        items = reader.items(points, position)
    except DamagedFile:
        return
    for index, fields in items:
        if not first <= index < first + count:
            continue
        address = f"{reader.run_hash}.{writer}.{number}.{offset}.{index}"
        time_s = float(points.times_s[position])
        yield ObjectItem(int(points.steps[position]), float(points.epochs[position]), time_s, index, address, fields)


@dataclass(frozen=True)
class Blob:
    """The bytes of one item, with the kind of object and the fields that say what they are."""

    kind: str
    fields: Mapping[str, Any]
    data: bytes


@dataclass(frozen=True)
class _Address:
    """An address in its parts; *text* is the whole."""

    text: str
    run_hash: str
    writer: str
    number: int
    offset: int
    index: int

    @classmethod
    def parse(cls, text: str) -> _Address:
        """Return the parts of an address. Raises NotFound when it has another form."""
        match = ADDRESS.fullmatch(text)
        if match is None:
            raise NotFound(f"{text[:80]!r} names no object.")
        return cls(text, match[1], match[2], int(match[3]), int(match[4]), int(match[5]))


class StoredBytes:
    """
    The bytes of one item, which are read when they are asked for.

    Attributes:
        kind, fields: as of `Blob`.
        size_bytes: how many there are.
    """

    def __init__(self, reader: RunReader, place: DataPlace, kind: str, fields: Mapping[str, Any]) -> None:
        self._reader = reader
        self._place = place
        self.kind = kind
        self.fields = fields
        self.size_bytes = int(fields["size"])

    def part(self, start: int, stop: int) -> bytes:
        """Return the bytes *start* to before *stop*, unchecked. Raises DamagedFile. Cost: reads these bytes."""
        return data_part(self._reader, self._place, start, stop)

    def chunks(self, chunk_bytes: int) -> Iterator[bytes]:
        """Go through all bytes. Raises DamagedFile before the last chunk. Cost: memory for one chunk."""
        return data_chunks(self._reader, self._place, chunk_bytes)


def open_large(repository: BackendRepository, address: str, size_min: int) -> StoredBytes | None:
    """
    Return the item of that address when it has at least *size_min* bytes of its own; None: `read_blob` is as good.

    Raises:
        NotFound, DamagedFile: see `read_blob`.

    Cost: one small read.
    """
    parsed = _Address.parse(address)
    _check_not_deleted(repository, parsed)
    reader = repository.readers.reader(parsed.run_hash)
    record, fields = _record(reader, parsed)
    data_offset, size = fields.get("data"), fields.get("size")
    if not isinstance(data_offset, int) or not isinstance(size, int) or size < size_min or fields.get("masks"):
        return None
    kind = blobs.kind_of_item(str(record["kind"]), fields)
    return StoredBytes(reader, (parsed.writer, parsed.number, data_offset), kind, fields)


def _record(reader: RunReader, address: _Address) -> tuple[dict[str, Any], Mapping[str, Any]]:
    try:
        record = reader.read_record(address.writer, address.number, address.offset)
        return record, record["items"][address.index]
    except (FileNotFoundError, IndexError):
        raise NotFound(f"The object {address.text} is gone.") from None


def read_blob(repository: BackendRepository, address: str, part: str | None = None) -> Blob:
    """
    Return the item of that address with its bytes; of an item that is all fields, such as a text, its text.

    Args:
        part: None for the object itself: of an image with masks, its image. Else one thing that is stored with it: the
            mask of that name of an image, or the object in a cell of a table, such as `cells/0-2.png`.

    Raises:
        NotFound: there is no such item in this repository, or it has no such part.
        DamagedFile: the file is damaged.

    Cost: one small read, and one of the bytes.
    """
    parsed = _Address.parse(address)
    _check_not_deleted(repository, parsed)
    reader = repository.readers.reader(parsed.run_hash)
    record, fields = _record(reader, parsed)
    try:
        data_offset = fields.get("data")
        if isinstance(data_offset, int):
            content = reader.read_data(parsed.writer, parsed.number, data_offset)
        else:
            content = str(fields.get("text", "")).encode()
    except FileNotFoundError:
        raise NotFound(f"The object {address} is gone.") from None
    whole = Blob(blobs.kind_of_item(str(record["kind"]), fields), fields, content)
    if whole.kind == IMAGE_KIND:
        return _part_of_image(whole, part)
    if part is None:
        return whole
    cell = cell_object(content, part) if whole.kind == TABLE_KIND else None
    if cell is None:
        raise NotFound(f"The object {address} has no part {part[:80]!r}.")
    return Blob(cell.kind, cell.fields, cell.data)


def check_not_deleted(repository: BackendRepository, address: str) -> None:
    """
    Refuse the address of an item that was deleted.

    Raises:
        NotFound: it was; or there is no such item in this repository.

    Cost: 50 us; after a deletion, for the first item that is asked for, the reading of the run's points.
    """
    _check_not_deleted(repository, _Address.parse(address))


def _check_not_deleted(repository: BackendRepository, address: _Address) -> None:
    run_hash = address.run_hash
    try:
        state = repository.readers.log(run_hash).refresh()
    except FileNotFoundError:
        raise NotFound(f"The object {address.text} is gone.") from None
    if not has_deleted(state):
        return
    stamp = (state.retraction_count, *sorted(state.writers))  # a new run of a deleted one's name has other writers
    deleted = _deleted.get(
        (repository.address, run_hash),
        stamp,
        lambda: deleted_objects(repository.backend.reader(run_hash, may_seal=False), state),
    )
    item_indices = deleted.get((address.writer, blobs.pack_position(address.number, address.offset)), frozenset())
    if item_indices is None or address.index in item_indices:
        raise NotFound(f"The object {address.text} was deleted.")


def _part_of_image(whole: Blob, part: str | None) -> Blob:
    # Masks follow the image's file: docs/formats/objects.md
    masks = {str(mask["name"]): mask for mask in whole.fields.get("masks") or ()}
    if part is None:
        starts = [int(mask["start"]) for mask in masks.values()]
        return Blob(whole.kind, whole.fields, whole.data[: min(starts)]) if starts else whole
    if part not in masks:
        raise NotFound(f"The image has no mask {part[:80]!r}.")
    start, size_bytes = int(masks[part]["start"]), int(masks[part]["size_bytes"])
    return Blob(IMAGE_KIND, {"format": "png"}, whole.data[start : start + size_bytes])


def longest_list(reader: RunReader, points: Points, samples: int = 3) -> int:
    """Return the longest list among the first, middle and last records of a sequence of lists."""
    lengths = [1]
    for position in spread(len(points), samples).tolist():
        try:
            lengths += [index + 1 for index, _ in reader.items(points, position)[-1:]]
        except DamagedFile:
            continue
    return max(lengths)
