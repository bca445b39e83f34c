"""
The command line over a folder and over an address: the same output, and the same exit code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from aim import Repo, Run, Text
from aim.cli.main import aim
from aim.core.errors import UsageError
from tests.door.conftest import Served


@pytest.fixture(scope="module", name="doors")
def _doors(served: Iterator[Served]) -> tuple[str, str]:
    """
    Three runs: the folder, and the address.
    """
    repository = next(served)
    address, root, _ = repository
    for index, rate in enumerate((0.1, 0.01, 0.001)):
        with Run(f"run{index}", repo=str(root), create=True, system_tracking_interval=None) as run:
            run["hparams"] = {"lr": rate}
            run.name = f"rate {rate}"
            run.add_tag("paper")
            for step in range(3):
                run.track(rate * step, name="loss", step=step, context={"subset": "val"})
            run.track(Text("a text"), name="texts")
            file = root / "model.txt"
            file.write_text("weights")
            run.log_artifact(str(file), block=True)
    repository.ship()
    return str(root), address


@pytest.mark.parametrize(
    "command",
    [
        ["runs", "ls"],
        ["runs", "ls", "--columns", "name,hparams.lr,loss.last", "--json"],
        ["runs", "ls", "run.hparams.lr > 7"],
        ["runs", "ls", "run.hparams.lr >"],
        ["runs", "ls", "--columns", "nam", "--json"],
        ["metrics", "--json"],
        ["metrics", "metric.name == 'loss'", "--csv"],
        ["query", "run.hparams.lr < 0.05 and metric.name == 'loss'", "--explain"],
        ["tags", "ls"],
        ["runs", "rm", "none", "--yes"],
    ],
    ids=" ".join,
)
def test_a_command_prints_the_same_over_an_address(doors: tuple[str, str], command: list[str]) -> None:
    """
    Standard output, messages and exit code, but for the address in them.
    """
    answers = []
    for address in doors:
        ended = CliRunner().invoke(aim, [*command, "--repo", address])
        error = ended.exception if not isinstance(ended.exception, SystemExit) else None
        answers.append(
            (ended.exit_code, ended.output.replace(address, "<repo>"), repr(error).replace(address, "<repo>"))
        )

    assert answers[0] == answers[1]


@pytest.mark.parametrize("format_name", ["csv", "jsonl", "mlflow"])
def test_an_export_is_the_same_over_an_address(doors: tuple[str, str], format_name: str, tmp_path: Path) -> None:
    """
    Each file of an export has the same bytes, those of artifacts too.
    """
    for name, address in zip(("folder", "server"), doors, strict=True):
        target = str(tmp_path / name)
        assert (
            0
            == CliRunner().invoke(aim, ["export", "--to", target, "--format", format_name, "--repo", address]).exit_code
        )

    files = {
        name: {
            path.relative_to(tmp_path / name).as_posix(): path.read_bytes().replace(str(tmp_path / name).encode(), b"")
            for path in sorted((tmp_path / name).rglob("*"))
            if path.is_file()
        }
        for name in ("folder", "server")
    }
    assert files["folder"] == files["server"]


def test_runs_are_copied_from_an_address_into_a_folder(doors: tuple[str, str], tmp_path: Path) -> None:
    """
    The copy has the points, params and artifacts of the original.
    """
    Repo(str(tmp_path), init=True)
    copied = CliRunner().invoke(aim, ["runs", "cp", "run1", "--destination", str(tmp_path), "--repo", doors[1]])

    assert (0, "Copied 1 run.\n") == (copied.exit_code, copied.output)
    run = Run("run1", repo=str(tmp_path), read_only=True)
    assert (0.01, [0.0, 0.01, 0.02]) == (
        run["hparams", "lr"],
        run.get_metric("loss", {"subset": "val"}).values.tolist(),
    )
    assert ["model.txt"] == list(run.artifacts)


def test_an_artifact_is_downloaded_from_an_address(doors: tuple[str, str], tmp_path: Path) -> None:
    """
    It is copied from the server, its content checked; its address is that at the server.
    """
    artifact = Repo(doors[1]).get_run("run0").artifacts["model.txt"]

    assert "weights" == Path(artifact.download(str(tmp_path))).read_text()
    assert f"{doors[1].rpartition('/')[0]}/api/repos/" in artifact.uri


@pytest.mark.parametrize(
    "command", [["fsck"], ["storage", "prune"], ["storage", "seal"], ["repair"], ["up"]], ids=" ".join
)
def test_what_works_on_files_is_done_at_the_server(
    doors: tuple[str, str], command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Such a command refuses an address, that of `AIM_REPO` too, and says where to run it.
    """
    monkeypatch.setenv("AIM_REPO", doors[1])
    ended = CliRunner().invoke(aim, command)

    assert isinstance(ended.exception, UsageError)
    assert "Do it on the machine of the server" in str(ended.exception)


def test_the_default_repository_is_that_of_the_environment(
    doors: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    `AIM_REPO` is a folder or an address, and comes before the search upward.
    """
    Repo(str(tmp_path), init=True)
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path) == Repo.default_repo_path()
    for address in (doors[0], f"{doors[0]}/.aim", doors[1]):
        monkeypatch.setenv("AIM_REPO", address)
        assert 3 == Repo.default_repo().total_runs_count()
        assert 0.1 == Run("run0", read_only=True)["hparams", "lr"]
        assert "run0" in CliRunner().invoke(aim, ["runs", "ls"]).output
