"""
`aim import` and `aim convert` as scripts call them: exit codes, JSON, the report in a file.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aim.cli.convert import convert
from aim.cli.importing import import_runs
from aim.core.errors import UsageError
from aim.engine.repository import Repository
from tests.convert.sources import DATA


def test_an_import_ends_with_the_code_of_its_report(tmp_path: Path) -> None:
    """
    0: all came over; 3: something was lost to damage. The report is in the file, too.
    """
    path = tmp_path / "report.json"
    whole = CliRunner().invoke(import_runs, [str(DATA / "tb-tf"), "--repo", str(tmp_path)])
    damaged = CliRunner().invoke(
        import_runs, [str(DATA / "tb-damaged"), "--repo", str(tmp_path), "--report", str(path), "-q"]
    )

    assert (0, 3) == (whole.exit_code, damaged.exit_code)
    assert "read    TensorBoard" in whole.output
    assert 3 == json.loads(path.read_text())["exit_code"]
    assert 8 == Repository(tmp_path).run_count()


def test_json_has_a_line_for_each_run(tmp_path: Path) -> None:
    """
    With --json each run is a line, and the report is the last one.
    """
    done = CliRunner().invoke(import_runs, [str(DATA / "tb-tf"), "--repo", str(tmp_path), "--json"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert ["run", "run", "run", "report"] == [line["event"] for line in lines]


def test_formats_are_listed() -> None:
    """
    --list-formats names each format with what it is recognised by.
    """
    done = CliRunner().invoke(import_runs, ["--list-formats"])

    assert {"aim3", "tensorboard", "wandb"} <= {line.split()[0] for line in done.output.splitlines()}


def test_wrong_calls_say_what_is_wrong(tmp_path: Path) -> None:
    """
    No source, or a kind that can't be skipped, is a wrong call.
    """
    assert 2 == CliRunner().invoke(import_runs, []).exit_code
    wrong = CliRunner().invoke(import_runs, [str(DATA / "tb-tf"), "--repo", str(tmp_path), "--skip", "sounds"])

    assert isinstance(wrong.exception, UsageError)
    assert "audio" in str(wrong.exception)


@pytest.mark.parametrize("arguments", [[], ["--flat"]])
def test_the_options_of_aim_3_are_there(tmp_path: Path, arguments: list[str]) -> None:
    """
    `aim convert tensorboard` takes the options of Aim 3; with --flat the folder is the context `entry`.
    """
    logs = str(DATA / "tb-torch" / "lenet")
    done = CliRunner().invoke(
        convert, ["tensorboard", "--repo", str(tmp_path), "--logdir", logs, "--no-cache", *arguments]
    )
    repository = Repository(tmp_path)
    contexts = {
        json.dumps(sequence.context)
        for run_hash in repository.run_hashes()
        for sequence in repository.readers.state(run_hash).sequences.values()
    }

    assert 0 == done.exit_code, done.output
    assert bool(arguments) == any("entry" in context for context in contexts)
