"""
Sealing changes nothing that is read, may be broken off anywhere, and may be done by many at once.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from aim.core.summaries import Summary
from aim.storage.care.check import check_run
from aim.storage.disk import layout
from aim.storage.disk.files import Disk
from aim.storage.forms import blobs, events, records
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from aim.storage.sealing import pages, seal, writing
from aim.storage.sealing.footer import SUMMARY_KEYS, JournalOrigin
from aim.storage.sealing.sealed import Sealed
from aim.storage.sealing.verify import verify
from tests.storage.recorded import RUN, Picture, contents, copied, points, points_in_place, record, seal_all

SOURCE = Path(seal.__file__).parents[3]


@pytest.fixture(name="run_folder")
def _run_folder(tmp_path: Path) -> Path:
    """
    An ended run whose points are in the journal.
    """
    folder = tmp_path / "runs" / RUN
    record(folder)
    return folder


def sealed_loss(folder: Path, count: int = 2000) -> Path:
    """Record *count* losses and seal them; give the file."""
    folder.mkdir(parents=True)
    writer = Writer(folder, folder.name)
    loss = writer.sequence("loss", {"subset": "train"})
    for step in range(count):
        loss.track(1 / (1 + step), step=step, epoch=step // 100)
    writer.close()
    assert seal.seal_writer(folder, writer.id, RunLog(folder).refresh())
    return layout.sealed_file(folder, writer.id)


class Crash(OSError):
    """The power is cut."""


class Falling(Disk):
    """A disk that goes away at its n-th call, and stays away."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Crash("the disk is gone")

    def create(self, path: Path) -> int:
        """Create a file, or fall."""
        self._count()
        return super().create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write half, then fall; or write all."""
        if self.left <= 0:
            super().write(descriptor, data[: len(data) // 2])
        self._count()
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Sync, or fall."""
        self._count()
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Sync, or fall."""
        self._count()
        super().sync_folder(path)

    def link(self, source: Path, target: Path) -> None:
        """Link, or fall."""
        self._count()
        super().link(source, target)

    def unlink(self, path: Path) -> None:
        """Unlink, or fall."""
        self._count()
        super().unlink(path)


# content


def test_sealing_changes_nothing_that_is_read(run_folder: Path) -> None:
    """
    All points, objects and integers beyond 2^53 read the same from the journal and from the sealed files.
    """
    before = points(run_folder)
    seal_all(run_folder)

    assert before == points(run_folder)
    assert [] == check_run(run_folder)
    assert [] == list(run_folder.glob("*.points-*"))


numbers = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(width=64), st.sampled_from([math.nan, math.inf, -math.inf, -0.0])
)
tracked = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "é"]), numbers, st.integers(-(2**63), 2**63 - 1), st.none() | st.integers(0, 99)
    ),
    max_size=40,
)


@settings(max_examples=40)
@given(tracked)
def test_whatever_is_tracked_reads_the_same_when_sealed(history: list[tuple[str, Any, int, int | None]]) -> None:
    """
    Any values, steps and epochs are the same before sealing, with both forms there, and after.
    """
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "a" / RUN
        folder.mkdir(parents=True)
        writer = Writer(folder, RUN)
        for name, value, step, epoch in history:
            writer.sequence(name, None).track(value, step=step, epoch=epoch)
        writer.close()
        before = _comparable(folder)
        journal = {name: data for name, data in contents(folder).items() if ".points-" in name}
        seal_all(folder)
        after = _comparable(folder)
        for name, data in journal.items():
            (folder / name).write_bytes(data)

        assert before == after == _comparable(folder)
        assert [] == check_run(folder)


def _comparable(folder: Path) -> dict[Any, Any]:
    return {key: (repr(value[0]), *value[1:]) for key, value in points(folder).items()}


def test_rows_are_ordered_by_sequence_step_and_recording(tmp_path: Path) -> None:
    """
    A step that was tracked twice has both rows, in the order of recording; nothing is merged.
    """
    folder = tmp_path / RUN
    folder.mkdir()
    writer = Writer(folder, RUN)
    loss = writer.sequence("loss", None)
    for step, value in ((5, 0.5), (1, 0.1), (5, 0.75), (3, 0.3)):
        loss.track(value, step=step)
    writer.close()
    seal_all(folder)
    columns = Sealed.open(layout.sealed_file(folder, writer.id)).columns(1)

    assert [1, 3, 5, 5] == columns.steps.tolist()
    assert [0.1, 0.3, 0.5, 0.75] == columns.values.tolist()


def test_the_summary_counts_the_latest_of_a_step(tmp_path: Path) -> None:
    """
    The summary is that of the points a user sees: NaN left out of min, max and mean.
    """
    folder = tmp_path / RUN
    folder.mkdir()
    writer = Writer(folder, RUN)
    loss = writer.sequence("loss", None)
    for step, value in ((0, 9.0), (0, 1.0), (1, math.nan), (2, 4.0), (7, 2.5)):
        loss.track(value, step=step)
    writer.close()
    seal_all(folder)
    (sequence,) = Sealed.open(layout.sealed_file(folder, writer.id)).sequences

    assert Summary(
        first=1.0, last=2.5, min=1.0, max=4.0, mean=2.5, std=math.sqrt(1.5), median=2.5, point_count=4,
        first_step=0, last_step=7, argmin=0, argmax=2, has_nan=True, record_max_length=0,
    ) == sequence.summary  # fmt: skip
    assert (5, None) == (sequence.row_count, sequence.stride)


def test_a_file_without_deviations_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A file that was sealed before a summary value was added does not have it, and is whole.
    """
    folder = tmp_path / RUN
    folder.mkdir()
    writer = Writer(folder, RUN)
    for value in (1.0, 2.0, 4.0):
        writer.sequence("loss").track(value)
    writer.close()
    old_keys = {key: field for key, field in SUMMARY_KEYS.items() if key not in ("std", "median")}
    with monkeypatch.context() as patch:
        patch.setattr(writing, "SUMMARY_KEYS", old_keys)
        seal_all(folder)
    path = layout.sealed_file(folder, writer.id)
    summary = Sealed.open(path).summaries()[1]

    assert [] == verify(path)
    assert summary is not None
    assert (4.0, True, True) == (summary.last, math.isnan(summary.std), math.isnan(summary.median))


