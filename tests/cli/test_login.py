"""
`aim login` and `aim logout`: the token of a server on this machine.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from aim import Repo
from aim.cli.main import aim
from aim.core.addresses import server_address
from aim.core.errors import UsageError
from aim.engine.remote.credentials import token_for, tokens_file
from aim.server.settings import Settings
from tests.server.conftest import RunningServer


@pytest.fixture(name="config", autouse=True)
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An empty folder for the settings of this user, and no token in the environment.
    """
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("AIM_TOKEN", raising=False)


def test_a_stored_token_is_used_and_forgotten() -> None:
    """
    It is for the project that the address names, or for the whole server; only this user may read the file.
    """
    for address, token in (("aim://host/vision", "first"), ("aim://host", "second\n")):
        assert 0 == CliRunner().invoke(aim, ["login", address], input=token).exit_code
    assert 0o600 == stat.S_IMODE(tokens_file().stat().st_mode)
    assert ["first", "second"] == [token_for(server_address(f"aim://host/{name}")) for name in ("vision", "nlp")]
    assert "Removed" in CliRunner().invoke(aim, ["logout", "aim://host/vision"]).stderr
    assert "There was no" in CliRunner().invoke(aim, ["logout", "aim://host/vision"]).stderr

    assert "second" == token_for(server_address("aim://host/vision"))


def test_a_token_that_the_server_does_not_know_is_not_stored(tmp_path: Path) -> None:
    """
    A known one is stored with its role, and one for a server that does not answer is stored unchecked.
    """
    Repo(str(tmp_path / "vision"), init=True)
    server = RunningServer(Settings((tmp_path / "vision",), port=0, token="the-token-of-this-server"))
    try:
        refused = CliRunner().invoke(aim, ["login", server.address], input="another")
        stored = CliRunner().invoke(aim, ["login", server.address, "--json"], input="the-token-of-this-server")
    finally:
        assert server.stop()
    unchecked = CliRunner().invoke(aim, ["login", server.address], input="another")

    assert isinstance(refused.exception, UsageError)
    assert "does not know this token" in str(refused.exception)
    assert "admin" == json.loads(stored.stdout)["role"]
    assert (0, True) == (unchecked.exit_code, "It was not checked" in unchecked.stderr)


def test_no_token_and_no_server_are_wrong_calls() -> None:
    """
    An empty line, and a folder, are refused, and nothing is stored.
    """
    assert isinstance(CliRunner().invoke(aim, ["login", "aim://host"], input="\n").exception, UsageError)
    assert isinstance(CliRunner().invoke(aim, ["login", "/data"], input="x").exception, UsageError)
    assert not tokens_file().exists()
