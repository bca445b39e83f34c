"""
The catalogue: what it says is what the runs say, whatever happens to either.
"""

from __future__ import annotations

import os
import pwd
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from aim.engine.repository import Repository
from aim.query import table as query_table
from aim.storage.catalogue import catalogue_row, snapshot
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.disk import caches
from aim.storage.reading.folder_source import open_run
from tests.storage.catalogue_histories import History, catalogue_of, contents, rebuilt, rounded


def recorded(repository: Repository, *, runs: int = 3, points: int = 5) -> list[str]:
    """Record *runs* that have ended; give their hashes."""
    hashes = []
    for number in range(runs):
        writer = repository.new_run()
        writer.lines.set_param(("hparams",), {"lr": 0.1 * number, "layers": [number]})
        for step in range(points):
            writer.sequence("loss", {"subset": "train"}).track(1.0 / (step + 1) + number, step=step)
        writer.close()
        hashes.append(writer.run_hash)
    return hashes


def read_anew(repository: Repository) -> dict[tuple[str, str, str], object]:
    """Return count, first and last step and last value of each sequence, by run, name and context, from the points."""
    values: dict[tuple[str, str, str], object] = {}
    for run_hash in repository.run_hashes():
        reader = open_run(repository.backend.files.run_folder(run_hash))
        for (name, text), points in reader.points_of_many().items():
            last = rounded(float(points.values[-1]))
            steps = [repr(int(step)) for step in points.steps[[0, -1]]]
            values[(run_hash, name, text)] = (repr(len(points)), *steps, last)
    return values


def in_short(catalogue: Catalogue) -> dict[tuple[str, str, str], object]:
    """Return what `read_anew` gives, as the catalogue says it."""
    return {
        (run_hash, name, text): tuple(summary[key] for key in ("count", "first_step", "last_step", "last"))
        for run_hash, run in contents(catalogue).items()
        for (name, text, _), summary in run["sequences"].items()
    }


def test_it_has_what_a_query_asks_for(catalogue: Catalogue) -> None:
    """
    The catalogue's facts and summaries are those of the query's table.
    """
    table: query_table.QueryTable = catalogue.table

    assert 0 == table.run_count
    assert set(query_table.FIELDS) <= set(catalogue_row.FIELD_NAMES)


def test_columns_hold_fields_params_and_summaries(repository: Repository, catalogue: Catalogue) -> None:
    """
    A run's facts, leaves and summaries stand in its row.
    """
    first, second, third = recorded(repository)
    catalogue.refresh()
    table = catalogue.table
    row = table.row_of(second)
    assert row is not None
    column = table.param(("hparams", "lr"))
    assert column is not None
    last = table.summary(0, "last")
    assert last is not None

    assert {first, second, third} == set(table.hashes())
    assert 0.1 == column.values[column.codes[row]]
    assert {"hparams": {"layers": [1], "lr": 0.1}} == table.document(row)
    assert [("hparams", "lr"), ("hparams", "layers")] == sorted(table.leaf_paths(("hparams",)), reverse=True)
    assert 1.2 == last[table.rows(0).tolist().index(row)]
    assert [0, 1, 2, 3, 4] == table.points(0, row, "steps")
    assert table.summary(0, "record_max_length") is None
    assert third == table.hashes()[table.newest_first()[0]]


@pytest.mark.parametrize("seed", [*range(10), 104, 172])
def test_random_histories_equal_a_catalogue_made_from_nothing(seed: int, tmp_path: Path) -> None:
    """
    After any history the catalogue that followed it equals one made from nothing, and one loaded from its file.
    """
    chance = random.Random(seed)
    history = History(tmp_path / "work", chance)
    followed = catalogue_of(history.repository, tmp_path / "cache")
    for number in range(60):
        history.step()
        if chance.random() < 0.4:
            followed.refresh(full=chance.random() < 0.2)
        if chance.random() < 0.05:
            followed.save()
        if chance.random() < 0.05:
            followed.close()
        if number % 20 == 19:
            followed.refresh()
            assert rebuilt(history.repository, tmp_path / f"fresh-{number}") == contents(followed)
            assert read_anew(history.repository) == in_short(followed)
    history.close()
    followed.refresh()
    loaded = catalogue_of(history.repository, tmp_path / "cache")
    loaded.refresh()

    assert rebuilt(history.repository, tmp_path / "fresh") == contents(followed) == contents(loaded)


