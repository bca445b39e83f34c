"""
`aim server`: the server for trainings and people on other machines.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from aim.cli.main import aim
from aim.cli.serving import size_bytes
from aim.core.errors import UsageError
from aim.engine.repository import Repository
from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.cli.test_up import started


def test_a_folder_of_projects_is_served(tmp_path: Path) -> None:
    """
    --root makes the folder, and serves what is in it; the pages are served, too.
    """
    root = tmp_path / "aim"
    with started("server", "--root", str(root)) as (_, address, said):
        assert f"Running the Aim server on the projects in {root}\n" == said[0]
        assert [] == httpx.get(f"{address}api/info").json()["repos"]
        Repository(root / "vision", create=True)
        assert httpx.get(f"{address}api/repos/vision/edits").json() == {"edits": []}


def test_the_options_of_aim_3_are_understood(tmp_path: Path) -> None:
    """
    Scripts that start the server of Aim 3 go on: host, port, repository, level of the log.
    """
    Repository(tmp_path, create=True)
    options = ["--repo", str(tmp_path), "--log-level", "warning", "--workers", "2", "--dev", "-y"]
    with started("server", *options) as (_, address, _said):
        info = httpx.get(f"{address}api/info").json()
        assert info["project"] == info["repos"][0]["id"]


def test_a_server_with_an_administrator_prints_no_token(tmp_path: Path) -> None:
    """
    Other machines can reach it, and who may enter is in the token file: nothing secret comes into the log of its start.
    """
    text = TokenFile(auth_folder(tmp_path, ())).create("root", "admin", ["*"], None)
    with started("server", "--root", str(tmp_path), "--host", "0.0.0.0") as (_, address, said):
        assert "token=" not in "".join(said)
        assert any(line.startswith("Warning: on 0.0.0.0 it answers plain HTTP") for line in said)
        assert 401 == httpx.get(f"{address}api/info").status_code
        assert 200 == httpx.get(f"{address}api/info", headers={"Authorization": f"Bearer {text}"}).status_code


@pytest.mark.parametrize(
    "options",
    [
        ["--root", ".", "--repo", "."],
        ["--project-max", "5G"],
        ["--root", ".", "--project-max", "much"],
        ["--root", ".", "--memory", "some"],
        ["--root", ".", "--insecure", "--token", "x"],
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The server does not start, and the message names the options.
    """
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(aim, ["server", "-p", "0", *options])

    assert isinstance(result.exception, UsageError)


def test_a_size_is_a_number_with_a_unit() -> None:
    """
    K, M, G and T are powers of 1,024.
    """
    assert [1, 2048, 3 << 20, 4 << 30, 5 << 40] == [size_bytes(text) for text in ("1", "2K", "3m", "4G", "5T")]