def test_a_number_without_a_declaration_is_kept_as_unknown(run_folder: Path) -> None:
    """
    Points whose declaration a power cut took are sealed under `(unknown <n>)`.
    """
    (path,) = (path for path in run_folder.glob("*.events.jsonl") if b'"words"' in path.read_bytes())
    lines = events.read(path).events
    kept = [line for line in lines if line.get("name") != "count" and "point" not in line and "end" not in line]
    path.write_bytes(b"".join(events.encode(line) for line in kept))
    writer = path.name[:8]
    seal.seal_writer(run_folder, writer, RunLog(run_folder).refresh())
    sealed = Sealed.open(layout.sealed_file(run_folder, writer))
    (unknown,) = (sequence for sequence in sealed.sequences if sequence.name.startswith("(unknown"))

    assert "(unknown 2)" == unknown.name
    assert 100 == len(sealed.columns(unknown.number).steps)


def test_a_row_group_has_whole_sequences_and_at_least_1024_rows(tmp_path: Path) -> None:
    """
    Small sequences share a row group; each is found in it.
    """
    folder = tmp_path / RUN
    folder.mkdir()
    writer = Writer(folder, RUN)
    for place in range(300):
        handle = writer.sequence("metric", {"place": place})
        for step in range(10):
            handle.track(place + step / 16, step=step * step)
    writer.close()
    seal_all(folder)
    sealed = Sealed.open(layout.sealed_file(folder, writer.id))
    rows: dict[int, int] = {}
    for sequence in sealed.sequences:
        rows[sequence.group] = rows.get(sequence.group, 0) + sequence.row_count

    assert {0: 1030, 1: 1030, 2: 940} == rows
    for place in (0, 102, 103, 299):
        columns = sealed.columns(place + 1)
        assert [place + step / 16 for step in range(10)] == columns.values.tolist()
        assert [step * step for step in range(10)] == columns.steps.tolist()


# the file, as others read it


def test_pyarrow_duckdb_polars_and_pandas_read_a_sealed_file(tmp_path: Path) -> None:
    """
    Index and block before the footer disturb no Parquet reader, page checksums included.
    """
    import duckdb
    import pandas
    import polars
    import pyarrow.parquet as pq

    path = sealed_loss(tmp_path / RUN)
    expected = [1 / (1 + step) for step in range(2000)]
    table = pq.read_table(path, page_checksum_verification=True)
    query = f"select value, name, context from '{path}' where name = 'loss' order by step"

    assert list(pages.COLUMNS) == table.column_names
    assert expected == table.column("value").to_pylist()
    assert [(value, "loss", '{"subset":"train"}') for value in expected] == duckdb.sql(query).fetchall()
    assert expected == polars.read_parquet(path)["value"].to_list()
    assert expected == pandas.read_parquet(path)["value"].tolist()
    facts = json.loads(pq.read_metadata(path).metadata[b"aim"])
    assert (["loss"], [2000]) == (facts["sequences"]["name"], facts["sequences"]["rows"])


