"""
Objects of sequences: which steps are shown, the items of a step, and an item by its address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.core.errors import DamagedFile, NotFound, RunNotFound
from aim.core.values import Stored
from aim.engine import media
from aim.engine.media import StepChoice
from aim.engine.repository import Repository
from aim.storage.reading.points import Points
from aim.storage.reading.reader import RunReader

STEPS = np.arange(0, 100, 10)
MASK = b"mask"


@dataclass
class Thing:
    """An object to track."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    data: bytes | None = None

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored(self.kind, self.fields, self.data, "png")


def picture(caption: str) -> Thing:
    """Return an image with one mask, whose bytes follow its own."""
    data = caption.encode()
    masks = [{"name": "edge", "start": len(data), "size_bytes": len(MASK)}]
    return Thing(media.IMAGE_KIND, {"caption": caption, "masks": masks}, data + MASK)


@pytest.fixture(name="repository", scope="module")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """
    A run "example" with images at the steps 0, 5 and 9, the second time three of them, and a text.
    """
    repository = Repository(tmp_path_factory.mktemp("media"), create=True)
    writer = repository.new_run("example")
    writer.sequence("pictures").track([picture("first")], step=0, epoch=1)
    writer.sequence("pictures").track([picture("a"), picture("b"), picture("c")], step=5)
    writer.sequence("pictures").track([picture("last")], step=9)
    writer.sequence("words").track(Thing("aim.text", {"text": "größe"}), step=0)
    writer.close()
    return repository


@pytest.fixture(name="reader")
def _reader(repository: Repository) -> RunReader:
    """
    The reader of the run "example".
    """
    return repository.readers.reader("example")


def points_of(reader: RunReader, name: str = "pictures") -> Points:
    """Return the points of a sequence without a context."""
    points = reader.points((name, "{}"))
    assert points is not None
    return points


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (StepChoice(), [0, 1, 2, 3, 5, 6, 7, 9]),
        (StepChoice(count=3), [0, 4, 9]),
        (StepChoice(count=1), [9]),
        (StepChoice(count=10), list(range(10))),
        (StepChoice(low=20), list(range(2, 10))),
        (StepChoice(low=21, high=49), [3, 4]),
        (StepChoice(low=20, high=40), [2, 3, 4]),
        (StepChoice(low=41, high=49), []),
        (StepChoice(low=95), []),
        (StepChoice(high=-1), []),
        (StepChoice(is_at=True), [9]),
        (StepChoice(is_at=True, at=25), [2]),
        (StepChoice(is_at=True, at=30), [3]),
        (StepChoice(is_at=True, at=1000), [9]),
        (StepChoice(is_at=True, at=-1), []),
    ],
)
def test_a_choice_is_of_the_steps_beside_it(choice: StepChoice, expected: list[int]) -> None:
    """
    Bounds belong to the range; of many steps the last is always shown; *at* takes the latest step that is not after it.
    """
    assert expected == choice.indices(STEPS).tolist()
    assert [] == choice.indices(STEPS[:0]).tolist()


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [
        (10, 4, [0, 3, 6, 9]),
        (2, 4, [0, 1]),
        (4, 4, [0, 1, 2, 3]),
        (10, 1, [9]),
        (0, 3, []),
        (-2, 3, []),
        (5, 2, [0, 4]),
    ],
)
def test_numbers_are_spread_from_the_first_to_the_last(size: int, count: int, expected: list[int]) -> None:
    """
    All are given where there are few.
    """
    assert expected == media.spread(size, count).tolist()


@pytest.mark.parametrize(("first", "count", "expected"), [(0, 9, [0, 1, 2]), (1, 1, [1]), (2, 5, [2]), (3, 9, [])])
def test_a_list_of_objects_is_shown_in_parts(reader: RunReader, first: int, count: int, expected: list[int]) -> None:
    """
    Items have the step of their list, an index, and an address of their own.
    """
    items = list(media.items_at(reader, points_of(reader), 1, first, count))

    assert expected == [item.index for item in items]
    assert {5} >= {item.step for item in items}
    assert ["abc"[index] for index in expected] == [item.fields["caption"] for item in items]
    assert len(expected) == len({item.address for item in items})


