"""
Records as a sealed file: what its footer says of each sequence, and when a writer is not sealed at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.core.errors import UnsupportedFormat
from aim.storage.disk import layout
from aim.storage.forms import events, records
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from aim.storage.sealing.declarations import SequenceDeclaration, declarations
from aim.storage.sealing.footer import JournalOrigin, SealedSequence
from tests.storage.disks import NotedDisk
from tests.storage.sealing.sealed_files import opened
from tests.storage.writing import Picture

ORIGIN = JournalOrigin("run", "0badcafe", 1, 5, 7)


def recorded(*rows: tuple[int, int, float]) -> Records:
    """Return records: sequence, step and value, in the order of recording."""
    table = np.zeros(len(rows), records.RECORD_DTYPE)
    for name, column in zip(("sequence", "step", "value"), zip(*rows)):
        table[name] = column
    table["time"] = 1795380918 + np.arange(len(rows))
    return table


def sequences(table: Records, **declared: SequenceDeclaration) -> list[SealedSequence]:
    """Return what the sealed file of records says of their sequences."""
    by_number = {int(name[1:]): declaration for name, declaration in declared.items()}
    file = opened(seal.encode(table, by_number, ORIGIN))
    assert (ORIGIN, []) == (file.origin, file.damage)
    return file.sequences


@pytest.mark.parametrize(
    ("steps", "stride"),
    [
        ([5], 1),
        ([5, 6, 7], 1),
        ([5, 8, 11], 3),
        ([5, 8, 12], None),
        ([5, 8, 9, 14], None),
        ([5, 5], None),
        ([5, 5, 6], None),
        ([-3, 0, 3], 3),
        ([0, 2**62 - 1], 2**62 - 1),
        ([0, 2**62], None),
        ([-(2**63), 2**63 - 1], None),
    ],
)
def test_even_steps_are_said_by_the_first_and_the_stride(steps: list[int], stride: int | None) -> None:
    """
    Readers then need not read the steps; any other steps have no stride.
    """
    (sequence,) = sequences(recorded(*((1, step, 0.5) for step in steps)))

    assert (steps[0], stride, len(steps)) == (sequence.first_step, sequence.stride, sequence.row_count)


def test_records_of_any_order_are_ordered_by_number_and_step() -> None:
    """
    Rows of a sequence follow each other by step, those of one step in the order of recording.
    """
    table = recorded((2, 5, 1.0), (1, 9, 2.0), (2, 3, 3.0), (1, 9, 4.0), (2, 5, 5.0))
    file = opened(seal.encode(table, {}, ORIGIN))
    numbers, columns = file.all()

    assert [1, 1, 2, 2, 2] == numbers.tolist()
    assert [9, 9, 3, 5, 5] == columns.steps.tolist()
    assert [2.0, 4.0, 3.0, 1.0, 5.0] == columns.values.tolist()
    assert [(0, 2), (2, 3)] == [(each.first_row, each.row_count) for each in file.sequences]


def test_a_sequence_has_what_was_declared() -> None:
    """
    Name, context in its order and kind; a number that nobody declared is named after itself; objects have no summary.
    """
    context = {"b": 1, "a": [float("nan")]}
    loss, pictures, nobody = sequences(
        recorded((1, 0, 0.5), (2, 0, 64.0), (3, 0, 1.0)),
        _1=SequenceDeclaration("loss", context, "int"),
        _2=SequenceDeclaration("pictures \ud800", {}, "aim.image"),
    )

    assert ("loss", ["b", "a"], "int") == (loss.name, list(loss.context), loss.kind)
    assert ("pictures \ud800", "aim.image", None) == (pictures.name, pictures.kind, pictures.summary)
    assert ("(unknown 3)", {}, "float") == (nobody.name, nobody.context, nobody.kind)
    assert loss.summary is not None
    assert (1, 0.5) == (loss.summary.point_count, loss.summary.last)


@pytest.mark.parametrize(
    ("lengths", "groups"),
    [([5, 5], [0, 0]), ([1024, 5], [0, 1]), ([1023, 1, 5], [0, 0, 1]), ([5000, 1023, 1, 1], [0, 1, 1, 2]), ([1], [0])],
)
def test_a_row_group_ends_after_1024_rows(lengths: list[int], groups: list[int]) -> None:
    """
    Sequences are never divided: a group ends with the one that fills it.
    """
    rows = [(number, step, 0.5) for number, length in enumerate(lengths, 1) for step in range(length)]

    assert groups == [each.group for each in sequences(recorded(*rows))]


def test_what_does_not_read_back_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A pyarrow that writes other pages is named, and the journal is kept.
    """
    monkeypatch.setattr(seal, "_holds", lambda columns, table: False)
    with pytest.raises(UnsupportedFormat, match="pyarrow .* does not write the pages"):
        seal.encode(recorded((1, 0, 0.5)), {}, ORIGIN)


