"""
Asking a repository: what a query gives, in which order, and that it sees what was recorded before it was asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import InvalidQuery
from aim.core.values import Stored
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.engine.scan import Scan
from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue_update import CatalogueChanges
from aim.storage.catalogue.run_table import RunTable


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    An empty repository.
    """
    return Repository(tmp_path / "work", create=True)


@dataclass
class _Note:
    """An object to track."""

    text: str

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored("aim.text", {"text": self.text})


@pytest.fixture(name="scan")
def _scan(repository: Repository, tmp_path: Path) -> Scan:
    """
    A scan of the repository with a cache of its own.
    """
    return Scan(LiveCatalogue(repository.readers, cache=tmp_path / "cache"))


def record(repository: Repository, *, lr: float, points: int = 4, **properties: Any) -> str:
    """Record a run with three metrics that has ended; give its hash."""
    writer = repository.new_run()
    writer.lines.set_param(("hparams",), {"lr": lr, "optimizer": "adam" if lr < 0.5 else "sgd"})
    if properties:
        writer.lines.set_property(**properties)
    for name, context in (("loss", {"subset": "val"}), ("acc", {"subset": "val"}), ("loss", None)):
        for step in range(points):
            writer.sequence(name, context).track(
                lr / (step + 1), step=step, epoch=step // 2 if name == "loss" else None
            )
    writer.close()
    return writer.run_hash


def test_runs_come_newest_first(repository: Repository, scan: Scan) -> None:
    """
    Runs that match come in the order of their creation, the newest first.
    """
    hashes = [record(repository, lr=lr) for lr in (0.1, 0.9, 0.2, 0.8)]

    assert hashes[::-1] == scan.runs("")
    assert [hashes[2], hashes[0]] == scan.runs("run.hparams.lr < 0.5 and run.hparams.optimizer == 'adam'")


def test_archived_runs_are_left_out(repository: Repository, scan: Scan) -> None:
    """
    An archived run is only found by a query that speaks of it.
    """
    current, hidden = record(repository, lr=0.1), record(repository, lr=0.2, archived=True)

    assert [current] == scan.runs("")
    assert [hidden] == scan.runs("run.archived")
    assert [hidden, current] == scan.runs("run.archived in (True, False)")


def test_offset_and_limit_cut_the_list(repository: Repository, scan: Scan) -> None:
    """
    Runs after the offset are given, at most so many as the limit; an unknown offset begins at the beginning.
    """
    newest_first = [record(repository, lr=number / 10) for number in range(6)][::-1]

    assert newest_first[2:4] == scan.runs("", offset_hash=newest_first[1], limit=2)
    assert newest_first == scan.runs("", offset_hash="unknown")
    assert [] == scan.runs("", limit=0)
    assert newest_first[4:5] == scan.runs("run.hparams.lr == 0.1", offset_hash=newest_first[0])


def test_sequences_come_by_run_then_context_then_name(repository: Repository, scan: Scan) -> None:
    """
    Sequences are of the newest run first, within a run ordered by the identity of the context, then by name.
    """
    from aim.core import contexts

    older, newer = record(repository, lr=0.1), record(repository, lr=0.2)
    matches = scan.sequences("")
    keys = [(contexts.identity(match.context), match.name) for match in matches]

    assert [newer] * 3 + [older] * 3 == [match.run_hash for match in matches]
    assert sorted(keys[:3]) == keys[:3] == keys[3:]
    assert {("metric", "float")} == {(match.kind, match.stored_kind) for match in matches}


def test_a_query_about_sequences_uses_run_pair_and_summary(repository: Repository, scan: Scan) -> None:
    """
    Conditions on the run, on name and context, and on summaries are joined.
    """
    _, second = record(repository, lr=0.4), record(repository, lr=0.8)
    matches = scan.sequences("metric.name == 'loss' and metric.context.subset == 'val' and metric.last > 0.15")

    assert [(second, "loss", {"subset": "val"})] == [(match.run_hash, match.name, match.context) for match in matches]


def test_a_question_sees_what_was_tracked_before(repository: Repository, scan: Scan) -> None:
    """
    A run that is being recorded is found by its newest value, its newest param and its end.
    """
    writer = repository.new_run()
    for value in (1.0, 2.0, 3.0):
        writer.sequence("loss").track(value)
        writer.lines.set_param(("stage",), value)

        assert [writer.run_hash] == scan.runs(f"run.stage == {value} and run.active")
        assert 1 == len(scan.sequences(f"metric.last == {value}"))
    writer.close()

    assert [writer.run_hash] == scan.runs("run.status == 'finished' and not run.active")


