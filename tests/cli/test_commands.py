"""
The command line, run as a program in a folder of its own, as people and scripts do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from aim import Repo, Run
from aim.engine.repository import Repository

SOURCE = Path(__file__).parents[2] / "src"


def aim(folder: Path, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Run `aim` with *words* in *folder*."""
    return subprocess.run(
        [sys.executable, "-m", "aim.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(name="runs")
def _runs(tmp_path: Path) -> list[Run]:
    """
    Three runs of learning rates 0.1, 0.01 and 0.001, oldest first.
    """
    runs = []
    for rate in (0.1, 0.01, 0.001):
        with Run(repo=tmp_path, experiment="rates", system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = {"lr": rate}
            for step in range(3):
                run.track(rate * step, name="loss", step=step, context={"subset": "val"})
            run.track(rate, name="acc")
            run.track(rate, name="acc", context={"subset": "val"})
        runs.append(run)
    return runs


def test_version(tmp_path: Path) -> None:
    """
    `aim version` prints the version as Aim 3 does.
    """
    assert "Aim v4.0.0rc1\n" == aim(tmp_path, "version").stdout


def test_init_makes_a_repository_once(tmp_path: Path) -> None:
    """
    `aim init` creates a repository; the second time it asks; `-s` keeps it, `-y` empties it, both together are refused.
    """
    assert 0 == aim(tmp_path, "init").returncode
    Run(repo=tmp_path).close()

    assert 1 == Repo(str(tmp_path)).total_runs_count()
    aim(tmp_path, "init", answer="n\n")
    aim(tmp_path, "init", "-s")
    assert 1 == Repo(str(tmp_path)).total_runs_count()
    assert 2 == aim(tmp_path, "init", "-y", "-s").returncode
    assert 0 == aim(tmp_path, "init", "-y").returncode
    assert 0 == Repo(str(tmp_path)).total_runs_count()


@pytest.mark.parametrize("group", [(), ("runs",), ("storage",), ("tags",)])
def test_the_list_of_commands_has_whole_sentences(tmp_path: Path, group: tuple[str, ...]) -> None:
    """
    The short help of each command fits a line of 80 characters.
    """
    _, _, commands = aim(tmp_path, *group, "--help").stdout.partition("Commands:\n")

    assert [] == [line for line in commands.splitlines() if line.endswith("...")]


def test_without_a_repository_there_is_a_message(tmp_path: Path) -> None:
    """
    A command in a folder without a repository says so, in one line.
    """
    done = aim(tmp_path, "runs", "ls")

    assert (1, "") == (done.returncode, done.stdout)
    assert "There is no repository" in done.stderr
    assert "Traceback" not in done.stderr


def test_runs_are_listed_newest_first_as_json_lines(tmp_path: Path, runs: list[Run]) -> None:
    """
    `aim runs ls --json` gives a JSON line a run, newest first.
    """
    done = aim(tmp_path, "runs", "ls", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert [run.hash for run in reversed(runs)] == [line["hash"] for line in lines]
    assert {"hash", "name", "experiment", "status", "created_at"} == set(lines[0])
    assert ("Total 3 runs.\n", 0) == (done.stderr, done.returncode)


def test_the_status_in_a_table_says_what_is_lost(tmp_path: Path) -> None:
    """
    On a terminal the state of a run that a disk refused says it; in JSON `losses` is a column of its own.
    """
    writer = Repository(tmp_path, create=True).new_run("short")
    writer.refusals.reason = "No space left on device"
    writer.refusals.count_lost()
    writer.close()
    reading, writing = os.openpty()
    command = [sys.executable, "-m", "aim.cli", "runs", "ls"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "200"}
    subprocess.run(command, cwd=tmp_path, env=environment, stdout=writing, check=True, capture_output=False)
    os.close(writing)
    table = os.read(reading, 1 << 16).decode()
    os.close(reading)

    losses = "1 point is lost: No space left on device."
    assert "finished, 1 point is lost: No space" in " ".join(table.split())
    row = json.loads(aim(tmp_path, "runs", "ls", "--json", "--columns", "status,losses").stdout)
    assert {"status": "finished", "losses": losses} == row
    assert losses in aim(tmp_path, "runs", "close", "-y", "short").stderr


def test_columns_are_properties_params_and_summaries(tmp_path: Path, runs: list[Run]) -> None:
    """
    A column is a property, a param, or a summary of a metric, with its context if there are several.
    """
    words = ("runs", "ls", "run.hparams.lr > 0.005", "--sort", "hparams.lr", "--columns")
    done = aim(tmp_path, *words, "hparams.lr,acc.last,acc[subset=val].min,loss.max,experiment")

    assert [
        {"hparams.lr": 0.01, "acc.last": 0.01, "acc[subset=val].min": 0.01, "loss.max": 0.02, "experiment": "rates"},
        {"hparams.lr": 0.1, "acc.last": 0.1, "acc[subset=val].min": 0.1, "loss.max": 0.2, "experiment": "rates"},
    ] == [json.loads(line) for line in done.stdout.splitlines()]


def test_a_limited_list_has_the_total(tmp_path: Path, runs: list[Run]) -> None:
    """
    With a limit the total counts all runs that match.
    """
    assert "Total 3 runs, 2 shown.\n" == aim(tmp_path, "runs", "ls", "--json", "--limit", "2").stderr


def test_times_for_programs_have_their_zone(tmp_path: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A time is in the local zone, as in queries; in JSON it has its zone.
    """
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    line = json.loads(aim(tmp_path, "runs", "ls", "--json", "--limit", "1").stdout)

    assert line["created_at"].endswith("+09:00")
    assert int(runs[-1].creation_time) == datetime.fromisoformat(line["created_at"]).timestamp()


def test_hashes_may_be_prefixes_and_patterns(tmp_path: Path, runs: list[Run]) -> None:
    """
    Every command takes hashes in the same forms.
    """
    beginning = runs[0].hash[:8]

    assert "1 run is whole.\n" == aim(tmp_path, "fsck", beginning).stderr
    assert "1 run is whole.\n" == aim(tmp_path, "fsck", f"{beginning}*").stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["runs", "ls", "run.hparams.lr >"], 2, "^"),
        (["runs", "ls", "metirc.name == 'loss'"], 2, "`metirc` is not known"),
        (["runs", "ls", "run.hparams.lrr > 1"], 1, "Did you mean 'hparams.lr'?"),
        (["runs", "ls", "--columns", "hparams.l"], 2, "Did you mean 'hparams.lr'?"),
        (["runs", "ls", "run.hparams.lr > 5", "--json"], 1, "Total 0 runs."),
        (["rnus"], 2, "Did you mean 'runs'?"),
        (["reindex"], 2, "`aim storage reindex` reads all runs again"),
        (["telemetry", "off"], 2, "It sends nothing about its users"),
        (["runs", "rm", "nothing"], 1, "Cannot find run 'nothing'"),
        (["runs", "cp", "--destination", "nowhere", "*"], 1, "Cannot find repository"),
        (["query", "run.x == 1"], 1, "No run has a param 'x'"),
        (["metrics", "metric.name == 'los'"], 1, "Did you mean 'loss'?"),
        (["metrics", "--csv", "--parquet", "x.parquet"], 2, "don't go together"),
        (["runs", "rm"], 2, "Say which runs"),
        (["runs", "rm", "-y", "zz*"], 1, "No run has a hash like 'zz*'"),
        (["runs", "mv", "--destination", ".", "zz*"], 1, "No run has a hash like 'zz*'"),
        (["runs", "rm", "--corrupted"], 0, "No run is damaged."),
        (["fsck", "zz*"], 1, "No run has a hash like 'zz*'"),
    ],
)
def test_mistakes_get_a_message_and_a_code(
    tmp_path: Path, runs: list[Run], words: list[str], code: int, message: str
) -> None:
    """
    Exit code 2: the call or query is wrong; 1: nothing matches. The message suggests what was meant.
    """
    done = aim(tmp_path, *words)

    assert code == done.returncode, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_the_disk_is_not_a_bug(tmp_path: Path) -> None:
    """
    An error of the operating system is shown with its file and exit code 1, and not as a bug in Aim.
    """
    aim(tmp_path, "init")
    (tmp_path / ".aim" / "runs").rmdir()
    (tmp_path / ".aim" / "runs").write_text("no folder")
    done = aim(tmp_path, "runs", "ls")

    assert 1 == done.returncode
    assert f"[Errno 20] Not a directory: '{tmp_path / '.aim' / 'runs'}'\n" == done.stderr


def test_runs_are_removed_copied_and_moved(tmp_path: Path, runs: list[Run]) -> None:
    """
    `rm`, `cp` and `mv` take hashes, beginnings of hashes and patterns; `rm` asks.
    """
    target = tmp_path / "target"
    Repo(str(target), init=True)

    assert 0 == aim(tmp_path, "runs", "cp", "--destination", str(target), "*").returncode
    assert sorted(run.hash for run in runs) == Repo(str(target)).list_all_runs()
    assert 1 == aim(tmp_path, "runs", "cp", "--destination", str(target), runs[0].hash).returncode
    aim(target, "runs", "rm", runs[0].hash[:12], answer="n\n")
    assert 3 == Repo(str(target)).total_runs_count()
    assert 0 == aim(target, "runs", "rm", "-y", runs[0].hash[:12]).returncode
    assert 0 == aim(tmp_path, "runs", "mv", "--destination", str(target), runs[0].hash).returncode
    assert (2, 3) == (Repo(str(tmp_path)).total_runs_count(), Repo(str(target)).total_runs_count())


def test_the_repository_may_be_named_before_the_command(tmp_path: Path, runs: list[Run]) -> None:
    """
    `aim runs --repo there ls`, as Aim 3 has it, is `aim runs ls --repo there`; named twice, the nearer one counts.
    """
    here = tmp_path / "here"
    aim(here.parent, "init", "--repo", "here")
    words = ("runs", "--repo", "..", "ls", "--plain")

    assert {run.hash for run in runs} == set(aim(here, *words).stdout.splitlines()[0].split("\t"))
    assert "\nTotal 0 runs.\n" == aim(here, *words, "--repo", ".").stdout
    assert 0 == aim(here, "runs", "--repo", "..", "cp", "--destination", ".", runs[0].hash).returncode
    assert [runs[0].hash] == Repo(here).list_all_runs()
    assert "The trash is empty.\n" == aim(here, "storage", "--repo", "..", "prune").stderr


def test_metrics_are_listed_with_summaries(tmp_path: Path, runs: list[Run]) -> None:
    """
    `aim metrics` lists the summaries of each metric.
    """
    done = aim(tmp_path, "metrics", "metric.name == 'loss' and run.hparams.lr == 0.1")

    assert {
        "run": runs[0].hash,
        "name": "loss",
        "context": {"subset": "val"},
        "points": 3,
        "last_step": 2,
        "first": 0.0,
        "last": 0.2,
        "min": 0.0,
        "max": 0.2,
    } == json.loads(done.stdout)


def test_points_are_written_as_csv_and_parquet(tmp_path: Path, runs: list[Run]) -> None:
    """
    `--csv` prints all points, `--parquet` writes them into a file.
    """
    import pyarrow.parquet as pq

    text = aim(tmp_path, "metrics", "metric.name == 'loss'", "--csv").stdout.splitlines()
    aim(tmp_path, "metrics", "metric.name == 'loss'", "--parquet", "points.parquet")
    table = pq.read_table(tmp_path / "points.parquet")

    assert 1 + 9 == len(text)
    assert (9, {"loss"}) == (table.num_rows, set(table["name"].to_pylist()))


def test_a_query_is_explained(tmp_path: Path, runs: list[Run]) -> None:
    """
    `aim query --explain` shows what each clause matches and leaves.
    """
    done = aim(tmp_path, "query", "run.hparams.lr > 0.05 and metric.name == 'loss'", "--explain")
    clauses = {line["clause"]: line for line in map(json.loads, done.stdout.splitlines())}

    assert 3 == clauses["run.hparams.lr > 0.05"]["leaves"]
    assert 1 == clauses["metric.name == 'loss'"]["leaves"]
    assert "1 of 9 sequences of kind metric match." in done.stderr


def test_sealing_checking_and_repairing(tmp_path: Path, runs: list[Run]) -> None:
    """
    `storage seal` seals; `fsck` finds a flipped byte and names its file; `repair` writes a copy without it.
    """
    assert "Sealed the points of 3 writers in 3 runs.\n" == aim(tmp_path, "storage", "seal").stderr
    assert "3 runs are whole.\n" == aim(tmp_path, "fsck").stderr
    assert "1 run is whole.\n" == aim(tmp_path, "fsck", runs[0].hash).stderr
    assert "1 run is whole.\n" == aim(tmp_path, "fsck", runs[0].hash).stderr
    (events,) = (tmp_path / ".aim" / "runs" / runs[0].hash).glob("*.events.jsonl")
    content = bytearray(events.read_bytes())
    content[-30] ^= 1
    events.write_bytes(content)

    done = aim(tmp_path, "fsck")
    assert 1 == done.returncode
    assert f"{runs[0].hash}  {events.name}" in done.stdout
    assert runs[0].hash in aim(tmp_path, "runs", "ls", "--corrupted").stdout
    assert 0 == aim(tmp_path, "repair", runs[0].hash, "--to", "mended").returncode
    assert 0 == aim(tmp_path, "fsck", "--repo", "mended").returncode
    assert bytes(content) == events.read_bytes()


def test_tags_are_listed_described_renamed_and_deleted(tmp_path: Path, runs: list[Run]) -> None:
    """
    `aim tags` changes the tags of all runs, and an unknown colour has a message.
    """
    for run in runs[:2]:
        run.add_tag("paper")

    assert "The tag paper is on 2 runs.\n" == aim(tmp_path, "tags", "set", "paper", "--color", "blue").stderr
    listed = json.loads(aim(tmp_path, "tags", "ls").stdout)
    assert "7ba4420e-b4dc-baeb-0d36-91af18ab04b4" == listed.pop("id")
    assert {"name": "paper", "color": "#243cdf", "runs": 2, "description": None} == listed
    wrong = aim(tmp_path, "tags", "set", "paper", "--color", "blu")
    assert (2, True) == (wrong.returncode, "Did you mean 'blue'?" in wrong.stderr)
    assert 2 == aim(tmp_path, "tags", "set", "paper").returncode
    assert "Renamed on 2 runs.\n" == aim(tmp_path, "tags", "mv", "paper", "accepted").stderr
    assert 1 == aim(tmp_path, "tags", "rm", "nothing", "-y").returncode
    aim(tmp_path, "tags", "rm", "accepted", answer="n\n")
    assert ["accepted"] == runs[0].tags
    assert "Removed it from 2 runs.\n" == aim(tmp_path, "tags", "rm", "accepted", "-y").stderr
    assert [] == runs[0].tags