def test_a_point_is_seen_as_soon_as_track_returned(repository: Repository, catalogue: Catalogue) -> None:
    """
    A refresh sees every point that was tracked before, of a run that is being recorded.
    """
    writer = repository.new_run()
    loss = writer.sequence("loss", None)
    seen, tracked = [], []
    for step in range(500):
        loss.track(float(step), step=step)
        tracked.append(float(step))
        catalogue.refresh()
        last = catalogue.table.summary(0, "last")
        assert last is not None
        seen.append(float(last[0]))
    writer.close()

    assert tracked == seen


def test_params_tags_and_ends_are_seen_at_once(repository: Repository, catalogue: Catalogue) -> None:
    """
    A refresh sees each param, tag, name and end that was set before.
    """
    writer = repository.new_run()
    catalogue.refresh()
    writer.lines.set_param(("lr",), 0.5)
    writer.lines.change_tags(["paper"])
    writer.lines.set_property(name="mine")
    catalogue.refresh()
    during = contents(catalogue)[writer.run_hash]
    writer.close(error="ValueError")
    catalogue.refresh()
    after = contents(catalogue)[writer.run_hash]

    assert {("lr",): "0.5"} == during["leaves"]
    assert ("['paper']", "'mine'", "'running'") == tuple(during["fields"][name] for name in ("tags", "name", "status"))
    assert ("'failed'", "'ValueError'") == (after["fields"]["status"], after["fields"]["error"])


def test_edits_deletes_and_resumes_of_others_are_seen_at_once(
    repository: Repository, catalogue: Catalogue, tmp_path: Path
) -> None:
    """
    What another process does to ended runs is seen by the next refresh, with no folder asked but those it names.
    """
    first, second, third = recorded(repository)
    catalogue.refresh()
    program = (
        "import sys; from pathlib import Path; from aim.engine.repository import Repository\n"
        "repository = Repository(Path(sys.argv[1]))\n"
        "repository.edit(sys.argv[2], {'property': {'archived': True}}, by='test')\n"
        "repository.delete_run(sys.argv[3])\n"
        "writer = repository.resume_run(sys.argv[4]); writer.lines.set_param(('again',), 1); writer.close()\n"
    )
    command = [sys.executable, "-c", program, repository.address, first, second, third]
    subprocess.run(command, check=True, env=_environment())
    changes = catalogue.refresh()

    assert ({first, third}, [second]) == (set(changes.changed), changes.removed)
    assert "True" == contents(catalogue)[first]["fields"]["archived"]
    assert "1" == contents(catalogue)[third]["leaves"][("again",)]


def test_a_run_copied_by_hand_is_seen_at_once(repository: Repository, catalogue: Catalogue, tmp_path: Path) -> None:
    """
    A folder that `cp` or `mv` brings or takes is noticed by the time of `runs/`.
    """
    first, second = recorded(repository, runs=2)
    catalogue.refresh()
    runs = repository.files / "runs"
    (runs / first).rename(tmp_path / "elsewhere")
    taken_out = catalogue.refresh()
    (tmp_path / "elsewhere").rename(runs / first)
    put_back = catalogue.refresh()

    assert ([first], []) == (taken_out.removed, taken_out.changed)
    assert ([], [first]) == (put_back.removed, put_back.changed)
    assert {first, second} == set(contents(catalogue))


def test_a_file_put_into_a_run_by_hand_is_seen_by_a_full_refresh(
    repository: Repository, catalogue: Catalogue, tmp_path: Path
) -> None:
    """
    What changes a run's folder without a stamp is found when all folders are asked.
    """
    source = Repository(tmp_path / "other", create=True)
    (run_hash,) = recorded(source, runs=1)
    source.copy_run(run_hash, repository)
    catalogue.refresh()
    source.edit(run_hash, {"property": {"name": "late"}}, by="test")
    for path in (source.files / "runs" / run_hash).glob("edit-*"):
        (repository.files / "runs" / run_hash / path.name).write_bytes(path.read_bytes())
    catalogue.refresh(full=True)

    assert "'late'" == contents(catalogue)[run_hash]["fields"]["name"]