def test_deleted_runs_are_gone_at_once(repository: Repository, scan: Scan) -> None:
    """
    A deleted run is in no answer any more.
    """
    first, second = record(repository, lr=0.1), record(repository, lr=0.2)
    before = scan.runs("")
    repository.delete_run(first)

    assert [second, first] == before
    assert [second] == scan.runs("")
    assert {second} == {match.run_hash for match in scan.sequences("")}


def test_a_wrong_query_is_an_error(scan: Scan) -> None:
    """
    A query that can't be understood is an error that says where.
    """
    with pytest.raises(InvalidQuery, match="Did you mean `name`"):
        scan.sequences("metric.nmae == 'loss'")
    with pytest.raises(InvalidQuery):
        scan.check("run.lr >", "run")


def test_explain_counts_what_each_clause_leaves(repository: Repository, scan: Scan) -> None:
    """
    Each clause says how many runs it leaves.
    """
    for number in range(4):
        record(repository, lr=number / 4)
    explanation = scan.explain("run.hparams.lr > 0.2 and run.hparams.optimizer == 'sgd'")

    assert 4 == explanation.total
    assert [4, 3, 2] == [clause.leaves for clause in explanation.clauses]


def test_summaries_come_straight_from_the_columns(repository: Repository, scan: Scan) -> None:
    """
    One summary value of one metric of all runs, newest first.
    """
    hashes = [record(repository, lr=lr) for lr in (0.4, 0.8)]
    summaries, last = scan.summaries("loss", {"subset": "val"})
    _, count = scan.summaries("loss", {"subset": "val"}, "count")
    nobody, empty = scan.summaries("nothing")

    assert hashes[::-1] == summaries
    assert [0.2, 0.1] == last.tolist()
    assert [4, 4] == count.tolist()
    assert ([], 0) == (nobody, len(empty))


def test_names_are_completed(repository: Repository, scan: Scan) -> None:
    """
    Params, metrics, context keys and their values are known to the query box.
    """
    record(repository, lr=0.1)

    assert ["hparams.lr", "hparams.optimizer"] == scan.complete()["param"]
    assert (["acc", "loss"], ["subset"], ["val"]) == tuple(
        scan.complete()[kind] for kind in ("metric", "context", "value")
    )
    assert ["loss"] == scan.complete("lo")["metric"]


def test_points_are_streamed_as_arrow(repository: Repository, scan: Scan) -> None:
    """
    All points of the metrics that match come as record batches, with the types of the schema.
    """
    older, newer = record(repository, lr=0.4), record(repository, lr=0.8)
    query = "metric.name == 'loss' and metric.context.subset == 'val'"
    table = scan.points_table(query)
    rows = table.to_pylist()
    batches = list(scan.point_batches(query, batch_points=1))

    assert ["run", "name", "context", "step", "time", "value", "epoch", "exact"] == table.column_names
    assert [newer] * 4 + [older] * 4 == [row["run"] for row in rows]
    assert [0, 1, 2, 3] * 2 == [row["step"] for row in rows]
    assert [0.8, 0.4, 0.8 / 3, 0.2] == [row["value"] for row in rows[:4]]
    assert [0.0, 0.0, 1.0, 1.0] == [row["epoch"] for row in rows[:4]]
    assert {'{"subset":"val"}'} == {row["context"] for row in rows}
    assert [4, 4] == [batch.num_rows for batch in batches]


def test_epochs_that_are_none_are_null(repository: Repository, scan: Scan) -> None:
    """
    A point without an epoch has a null, and a query without a match gives an empty table of the same columns.
    """
    record(repository, lr=0.4)

    assert [None] * 4 == scan.points_table("metric.name == 'acc'").column("epoch").to_pylist()
    assert (0, scan.points_table("").schema) == (
        scan.points_table("metric.name == 'x'").num_rows,
        scan.points_table("metric.name == 'x'").schema,
    )


def test_damage_found_while_a_query_runs_is_not_seen(repository: Repository, tmp_path: Path) -> None:
    """
    A column that turns out damaged when it is first needed is read from the runs instead.
    """
    hashes = [record(repository, lr=number / 4) for number in range(4)]
    for folder in (repository.files / "runs").iterdir():
        os.utime(folder, (1e9 + 0.5, 1e9 + 0.5))  # not young any more: so the file is written
    made = Scan(LiveCatalogue(repository.readers, cache=tmp_path / "cache"))
    made.catalogue.refresh()
    made.catalogue.close()
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    content = bytearray(path.read_bytes())
    start = content.index(b'"adam"')
    content[start : start + 6] = b'"adom"'
    path.write_bytes(content)

    assert hashes[1::-1] == Scan(LiveCatalogue(repository.readers, cache=tmp_path / "cache")).runs(
        "run.hparams.optimizer == 'adam'"
    )