def test_our_pages_decode_as_pyarrow_decodes_them(run_folder: Path) -> None:
    """
    Every column is, row for row, what Parquet's own reader gives.
    """
    import pyarrow.parquet as pq

    seal_all(run_folder)
    for path in run_folder.glob("*.points.parquet"):
        table = pq.read_table(path)
        sequence_numbers, columns = Sealed.open(path).all()

        assert table["sequence"].to_pylist() == sequence_numbers.tolist()
        assert table["step"].to_pylist() == columns.steps.tolist()
        assert table["value"].to_pylist() == columns.values.tolist()
        assert table["time"].to_numpy().astype("int64").tolist() == columns.times_us.tolist()
        assert np.array_equal(table["epoch"].to_numpy(), columns.epochs, equal_nan=True)


def test_noisy_losses_take_less_than_ten_bytes_a_point(tmp_path: Path) -> None:
    """
    Losses of float32 origin, with steps, times and epochs, are at most 10 bytes a point: 10 sequences of 20,000.
    """
    random = np.random.default_rng(7)
    table = np.zeros(200_000, records.RECORD_DTYPE)
    table["sequence"] = np.arange(200_000) % 10 + 1
    table["step"] = np.arange(200_000) // 10
    table["value"] = (np.exp(-table["step"] / 5e3) + random.normal(0, 0.05, 200_000)).astype(np.float32)
    table["time"] = 1795380918 + np.cumsum(random.exponential(0.02, 200_000))
    table["epoch"] = table["step"] // 1000
    content = seal.encode(table, {}, JournalOrigin("a", "0badcafe", 1, len(table), 0))

    assert len(content) / 200_000 < 10


# breaking off


def test_sealing_may_be_broken_off_at_any_call_of_the_disk(run_folder: Path, tmp_path: Path) -> None:
    """
    After a crash at the n-th call of the disk everything reads as before; sealing again, and again, ends it well.
    """
    before = points(run_folder)
    for nth in range(100):
        folder = copied(run_folder, tmp_path / f"crash{nth}" / RUN)
        state = RunLog(folder).refresh()
        disk = Falling(nth)
        try:
            for writer in state.writers:
                seal.seal_writer(folder, writer, state, disk=disk)
        except Crash:
            assert before == points(folder), nth
            assert [] == check_run(folder), nth
        seal_all(folder)
        seal_all(folder)

        assert before == points(folder), nth
        assert [] == list(folder.glob("*.points-*")), nth
        if disk.left >= 0:
            assert nth > 10
            return
    pytest.fail("sealing never ended")


def test_sealing_twice_changes_nothing(run_folder: Path) -> None:
    """
    The second time there is nothing to do.
    """
    seal_all(run_folder)
    before = contents(run_folder)
    state = RunLog(run_folder).refresh()

    assert [False, False] == [seal.seal_writer(run_folder, writer, state) for writer in state.writers]
    assert before == contents(run_folder)


SEALER = """
import sys
from pathlib import Path
from aim.storage.sealing import seal
from aim.storage.forms.run_log import RunLog
folder = Path(sys.argv[1])
import pyarrow.parquet
print("ready", flush=True)
sys.stdin.readline()
state = RunLog(folder).refresh()
for writer in state.writers:
    seal.seal_writer(folder, writer, state)
"""