def test_an_item_has_its_epoch_and_time(reader: RunReader) -> None:
    """
    Step, epoch and time are those of the point.
    """
    points = points_of(reader)
    (item,) = media.items_at(reader, points, 0, 0, 9)

    assert (0, 1.0, points.times_s[0]) == (item.step, item.epoch, item.time_s)


@pytest.mark.parametrize(
    ("name", "position", "index", "part", "kind", "data"),
    [
        ("pictures", 1, 2, None, "aim.image", b"c"),
        ("pictures", 0, 0, "edge", "aim.image", MASK),
        ("words", 0, 0, None, "aim.text", "größe".encode()),
    ],
)
def test_an_address_leads_to_its_bytes(
    repository: Repository,
    reader: RunReader,
    name: str,
    position: int,
    index: int,
    part: str | None,
    kind: str,
    data: bytes,
) -> None:
    """
    An image comes without its masks, a mask by its name, and an object that is all fields as its text.
    """
    item = list(media.items_at(reader, points_of(reader, name), position, 0, 9))[index]
    blob = media.read_blob(repository, item.address, part)

    assert (kind, data) == (blob.kind, blob.data)
    media.check_not_deleted(repository, item.address)


@pytest.mark.parametrize("address", ["", "example", "example.0.0.0.0", "example.00000000.x.0.0", "a/b.00000000.0.0.0"])
def test_what_is_no_address_is_refused(repository: Repository, address: str) -> None:
    """
    The message has the text, cut where it is long.
    """
    for text in (address, address + "x" * 100):
        with pytest.raises(NotFound) as caught:
            media.read_blob(repository, text)
        assert f"{text[:80]!r} names no object." == str(caught.value)


def test_an_address_of_something_else_is_refused(repository: Repository, reader: RunReader) -> None:
    """
    Another run, another writer, an index beyond the list, and a part that the object does not have are not found.
    """
    (item,) = media.items_at(reader, points_of(reader), 0, 0, 9)
    (text,) = media.items_at(reader, points_of(reader, "words"), 0, 0, 9)
    run_hash, writer, number, offset, _ = item.address.split(".")

    for address in (f"gone.{writer}.{number}.{offset}.0", f"{run_hash}.{'0' * 8}.{number}.{offset}.0"):
        with pytest.raises((NotFound, RunNotFound)):
            media.read_blob(repository, address)
    with pytest.raises(NotFound, match="is gone"):
        media.read_blob(repository, f"{run_hash}.{writer}.{number}.{offset}.7")
    with pytest.raises(NotFound, match="The image has no mask 'none'"):
        media.read_blob(repository, item.address, "none")
    with pytest.raises(NotFound, match="has no part 'none'"):
        media.read_blob(repository, text.address, "none")


def test_a_deleted_item_is_refused(tmp_path: Path) -> None:
    """
    Of a list in which one item was deleted the others are shown and read.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    writer.sequence("pictures").track([picture("a"), picture("b")], step=5)
    writer.close()
    reader = repository.readers.reader("example")
    first, second = media.items_at(reader, points_of(reader), 0, 0, 9)
    entry = {"name": "pictures", "context": {}, "steps": [5], "items": [0]}
    repository.edit("example", {"delete": [entry]}, by="test")
    reader = repository.readers.reader("example")

    assert [second.address] == [item.address for item in media.items_at(reader, points_of(reader), 0, 0, 9)]
    assert b"b" == media.read_blob(repository, second.address).data
    for refuse in (media.check_not_deleted, media.read_blob):
        with pytest.raises(NotFound, match="was deleted"):
            refuse(repository, first.address)


def test_the_longest_list_is_looked_for_in_some_records(reader: RunReader) -> None:
    """
    The first, middle and last record are looked at.
    """
    assert 3 == media.longest_list(reader, points_of(reader))
    assert 1 == media.longest_list(reader, points_of(reader), samples=1)


class DamagedReader:
    """A reader whose records can't be read."""

    run_hash = "example"

    def items(self, points: Points, index: int) -> Sequence[tuple[int, dict[str, Any]]]:
        """Raise what a damaged record raises."""
        raise DamagedFile("blobs", "byte 0", "its CRC does not match")


def test_a_damaged_record_has_no_items(reader: RunReader) -> None:
    """
    The other steps are shown all the same.
    """
    damaged: Any = DamagedReader()

    assert [] == list(media.items_at(damaged, points_of(reader), 0, 0, 9))
    assert 1 == media.longest_list(damaged, points_of(reader))
