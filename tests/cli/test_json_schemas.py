"""
Each command prints the JSON that docs/formats/command-json.md promises.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from aim import Run
from aim.cli.main import aim
from aim.engine.alerting.channels import AlertChannel, AlertChannels
from aim.engine.alerting.rules import AlertRules
from aim.engine.alerting.watcher import AlertWatcher
from aim.engine.repository import Repository
from aim.sdk.objects.log_line import LogLine
from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.cli.schemas import call, check, schemas

LOST = 3
"""The exit code of an import of which something was damaged, and of a sync that could not send all."""

OF_A_SERVICE = {"aim convert wandb"}
"""Asks a server of W&B; tests/adapters has one that answers as it does."""
OF_A_CLUSTER = {"aim cluster check", "aim cluster init", "aim cluster status"}
"""Ask ClickHouse and an object store; tests/cluster has these."""
SERVERS = {"aim mcp", "aim server", "aim up", "aim watch"}
"""Commands that serve until they are stopped."""

CALLS: dict[str, list[str]] = {
    "aim alert add": ["metric.last > 10", "--for", "5m"],
    "aim alert channel add": ["new", "--command", "true"],
    "aim alert channel rm": ["quiet"],
    "aim alert channels": [],
    "aim alert log": [],
    "aim alert ls": [],
    "aim alert rm": ["{rule}"],
    "aim alert test": [],
    "aim best": ["--by", "val/loss", "--columns", "hparams.lr"],
    "aim completion install": ["--shell", "bash"],
    "aim completion remove": ["--shell", "zsh"],
    "aim completion show": ["--shell", "fish"],
    "aim convert mlflow": ["--tracking_uri", "../sources/mlflow2-file"],
    "aim convert tensorboard": ["--logdir", "../sources/tb-torch"],
    "aim convert tf": ["--logdir", "../sources/tb-torch"],
    "aim demo": [],
    "aim diff": ["one", "two"],
    "aim digest": ["--tokens", "300"],
    "aim export": ["--to", "points", "--format", "csv"],
    "aim fsck": [],
    "aim import": ["../sources/tb-torch"],
    "aim init": ["--repo", "new"],
    "aim login": ["aim://127.0.0.1/vision", "--token", "aim_x"],
    "aim logout": ["aim://127.0.0.1/vision"],
    "aim logs": ["printing"],
    "aim ls": [],
    "aim metrics": [],
    "aim plot": ["loss", "-g", "hparams.lr"],
    "aim query": ["run.hparams.lr < 1", "--explain"],
    "aim repair": ["one", "--to", "mended"],
    "aim runs close": ["one"],
    "aim runs cp": ["one", "--destination", "../target"],
    "aim runs ls": [],
    "aim runs mv": ["one", "--destination", "../target"],
    "aim runs rm": ["one", "-y"],
    "aim runs upload": ["file://{folder}/bucket"],
    "aim storage prune": [],
    "aim storage reindex": [],
    "aim storage seal": [],
    "aim storage upgrade 3to4": ["--repo", "../sources/aim-3.29.1"],
    "aim sync": [".", "http://127.0.0.1:9/demo", "--wait", "0"],
    "aim tags ls": [],
    "aim tags mv": ["paper", "thesis"],
    "aim tags rm": ["paper", "-y"],
    "aim tags set": ["paper", "--color", "green"],
    "aim token create": ["--name", "slurm", "--role", "writer"],
    "aim token ls": [],
    "aim token revoke": ["{token}"],
    "aim top": [],
    "aim version": [],
}
"""The words after each command that let it print something; `--json` comes behind."""


@pytest.fixture(name="repo", autouse=True)
def _repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two ended runs and one that records, alone in the current folder; a home folder of its own."""
    sources = Path(__file__).parents[1] / "data" / "imports"
    folder = tmp_path / "repo"
    for name in ("repo", "target", "home"):
        (tmp_path / name).mkdir()
    for name in ("mlflow2-file", "tb-torch", "aim-3.29.1"):  # copies: an upgrade writes beside its source
        shutil.copytree(sources / name, tmp_path / "sources" / name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    Run(repo=tmp_path / "target", system_tracking_interval=None, capture_terminal_logs=False).close()
    for name, rate in (("one", 0.1), ("two", 0.01)):
        with Run(name, repo=folder, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = {"lr": rate}
            run.add_tag("paper")
            for step in range(3):
                run.track(rate * step, name="loss", context={"subset": "val"})
            run.track(float("nan"), name="broken")
    with Run("printing", repo=folder, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(LogLine("loss 0.5"), name="logs")
        run.track(0.5, name="loss")
        yield folder


def _leaves(command: click.Command, path: str) -> list[str]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    names = command.list_commands(context)
    below = [(name, command.get_command(context, name)) for name in names]
    return [
        leaf for name, each in below if each is not None and not each.hidden for leaf in _leaves(each, f"{path} {name}")
    ]


def test_every_command_has_a_schema() -> None:
    """
    The page has a schema for each command that prints a result, and each schema is one.
    """
    for schema in schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)

    assert sorted(set(_leaves(aim, "aim")) - SERVERS) == sorted(schemas())
    assert sorted(schemas()) == sorted({*CALLS, *OF_A_CLUSTER, *OF_A_SERVICE})


def _alerted(repo: Path) -> str:
    """Add a channel and a rule, let one message be delivered, and return the id of the rule."""
    AlertChannels().add(AlertChannel("quiet", "command", {"command": ["true"]}))
    door = Repository(repo)
    watcher = AlertWatcher(door)
    rule = AlertRules(door.documents).add("run.active")
    watcher.look()
    watcher.file.unlock()
    return rule.id


@pytest.mark.parametrize("command", sorted(CALLS))
def test_each_command_prints_the_json_of_its_schema(command: str, repo: Path) -> None:
    """
    With `--json` all of standard output are lines of the command's schema, one at least but for `aim fsck`.
    """
    token = TokenFile(auth_folder(None, (repo,))).create("laptop", "viewer", ["*"], None)
    rule = _alerted(repo) if command.startswith("aim alert") else ""
    words = [word.format(folder=repo, token=token.split("_")[1], rule=rule) for word in CALLS[command]]

    printed = call(*command.split()[1:], *words, "--json")

    lines = check(command, printed.out)
    assert command == "aim fsck" or lines
    assert printed.code in ((0, LOST) if "tb-torch" in str(words) or command == "aim sync" else (0,)), printed


def test_rows_are_printed_in_each_form() -> None:
    """
    A list of runs is a table, CSV, Markdown or JSON with the same rows.
    """
    words = ("runs", "ls", "--columns", "hash,hparams.lr,tags", "--sort", "hash", "--format")
    as_csv = list(csv.DictReader(io.StringIO(call(*words, "csv").out)))
    as_json = [json.loads(line) for line in call(*words, "json").out.splitlines()]

    assert [{"hash": "one", "hparams.lr": "0.1", "tags": '["paper"]'}] == as_csv[:1]
    assert [{"hash": "one", "hparams.lr": 0.1, "tags": ["paper"]}] == as_json[:1]
    assert '| hash | hparams.lr | tags |\n| --- | --- | --- |\n| one | 0.1 | ["paper"] |\n' in call(*words, "md").out
    assert ["hash", "hparams.lr", "tags"] == call(*words, "table").out.splitlines()[0].split()


def test_two_outputs_of_one_call_are_refused() -> None:
    """
    `aim metrics` prints one thing: rows, all points, or a file.
    """
    refused = call("metrics", "--csv", "--json")

    assert (2, "") == (refused.code, refused.out)
    assert "don't go together" in refused.err


def test_completion_is_installed_once_and_removed(tmp_path: Path) -> None:
    """
    The start file of the shell gets one line however often it is installed, and loses only that line.
    """
    start = tmp_path / "home" / ".bashrc"
    start.write_text("alias ll='ls -l'")
    for _ in range(2):
        assert 0 == call("completion", "install", "--shell", "bash").code
    script = tmp_path / "home" / ".config" / "aim" / "completion.bash"
    installed = start.read_text()
    assert 0 == call("completion", "remove", "--shell", "bash").code

    assert (2, 1) == (len(installed.splitlines()), installed.count(str(script.name) + "' ] "))
    assert ("alias ll='ls -l'\n", False) == (start.read_text(), script.exists())