@pytest.mark.parametrize("delay_steps", [0, 1, 3, 9])
def test_three_sealers_at_once_of_which_one_is_killed(run_folder: Path, delay_steps: int) -> None:
    """
    While three processes seal and one of them is killed, a reader sees every point each time; then no segment is left.
    """
    before = points(run_folder)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    sealers = [
        subprocess.Popen(
            [sys.executable, "-c", SEALER, str(run_folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(3)
    ]
    for sealer in sealers:
        assert sealer.stdout is not None
        assert "ready\n" == sealer.stdout.readline()
    for sealer in sealers:
        assert sealer.stdin is not None
        sealer.stdin.write("go\n")
        sealer.stdin.flush()
    looks = 0
    while any(sealer.poll() is None for sealer in sealers):
        assert set(before) == set(points_in_place(run_folder))
        looks += 1
        if looks == delay_steps + 1:
            sealers[0].send_signal(signal.SIGKILL)
    for sealer in sealers:
        sealer.communicate()
    seal_all(run_folder)

    assert [0, 0] == [sealer.returncode for sealer in sealers[1:]]
    assert before == points(run_folder)
    assert [] == list(run_folder.glob("*.points-*"))
    assert looks > 0


# what is not sealed


def test_a_damaged_journal_is_not_sealed(run_folder: Path) -> None:
    """
    A page that fails its CRC stays in the journal, where `fsck` names it.
    """
    path = max(run_folder.glob("*.points-0000"), key=lambda path: len(list(run_folder.glob(f"{path.name[:8]}*"))))
    content = bytearray(path.read_bytes())
    content[4096 + 40] ^= 1
    path.write_bytes(content)
    state = RunLog(run_folder).refresh()

    assert not seal.seal_writer(run_folder, path.name[:8], state)
    assert path.exists()
    assert not layout.sealed_file(run_folder, path.name[:8]).exists()


def test_a_journal_that_lacks_a_segment_is_not_sealed(run_folder: Path) -> None:
    """
    When the end event counts more segments than there are, nothing is written.
    """
    (path,) = run_folder.glob("*.points-0001")
    path.unlink()

    assert not seal.seal_writer(run_folder, path.name[:8], RunLog(run_folder).refresh())
    assert layout.segment_file(run_folder, path.name[:8], 0).exists()


def test_a_damaged_sealed_file_does_not_replace_the_journal(run_folder: Path) -> None:
    """
    Segments beside a sealed file go only when that file is whole.
    """
    journal = {name: data for name, data in contents(run_folder).items() if ".points-" in name}
    seal_all(run_folder)
    for name, data in journal.items():
        (run_folder / name).write_bytes(data)
    for path in run_folder.glob("*.points.parquet"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    seal_all(run_folder)

    assert set(journal) <= set(contents(run_folder))


def test_old_scratch_files_are_removed_and_young_ones_stay(run_folder: Path) -> None:
    """
    A scratch file of a sealer that died goes after an hour.
    """
    old, young = run_folder / ".old.points.1", run_folder / ".young.points.2"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    seal_all(run_folder)

    assert (False, True) == (old.exists(), young.exists())


def test_the_directory_of_a_killed_writers_blobs_is_written(run_folder: Path) -> None:
    """
    The ZIP of a writer without an end gets its directory, after its last whole entry; any unzip program reads it.
    """
    (path,) = run_folder.glob("*.zip")
    _kill(run_folder, path)
    seal_all(run_folder)

    with zipfile.ZipFile(path) as archive:
        assert None is archive.testzip()
        assert 18 == len(archive.namelist())
    assert [] == check_run(run_folder)


def test_blobs_that_a_point_speaks_of_are_never_cut_off(run_folder: Path) -> None:
    """
    Where the last entry's header is damaged, nothing is appended over it.
    """
    (path,) = run_folder.glob("*.zip")
    _kill(run_folder, path)
    content = bytearray(path.read_bytes())
    content[blobs.walk(path)[0][-1].offset + 5] ^= 1
    path.write_bytes(content)
    seal_all(run_folder)

    assert bytes(content) == path.read_bytes()


def _kill(folder: Path, path: Path) -> None:
    """Let the blob file *path* and its writer's events be as after a kill."""
    log = layout.events_file(folder, path.name[:8])
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    end = blobs.walk(path)[1]
    path.write_bytes(path.read_bytes()[:end] + b"PK\x03\x04 cut short")


def test_an_object_is_found_through_the_sealed_file(tmp_path: Path) -> None:
    """
    The place of an object's record goes through sealing unchanged.
    """
    folder = tmp_path / RUN
    folder.mkdir()
    writer = Writer(folder, RUN)
    writer.sequence("picture", None).track(Picture("7 or 1?"), step=3)
    writer.close()
    seal_all(folder)
    path = layout.sealed_file(folder, writer.id)
    (where,) = Sealed.open(path).columns(1).values.tolist()
    number, offset = blobs.split_position(int(where))

    assert "7 or 1?" == blobs.read_record(layout.blob_file(folder, writer.id, number), offset)["items"][0]["caption"]
    assert [] == verify(path)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([-(2**63), 2**63 - 1, -(2**57), 2**62, 0, 1]) | st.integers(-(2**63), 2**63 - 1),
            st.floats() | st.sampled_from([1.7e9, 4.6e12, -4.6e12]),
            st.floats(),
        ),
        min_size=1,
        max_size=200,
    )
)
def test_any_steps_times_and_values_are_sealed(rows: list[tuple[int, float, float]]) -> None:
    """
    Whatever 64 bits a record holds, the file is written, reads back, and has no damage.
    """
    table = np.zeros(len(rows), records.RECORD_DTYPE)
    table["step"], table["time"], table["value"] = zip(*rows)
    table["sequence"] = 1
    content = seal.encode(table, {}, JournalOrigin(RUN, "0a1b2c3d", 1, len(rows), 0))
    columns = Sealed.of(Path("any"), content).columns(1)

    assert sorted(step for step, _, _ in rows) == columns.steps.tolist()


def test_files_of_other_names_beside_the_blob_files_do_not_keep_a_run_from_being_sealed(run_folder: Path) -> None:
    """
    A copy `<writer>.blobs-old.zip` that somebody made is not looked at.
    """
    for path in run_folder.glob("*.blobs-0000.zip"):
        (run_folder / path.name.replace("0000", "old")).write_bytes(path.read_bytes())
    before = points(run_folder)
    seal_all(run_folder)

    assert before == points(run_folder)