def test_another_run_under_the_same_name_is_read_anew(repository: Repository, catalogue: Catalogue) -> None:
    """
    A run that is deleted and recorded again under its hash has nothing of the first one.
    """
    writer = repository.new_run("mine")
    writer.lines.set_param(("old",), 1)
    writer.sequence("loss").track(1.0)
    catalogue.refresh()
    writer.close()
    repository.delete_run("mine")
    second = repository.new_run("mine")
    second.lines.set_param(("new",), 1)
    catalogue.refresh()
    second.close()

    assert {("new",): "1"} == contents(catalogue)["mine"]["leaves"]
    assert {} == contents(catalogue)["mine"]["sequences"]


def test_a_lost_run_is_read_once_more_and_then_left_alone(repository: Repository, catalogue: Catalogue) -> None:
    """
    A run whose process was killed shows all its points, is lost, and is not asked again.
    """
    program = (
        "import os, signal, sys; from pathlib import Path; from aim.engine.repository import Repository\n"
        "writer = Repository(Path(sys.argv[1])).new_run('killed')\n"
        "for step in range(1000): writer.sequence('loss').track(float(step), step=step)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, repository.address], check=False, env=_environment())
    catalogue.refresh()
    count = catalogue.table.summary(0, "count")
    assert count is not None

    assert -signal.SIGKILL == done.returncode
    assert [1000] == count.tolist()
    assert "'lost'" == contents(catalogue)["killed"]["fields"]["status"]


def test_equal_values_of_different_types_stay_apart(repository: Repository, catalogue: Catalogue) -> None:
    """
    1, 1.0 and True are three values of one param, in memory and read back from the file.
    """
    param_values = (1, 1.0, True, "1", [1], [1.0], [True], None, 1, 1.0)
    for value in param_values:
        writer = repository.new_run()
        writer.lines.set_param(("x",), value)
        writer.close()
    catalogue.refresh()
    for _ in range(2):
        column = catalogue.table.param(("x",))
        assert column is not None
        texts = sorted(repr(column.values[code]) for code in column.codes)

        assert sorted(map(repr, param_values)) == texts
        assert 8 == len({int(code) for code in column.codes})
        assert catalogue.save()


def test_numbers_are_handed_out_as_an_array(repository: Repository, catalogue: Catalogue) -> None:
    """
    A column of many numbers has them as doubles too; one with an int that no double holds has not.
    """
    for number in range(40):
        writer = repository.new_run()
        writer.lines.set_param(("x",), number / 7)
        writer.lines.set_param(("big",), 2**53 + number)
        if number % 2:
            writer.lines.set_param(("half",), str(number) if number % 3 == 0 else number)
        writer.close()
    catalogue.refresh()
    table = catalogue.table
    column, big = table.param(("x",)), table.param(("big",))
    assert column is not None
    assert big is not None
    assert column.numbers is not None
    expected = [column.values[code] for code in column.codes]

    assert expected == column.numbers.tolist()
    assert (None, None) == (big.numbers, big.is_number)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + bytes(4000)])
