"""
`aim token`: make, list and revoke tokens.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aim.cli.main import aim
from aim.core.errors import RepoNotFound, UsageError
from aim.engine.repository import Repository
from aim.server.tokens import FORM, TokenFile


def token(*arguments: object) -> Result:
    """Run `aim token` with these arguments."""
    return CliRunner().invoke(aim, ["token", *map(str, arguments)])


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    """
    The text is printed once, on standard output; the list has all but the secret.
    """
    made = token("create", "--root", tmp_path, "--name", "slurm", "--role", "writer", "--project", "vision*")
    text = made.stdout.strip()
    assert FORM.fullmatch(text)
    token_id = text.split("_")[1]
    assert f"`aim token revoke {token_id}` ends it." in made.stderr

    (listed,) = map(json.loads, token("ls", "--root", tmp_path, "--json").stdout.splitlines())
    assert (token_id, "slurm", "writer", "vision*", "valid") == tuple(
        listed[name] for name in ("id", "name", "role", "projects", "state")
    )
    assert listed["expires"] > listed["created"]
    assert TokenFile(tmp_path / ".auth").recognised(text) is not None
    assert 0 == token("revoke", "--root", tmp_path, token_id).exit_code
    assert TokenFile(tmp_path / ".auth").recognised(text) is None


def test_the_tokens_of_a_repository_lie_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without an option it is the repository of the current folder, or the nearest above it.
    """
    Repository(tmp_path, create=True)
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    text = token("create", "--name", "me", "--expires", "never").stdout.strip()

    assert "viewer" == TokenFile(tmp_path / ".aim" / ".auth").recognised(text).role
    assert '"expires": null' in token("ls", "--repo", tmp_path, "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["create", "--name", "x"], RepoNotFound),
        (["create", "--root", ".", "--name", "x", "--expires", "soon"], UsageError),
        (["create", "--root", ".", "--name", "x", "--project", "No"], UsageError),
        (["revoke", "--root", ".", "12345678"], UsageError),
        (["create", "--root", ".", "--repo", ".", "--name", "x"], SystemExit),
        (["create", "--root", ".", "--name", "x", "--role", "owner"], SystemExit),
    ],
)
def test_a_wrong_call_has_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[BaseException]
) -> None:
    """
    It is an error that says what to do, and makes no file.
    """
    monkeypatch.chdir(tmp_path)
    result = token(*arguments)

    assert isinstance(result.exception, error)
    assert [] == list(tmp_path.iterdir())
