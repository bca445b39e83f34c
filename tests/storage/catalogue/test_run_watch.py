"""
One run followed: what is open, who wrote all of it, and when its points have to be read themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim.core.summaries import UNKNOWN_LENGTH
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.catalogue.run_watch import RunWatch, read_runs
from aim.storage.forms import edits
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import WriterInfo
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from tests.storage.event_files import ONE, lines_of
from tests.storage.writing import Picture


@pytest.fixture(name="watch")
def _watch(folder: Path) -> RunWatch:
    return RunWatch(folder, KindNumbers())


def row(watch: RunWatch) -> CatalogueRow:
    """Return what the run is now."""
    return read_runs([watch], lambda run_hash, error: pytest.fail(repr(error)))[watch.folder.name]


def sealed(folder: Path) -> None:
    """Seal all writers of the run."""
    state = RunLog(folder).refresh()
    for writer in state.writers:
        seal.seal_writer(folder, writer, state)


def summary(watch: RunWatch, name: str = "loss", kind: str = "metric") -> Any:
    """Return the summary of a sequence."""
    return row(watch).sequences[name, "{}", kind].summary


def test_a_run_is_open_while_a_writer_may_record(watch: RunWatch, writer: Writer) -> None:
    """
    A live writer keeps the run open; one that has ended does not.
    """
    writer.sequence("loss").track(0.5)
    assert row(watch).is_open
    writer.close()

    assert not row(watch).is_open


def test_a_lost_run_is_read_once_more_before_it_is_closed(
    watch: RunWatch, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When a writer is found dead, a second look catches what it stored after the first one.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    whole = WriterInfo.has_ended
    dead: list[bool] = []

    def has_ended(self: WriterInfo, now_s: float) -> bool:
        if not dead:
            loss.track(0.25)  # after the journal was read, before its end was found
        dead.append(True)
        return True

    assert row(watch).is_open
    monkeypatch.setattr(WriterInfo, "has_ended", has_ended)
    last = row(watch)
    monkeypatch.setattr(WriterInfo, "has_ended", whole)

    assert (False, 2) == (last.is_open, last.sequences["loss", "{}", "metric"].summary.point_count)


def test_each_row_has_its_own_lists(watch: RunWatch, writer: Writer) -> None:
    """
    What a later line does to a list of the params leaves the row of before as it was.
    """
    writer.lines.set_param(("l",), [1])
    before = row(watch)
    writer.lines.set_param(("l", 1), 2)
    after = row(watch)

    assert ([1], [1, 2]) == (before.params["l",], after.params["l",])


def test_rows_share_what_has_not_changed(watch: RunWatch, writer: Writer) -> None:
    """
    Without new lines params stay the same object, and without new points sequences do.
    """
    writer.lines.set_param(("a",), 1)
    writer.sequence("loss").track(0.5)
    first, second = row(watch), row(watch)
    writer.sequence("loss").track(0.5)
    third = row(watch)
    writer.lines.set_param(("a",), 2)
    fourth = row(watch)

    assert first.params is second.params is third.params
    assert first.sequences is second.sequences
    assert [1, 1, 2, 2] == [
        each.sequences["loss", "{}", "metric"].summary.point_count for each in (first, second, third, fourth)
    ]
    assert (2, 1) == (fourth.params["a",], third.params["a",])


# a sole writer


def test_the_writer_of_a_sealed_run_is_its_sole_one(watch: RunWatch, writer: Writer, folder: Path) -> None:
    """
    A run is known by its one writer when all its points are in one sealed file.
    """
    writer.sequence("loss").track(0.5)
    assert "sole_writer" not in row(watch).fields
    writer.close()
    assert "sole_writer" not in row(watch).fields
    sealed(folder)

    assert writer.id == row(RunWatch(folder, KindNumbers())).fields["sole_writer"]


@pytest.mark.parametrize("change", ["drop", "exact", "forked", "second", "damage", "undeclared"])
def test_a_run_of_which_the_lines_say_more_has_no_sole_writer(folder: Path, writer: Writer, change: str) -> None:
    """
    Hidden points, exact integers, a parent, a second writer, damage, and lost declarations are in the lines only.
    """
    writer.sequence("loss").track(0.5)
    if change == "exact":
        writer.sequence("big").track(2**60)
    if change == "forked":
        writer.lines.append({"forked_from": {"run": "parent", "step": 1}})
    writer.close()
    sealed(folder)
    path = writer.lines.log.path
    if change == "drop":
        edits.write(folder, {"drop": [{"name": "loss", "context": {}}]}, by="test")
    elif change == "second":
        lines_of(folder, ONE, {"at": 1.0, "begin": {}}, {"at": 2.0, "end": {"state": "finished"}})
    elif change == "damage":
        path.write_bytes(path.read_bytes() + b"x\n")
    elif change == "undeclared":
        path.write_bytes(b"".join(line for line in path.read_bytes().splitlines(True) if b'"sequence"' not in line))

    assert "sole_writer" not in row(RunWatch(folder, KindNumbers())).fields


# points that have to be read


def test_steps_that_overlap_are_merged_from_the_points(watch: RunWatch, writer: Writer, folder: Path) -> None:
    """
    Where two writers recorded the same steps the latest counts.
    """
    for value, step in ((1.0, 0), (2.0, 1)):
        writer.sequence("loss").track(value, step)
    other = Writer(folder, "run")
    other.sequence("loss").track(8.0, 1)
    other.close()

    assert (2, 1.0, 8.0, 4.5) == (
        summary(watch).point_count, summary(watch).min, summary(watch).last, summary(watch).mean,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["deleted", "dropped", "exact"])
def test_hidden_and_exact_points_are_read(watch: RunWatch, writer: Writer, folder: Path, how: str) -> None:
    """
    Deletions and drops hide single points, and exact integers lie in lines: then the points say the summary.
    """
    for step in range(4):
        writer.sequence("loss").track(step, step)
    if how == "exact":
        writer.sequence("loss").track(2**60, 9)
    entry = {"name": "loss", "context": {}}
    if how == "deleted":
        edits.write(folder, {"delete": [{**entry, "steps": [3]}]}, by="test", seen_at_s=4e9)
    if how == "dropped":
        edits.write(folder, {"drop": [entry]}, by="test", seen_at_s=4e9)
    now = row(watch)

    if how == "dropped":
        assert {} == now.sequences
    else:
        each = now.sequences["loss", "{}", "metric"].summary
        assert ((3, 2.0) if how == "deleted" else (5, float(2**60))) == (each.point_count, each.last)


def test_a_sequence_whose_declaration_was_lost_has_the_name_of_its_number(folder: Path, writer: Writer) -> None:
    """
    Points without a line that declares them are listed all the same.
    """
    for name in ("a", "b"):
        writer.sequence(name).track(0.5)
    path = writer.lines.log.path
    path.write_bytes(b"".join(line for line in path.read_bytes().splitlines(True) if b'"name":"b"' not in line))
    writer.lines.log.size_bytes = path.stat().st_size
    writer.close()

    assert ["a"] == [name for name, *_ in row(RunWatch(folder, KindNumbers())).sequences][:1]


@pytest.mark.parametrize("is_rewound", [False, True])
def test_the_length_of_lists_is_unknown_anew_when_others_show(
    watch: RunWatch, writer: Writer, is_rewound: bool
) -> None:
    """
    The longest list is looked up later: its number says that it is unknown, and differs when points were hidden.
    """
    for step in range(3):
        writer.sequence("pictures").track([Picture(), Picture()], step)
    assert UNKNOWN_LENGTH == summary(watch, "pictures", "test.picture").record_max_length
    if is_rewound:
        writer.sequences.rewind(1)
    after = summary(watch, "pictures", "test.picture")

    assert (2 if is_rewound else 3, is_rewound) == (after.point_count, after.record_max_length < UNKNOWN_LENGTH)


def test_a_single_object_has_the_length_of_one(watch: RunWatch, writer: Writer) -> None:
    """
    Only lists have a length that has to be looked up.
    """
    writer.sequence("pictures").track(Picture())

    assert 1 == summary(watch, "pictures", "test.picture").record_max_length


def test_a_run_that_is_deleted_is_left_out_silently(watch: RunWatch, writer: Writer, tmp_path: Path) -> None:
    """
    One that goes before the look is no row and no error; one that can't be read is reported.
    """
    watch.folder.rename(tmp_path / "elsewhere")
    refused: list[str] = []

    assert ({}, []) == (read_runs([watch], lambda run_hash, error: refused.append(run_hash)), refused)