def test_a_file_that_is_none_is_made_again(content: bytes, repository: Repository, tmp_path: Path) -> None:
    """
    A file of the cache that is no catalogue, or one cut short, is thrown away.
    """
    recorded(repository)
    expected = rebuilt(repository, tmp_path / "cache")
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    for wrong in (content, path.read_bytes()[: len(path.read_bytes()) // 2]):
        (tmp_path / "cache" / "9-aaaaaaaa.sqlite").write_bytes(wrong)
        assert expected == rebuilt(repository, tmp_path / "cache")


def test_a_file_of_another_version_is_made_again(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What another version of Aim wrote is not read.
    """
    recorded(repository)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "FORMAT_NUMBER", 99)
        rebuilt(repository, tmp_path / "cache")
    catalogue = catalogue_of(repository, tmp_path / "cache")

    assert 3 == len(catalogue.refresh().changed)


def test_a_cache_that_can_not_be_written_is_no_error(repository: Repository, tmp_path: Path) -> None:
    """
    Where the cache's folder can't be made the catalogue lives in memory only.
    """
    recorded(repository)
    (tmp_path / "file").write_text("in the way")
    catalogue = catalogue_of(repository, tmp_path / "file" / "cache")
    catalogue.refresh()

    assert 3 == catalogue.table.run_count
    assert not catalogue.save()


def test_an_opened_catalogue_reads_no_run(repository: Repository, tmp_path: Path) -> None:
    """
    With a file, opening reads no run that did not change.
    """
    first, *_ = recorded(repository)
    _settle(repository)
    catalogue_of(repository, tmp_path / "cache").refresh()
    unchanged = catalogue_of(repository, tmp_path / "cache").refresh()
    repository.edit(first, {"property": {"name": "new"}}, by="test")
    changed = catalogue_of(repository, tmp_path / "cache").refresh()

    assert [] == unchanged.changed
    assert [first] == changed.changed


def _settle(repository: Repository) -> None:
    """Make all folders old enough that their times count."""
    for folder in (repository.files / "runs").iterdir():
        os.utime(folder, (1e9 + 0.5, 1e9 + 0.5))


def test_few_changes_are_added_to_the_file(repository: Repository, tmp_path: Path) -> None:
    """
    A run that changed is added to the file, not the whole file written again; the next process finds it there.
    """
    first, *_ = recorded(repository)
    _settle(repository)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    path = snapshot.newest(tmp_path / "cache")
    repository.edit(first, {"property": {"name": "new"}}, by="test")
    _settle(repository)
    catalogue.refresh(full=True)
    loaded = catalogue_of(repository, tmp_path / "cache")

    assert path == snapshot.newest(tmp_path / "cache")
    assert [] == loaded.refresh().changed
    assert "'new'" == contents(loaded)[first]["fields"]["name"]


def test_a_second_reader_goes_on_when_the_file_is_replaced(repository: Repository, tmp_path: Path) -> None:
    """
    A process that reads columns of a file that another process replaced meanwhile still gets its own.
    """
    hashes = recorded(repository, runs=5)
    _settle(repository)
    rebuilt(repository, tmp_path / "cache")
    reader, other = (catalogue_of(repository, tmp_path / "cache") for _ in range(2))
    reader.refresh()
    other.refresh()
    repository.delete_run(hashes[0])
    other.refresh()
    other.save()
    reader.refresh()

    assert rebuilt(repository, tmp_path / "fresh") == contents(reader) == contents(other)


def test_many_processes_share_the_file(repository: Repository, tmp_path: Path) -> None:
    """
    Processes that open, follow and write one catalogue at once all say what the runs say.
    """
    program = (
        "import sys; from pathlib import Path; from aim.engine.repository import Repository\n"
        "from tests.storage.catalogue_histories import catalogue_of, contents\n"
        "repository = Repository(Path(sys.argv[1]))\n"
        "for number in range(12):\n"
        "    writer = repository.new_run(); writer.lines.set_param(('x',), number)\n"
        "    writer.sequence('loss').track(1.0); writer.close()\n"
        "    catalogue = catalogue_of(repository, Path(sys.argv[2])); catalogue.refresh()\n"
        "    assert writer.run_hash in contents(catalogue)\n"
        "    if number % 3 == 0: catalogue.save()\n"
        "    catalogue.close()\n"
    )
    command = [sys.executable, "-c", program, repository.address, str(tmp_path / "cache")]
    processes = [subprocess.Popen(command, env=_environment()) for _ in range(4)]
    codes = [process.wait(120) for process in processes]
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()

    assert [0] * 4 == codes
    assert 48 == catalogue.table.run_count
    assert rebuilt(repository, tmp_path / "fresh") == contents(catalogue)


def test_killed_while_it_writes_the_file(repository: Repository, tmp_path: Path) -> None:
    """
    A process killed at any moment of writing leaves a file that is whole, or none.
    """
    recorded(repository, runs=20)
    expected = rebuilt(repository, tmp_path / "cache")
    program = (
        "import sys; from pathlib import Path; from aim.engine.repository import Repository\n"
        "from tests.storage.catalogue_histories import catalogue_of\n"
        "repository = Repository(Path(sys.argv[1]))\n"
        "catalogue = catalogue_of(repository, Path(sys.argv[2])); catalogue.refresh(); print('on', flush=True)\n"
        "while True: catalogue.save()\n"
    )
    chance = random.Random(5)
    for _ in range(int(os.environ.get("CRASH_ROUNDS", "8"))):
        command = [sys.executable, "-c", program, repository.address, str(tmp_path / "cache")]
        process = subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        stopped = threading.Timer(chance.uniform(0.0, 0.08), process.kill)
        stopped.start()
        process.wait(60)
        process.stdout.close()
        catalogue = catalogue_of(repository, tmp_path / "cache")
        catalogue.refresh()

        assert expected == contents(catalogue)
        catalogue.close()


def test_rows_are_packed_when_runs_are_deleted(repository: Repository, catalogue: Catalogue, tmp_path: Path) -> None:
    """
    After deletes every column and every pair has exactly the rows of the runs that are left.
    """
    hashes = recorded(repository, runs=8)
    catalogue.refresh()
    for run_hash in (hashes[0], hashes[3], hashes[7]):
        repository.delete_run(run_hash)
    catalogue.refresh()
    table = catalogue.table
    column = table.param(("hparams", "lr"))
    assert column is not None

    assert (5, 5, 5) == (table.run_count, len(column.codes), len(table.hashes()))
    assert np.arange(5).tolist() == table.rows(0).tolist()
    assert rebuilt(repository, tmp_path / "fresh") == contents(catalogue)


def test_progress_is_told(repository: Repository, tmp_path: Path) -> None:
    """
    A long reading says how far it is.
    """
    recorded(repository, runs=4, points=1)
    calls: list[tuple[int, int]] = []
    catalogue_of(repository, tmp_path / "cache").refresh(progress=lambda done, total: calls.append((done, total)))

    assert [(4, 4)] == calls


def _environment() -> dict[str, str]:
    root = Path(__file__).resolve().parents[3]
    return {**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}


def test_a_user_without_a_home_has_no_cache_and_gets_the_same_answers(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In a container that runs as a number nobody knows the home of that user: then nothing is kept, and all is found.
    """

    def unknown(user: int) -> NoReturn:
        raise KeyError(user)

    hashes = recorded(repository)
    for variable in ("HOME", "XDG_CACHE_HOME", caches.CACHE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)

    catalogue = Catalogue(repository.files, repository.readers.reader)
    catalogue.refresh()
    assert sorted(hashes) == sorted(catalogue.table.hashes())
    catalogue.close()


def test_a_rebuilt_catalogue_is_a_later_one(repository: Repository, catalogue: Catalogue) -> None:
    """
    Whoever has kept an answer sees by the version that it is old, also when everything was thrown away.
    """
    recorded(repository, runs=2)
    catalogue.refresh()
    catalogue.save()
    versions = [catalogue.version]
    catalogue.rebuild()
    versions.append(catalogue.version)
    catalogue.refresh()
    versions.append(catalogue.version)

    assert sorted(set(versions)) == versions
    assert 2 == catalogue.table.run_count


def test_a_catalogue_says_whether_it_was_saved(repository: Repository, catalogue: Catalogue, tmp_path: Path) -> None:
    """
    Where the disk takes no file the table stays as it is.
    """
    recorded(repository, runs=1)
    catalogue.refresh()
    (tmp_path / "file").touch()
    without_cache = catalogue_of(repository, tmp_path / "file" / "cache")
    without_cache.refresh()

    assert [True, False] == [catalogue.save(), without_cache.save()]
    assert [1, 1] == [each.table.run_count for each in (catalogue, without_cache)]
    without_cache.close()


def test_runs_that_are_still_to_be_read_are_counted(repository: Repository, catalogue: Catalogue) -> None:
    """
    A refresh that has no time reads a part; the count falls to 0.
    """
    recorded(repository, runs=3)
    assert 0 == catalogue.unread_count
    catalogue.refresh(within_s=0.0)

    assert catalogue.unread_count in (0, 1, 2)
    catalogue.refresh()
    assert (0, 3) == (catalogue.unread_count, catalogue.table.run_count)


def test_a_closed_catalogue_begins_anew(repository: Repository, catalogue: Catalogue) -> None:
    """
    After `close` nothing is held; a refresh opens it again.
    """
    recorded(repository, runs=2)
    catalogue.refresh()
    catalogue.close()
    assert 0 == catalogue.table.run_count
    catalogue.refresh()

    assert 2 == catalogue.table.run_count