def test_threads_may_ask_one_scan_while_runs_are_recorded(repository: Repository, scan: Scan) -> None:
    """
    Each of many threads sees all three sequences of every run that had ended before it asked.
    """
    ended: list[str] = []
    wrong: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            expected = list(ended)
            match_counts = Counter(
                match.run_hash for match in scan.sequences("metric.count == 4 and run.hparams.lr >= 0")
            )
            wrong.extend((run_hash, match_counts[run_hash]) for run_hash in expected if match_counts[run_hash] != 3)
            asked.release()

    asked = threading.Semaphore(0)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        ended.append(record(repository, lr=number / 40))
        asked.acquire()
    stop.set()
    for thread in threads:
        thread.join()

    assert [] == wrong
    assert ended[::-1] == scan.runs("")


def test_the_child_of_a_fork_asks_for_itself(repository: Repository) -> None:
    """
    A child that was forked while another thread asked gets its own answer.
    """
    run_hash = record(repository, lr=0.1)
    program = (
        "import os, sys, threading, warnings; from pathlib import Path\n"
        "warnings.simplefilter('ignore')\n"
        "from aim.engine.repository import Repository\n"
        "repository = Repository(Path(sys.argv[1])); scan = repository.questions()\n"
        "inside, done = threading.Event(), threading.Event()\n"
        "def hold(table): inside.set(); done.wait(); return 0\n"
        "thread = threading.Thread(target=lambda: scan.catalogue.ask(hold)); thread.start(); inside.wait()\n"
        "child = os.fork()\n"
        "if not child: print(scan.runs('run.hparams.lr == 0.1'), flush=True); os._exit(0)\n"
        "os.waitpid(child, 0); done.set(); thread.join()"
    )
    command = [sys.executable, "-c", program, repository.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment())

    assert f"['{run_hash}']\n" == done.stdout