# a writer


@pytest.fixture(name="ended")
def _ended(writer: Writer) -> Writer:
    """
    An ended writer of a metric and an object.
    """
    writer.sequence("loss").track(0.5)
    writer.sequence("pictures").track(Picture())
    writer.close()
    return writer


def state_of(writer: Writer) -> RunState:
    """Return the state of the run."""
    return RunLog(writer.files.folder).refresh()


def test_declarations_are_those_of_one_writer(ended: Writer) -> None:
    """
    Numbers are a writer's own: another writer's are not among them.
    """
    other = Writer(ended.files.folder, "run")
    other.sequence("other").track(1)
    other.close()
    state = state_of(ended)

    assert {1: SequenceDeclaration("loss", {}, "float"), 2: SequenceDeclaration("pictures", {}, "test.picture")} == (
        declarations(state, ended.id)
    )
    assert {1: SequenceDeclaration("other", {}, "int")} == declarations(state, other.id)
    assert {} == declarations(state, "ffffffff")


def test_sealing_takes_the_journal_away_and_again_does_nothing(ended: Writer) -> None:
    """
    The answer says whether anything changed.
    """
    folder, state = ended.files.folder, state_of(ended)

    assert [True, False] == [seal.seal_writer(folder, ended.id, state) for _ in range(2)]
    assert ([], True) == (list(folder.glob("*.points-*")), layout.sealed_file(folder, ended.id).exists())


@pytest.mark.parametrize("changed", [{"points": 3}, {"points": 1}, {"segments": 2}, {"segments": 0}])
def test_a_journal_that_its_end_does_not_describe_is_left_alone(ended: Writer, changed: dict[str, int]) -> None:
    """
    Where the end event counts otherwise, something is lost: the journal stays as it is.
    """
    path = ended.lines.log.path
    lines = events.read(path).events
    lines[-1]["end"] |= changed
    path.write_bytes(b"".join(map(events.encode, lines)))
    folder = ended.files.folder

    assert not seal.seal_writer(folder, ended.id, state_of(ended))
    assert (1, False) == (len(list(folder.glob("*.points-*"))), layout.sealed_file(folder, ended.id).exists())


def test_a_file_of_another_sealer_is_made_sure_of(ended: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When another process has published the file, its name is synced before the segments go.
    """
    folder, state = ended.files.folder, state_of(ended)
    disk = NotedDisk()

    def publish(path: Path, make: Callable[[Path], object], *, sync: bool = True) -> bool:
        make(path)
        disk.calls.clear()
        return False

    monkeypatch.setattr(disk, "publish_made", publish)
    assert seal.seal_writer(folder, ended.id, state, disk=disk)

    assert ["sync_folder run", f"unlink {ended.id}.points-0000"] == disk.calls


def test_an_event_file_that_can_not_be_read_keeps_its_writer_from_being_sealed(ended: Writer) -> None:
    """
    The names of its sequences would be lost for good.
    """
    state = state_of(ended)
    state.writers[ended.id].unreadable = PermissionError(13, "Permission denied")
    with pytest.raises(PermissionError, match="Permission denied"):
        seal.seal_writer(ended.files.folder, ended.id, state)

    assert 1 == len(list(ended.files.folder.glob("*.points-*")))


@pytest.mark.parametrize(("age_s", "stays"), [(3500.0, True), (3700.0, False)])
def test_scratch_files_of_an_hour_go(ended: Writer, age_s: float, stays: bool) -> None:
    """
    A young one may be another sealer's; folders and other files stay.
    """
    folder = ended.files.folder
    now_s = layout.events_file(folder, ended.id).stat().st_mtime
    for name in (".scratch", "notes.txt"):
        (folder / name).touch()
        os.utime(folder / name, (now_s - age_s,) * 2)
    (folder / ".folder").mkdir()
    os.utime(folder / ".folder", (1.0, 1.0))
    seal.seal_writer(folder, ended.id, state_of(ended))
    names: list[Any] = [path.name for path in folder.iterdir()]

    assert (stays, True, True) == (".scratch" in names, "notes.txt" in names, ".folder" in names)