def environment() -> dict[str, str]:
    """Return the environment of a process that finds the package."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}


def test_a_repository_has_one_catalogue(repository: Repository, tmp_path: Path) -> None:
    """
    All questions to a folder share its columns, by whichever path it was opened, and however often.
    """
    (tmp_path / "other").symlink_to(repository.files.parent, target_is_directory=True)

    questions = repository.questions()

    assert questions is repository.questions()
    assert questions is Repository(repository.files.parent).questions()
    assert questions is Repository(tmp_path / "other").questions()


def test_a_folder_that_was_made_again_has_another_catalogue(tmp_path: Path) -> None:
    """
    A new repository at the path of one that was deleted answers for its own runs.
    """
    first = Repository(tmp_path / "again", create=True)
    first.new_run("old").close()
    assert ["old"] == first.questions().runs()
    (tmp_path / "again").rename(tmp_path / "before")

    second = Repository(tmp_path / "again", create=True)
    second.new_run("new").close()

    assert ["new"] == second.questions().runs()
    assert ["old"] == Repository(tmp_path / "before").questions().runs()


def counted(table: RunTable) -> int:
    """Count the runs of a table."""
    return table.run_count


def test_a_slow_question_keeps_nobody_waiting(repository: Repository, scan: Scan) -> None:
    """
    While one question goes on, others are answered with what was recorded since; it sees one state to its end.
    """
    record(repository, lr=0.1)
    inside, go_on = threading.Event(), threading.Event()
    seen: list[list[str]] = []

    def slow(table: RunTable) -> None:
        seen.append(list(table.hashes()))
        inside.set()
        assert go_on.wait(timeout=60)
        seen.append(list(table.hashes()))
        seen.append([str(value) for value in table.fields["name"].values])

    thread = threading.Thread(target=lambda: scan.catalogue.ask(slow))
    thread.start()
    assert inside.wait(timeout=60)
    second = record(repository, lr=0.2)
    assert [second] == scan.runs("run.hparams.lr == 0.2")
    repository.delete_run(second)
    third = record(repository, lr=0.3, name="third")
    assert [third] == scan.runs("run.name == 'third'")
    assert 2 == scan.catalogue.ask(counted)
    go_on.set()
    thread.join()

    assert seen[0] == seen[1]
    assert 1 == len(seen[0])
    assert "third" not in seen[2]


def test_threads_that_ask_at_once_get_what_one_gets(repository: Repository, tmp_path: Path) -> None:
    """
    Eight threads that begin together over columns which nobody has read yet all get the right answers, while runs are
    added and deleted.
    """
    hashes = [record(repository, lr=lr / 10) for lr in range(1, 9)]
    Scan(LiveCatalogue(repository.readers, cache=tmp_path / "cache")).catalogue.refresh(full=True)
    scan = Scan(LiveCatalogue(repository.readers, cache=tmp_path / "cache"))
    barrier = threading.Barrier(9)
    wrong: list[object] = []

    def ask(index: int) -> None:
        barrier.wait(timeout=60)
        for _ in range(20):
            lr = (index + 1) / 10
            if scan.runs(f"run.hparams.lr == {lr}") != [hashes[index]]:
                wrong.append(lr)
            matches = scan.sequences(f"metric.name == 'loss' and metric.last == {lr / 4} and run.hparams.lr < 0.85")
            if {match.run_hash for match in matches} != {hashes[index]}:
                wrong.append(matches)
            document: Any = scan.catalogue.ask(lambda table: table.document(table.row_of(hashes[index]) or 0))
            if document["hparams"]["lr"] != lr:
                wrong.append(index)

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait(timeout=60)
    for index in range(5):
        repository.delete_run(record(repository, lr=0.9 + index / 100))
        record(repository, lr=5.0 + index)
    for thread in threads:
        thread.join(timeout=60)

    assert [] == wrong


def test_a_first_reading_answers_at_once(repository: Repository, scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a catalogue the first answer has the newest runs and says how many there are; while a thread reads on,
    nobody waits for it; in the end all are there.
    """
    hashes = [record(repository, lr=lr / 10) for lr in range(7)]
    for moment_s, run_hash in enumerate(hashes):
        os.utime(repository.backend.files.run_folder(run_hash), (moment_s, moment_s))
    monkeypatch.setattr("aim.storage.catalogue.catalogue_update.BATCH_RUNS", 2)
    monkeypatch.setattr("aim.engine.live_catalogue.PASS_S", 0.0)
    second_pass, go_on, done = threading.Event(), threading.Event(), threading.Event()
    passes: list[int] = []

    def hear(changes: CatalogueChanges) -> None:
        passes.append(changes.unread_count)
        if len(passes) == 2:
            second_pass.set()
            assert go_on.wait(timeout=60)
        if not changes.unread_count:
            done.set()

    scan.catalogue.listen(hear)
    assert hashes[:4:-1] == scan.catalogue.ask_now(lambda table: [table.hashes()[row] for row in table.newest_first()])
    assert second_pass.wait(timeout=60)
    assert (2, (4, 7)) == (scan.catalogue.ask_now(counted), scan.catalogue.indexing)
    go_on.set()
    assert done.wait(timeout=60)
    assert 7 == scan.catalogue.ask(counted)
    assert ([5, 3, 1, 0], None, 7) == (passes, scan.catalogue.indexing, scan.catalogue.ask_now(counted))


def test_a_scan_that_is_closed_reads_no_more(
    repository: Repository, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Closing ends the thread that reads the runs; asked again, the scan begins anew.
    """
    for lr in range(5):
        record(repository, lr=lr / 10)
    monkeypatch.setattr("aim.storage.catalogue.catalogue_update.BATCH_RUNS", 1)
    monkeypatch.setattr("aim.engine.live_catalogue.PASS_S", 0.0)
    assert 1 == scan.catalogue.ask_now(counted)
    scan.catalogue.close()

    assert [] == [thread for thread in threading.enumerate() if thread.name == "aim-index"]
    assert 5 == scan.catalogue.ask(counted)


def test_the_longest_list_is_that_of_the_lists_which_are_shown(repository: Repository, scan: Scan) -> None:
    """
    A longer list at a step that had one, tracked again there or after a rewind, is seen by the next query.
    """
    writer = repository.new_run("r")
    notes = writer.sequence("notes")
    lengths = []

    def ask() -> None:
        lengths.append(scan.summaries("notes", {}, "record_max_length", kind="texts")[1].tolist())

    for step in range(2):
        notes.track([_Note("a")], step=step)
    ask()
    notes.track([_Note("a"), _Note("b")], step=1)
    ask()
    writer.sequences.rewind(0)
    notes.track([_Note("a"), _Note("b"), _Note("c")], step=1)
    ask()
    resumed = repository.resume_run("r")
    resumed.sequence("notes").track([_Note("a")] * 4, step=1)
    ask()
    for recorder in (writer, resumed):
        recorder.close()

    assert [[1], [2], [3], [4]] == lengths
