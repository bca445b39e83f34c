"""
`aim up`: which repositories are served, and a server that starts and ends whole.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from click.testing import CliRunner

from aim.cli.up import find_roots, up
from aim.core.errors import RepoNotFound, UsageError
from aim.engine.opening import repository_exists
from aim.engine.repository import Repository
from aim.server.serve import listen
from aim.server.settings import Settings, clean_base_path, repo_ids
from tests.cli.certificate import make_certificate


def test_repositories_are_found_where_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A folder with .aim, the .aim itself, a parent of such folders, or the nearest one upward.
    """
    for name in ("one", "two/deep", "two/.hidden"):
        Repository(tmp_path / name, create=True)
    one, deep = tmp_path / "one", tmp_path / "two" / "deep"

    assert (one,) == find_roots((one,), False)
    assert (one,) == find_roots((one / ".aim", one), False)
    assert (one, deep) == find_roots((tmp_path,), False)
    (one / "src").mkdir()
    monkeypatch.chdir(one / "src")
    assert (one,) == find_roots((), False)


def test_a_missing_repository_is_said_clearly_and_made_with_yes(tmp_path: Path) -> None:
    """
    Without a repository the message says what to do; with -y it is made.
    """
    with pytest.raises(RepoNotFound, match="aim init"):
        find_roots((tmp_path,), False)

    assert (tmp_path,) == find_roots((tmp_path,), True)
    assert repository_exists(tmp_path)


def test_the_option_names_of_aim_3_are_understood(tmp_path: Path) -> None:
    """
    -h is the host, -p the port and -y makes the repository.
    """
    result = CliRunner().invoke(up, ["-h", "256.1.1.1", "-p", "0", "-y", "--repo", str(tmp_path), "--no-open"])

    assert isinstance(result.exception, (UsageError, OSError))
    assert repository_exists(tmp_path)
    assert 2 == CliRunner().invoke(up, ["-p", "70000"]).exit_code


def test_a_taken_port_is_said_clearly() -> None:
    """
    When somebody else listens there, the message names the port and the way out.
    """
    taken = listen(Settings((), port=0))
    port = taken.getsockname()[1]

    with pytest.raises(UsageError, match=rf"127.0.0.1:{port}.*--port"):
        listen(Settings((), port=port))
    taken.close()


def test_repositories_of_one_name_have_different_ids() -> None:
    """
    Ids are safe in addresses, and the same at each start.
    """
    roots = [Path("/x/My Runs!"), Path("/y/my-runs"), Path("/z/ü")]

    assert ["my-runs", "my-runs-2", "repo"] == list(repo_ids(roots))
    assert ["", "/a/b"] == [clean_base_path("//"), clean_base_path("a/b/")]


@contextmanager
def started(root: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Start the command; give the process, its address, and what it said up to that. At the end it is gone."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aim.cli", "up", "--repo", str(root), "-p", "0", "--no-open", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    said: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if line.startswith(("Open ", "Listening on ")):
            break
    found = re.search(r"(https?:/|unix:)/\S+", said[-1]) if said else None
    assert found is not None, said
    try:
        yield process, found[0], said
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(tmp_path: Path, how: signal.Signals) -> None:
    """
    The command serves from one process, and after a signal that is gone, quietly, with a page still listening.
    """
    Repository(tmp_path, create=True)
    with started(tmp_path) as (process, address, said):
        assert f"Running Aim UI on {tmp_path}\n" == said[0]
        repo = httpx.get(f"{address}api/info").json()["repos"][0]["id"]
        with httpx.stream("GET", f"{address}api/repos/{repo}/events", timeout=20) as stream:
            lines = stream.iter_lines()
            next(lines)
            assert [] == psutil.Process(process.pid).children(recursive=True)
            process.send_signal(how)
            assert [] == [line for line in lines if line.startswith("event: ") and line != "event: tick"]
        assert process.wait(timeout=20) in (0, -how)
        assert process.stderr is not None
        assert "" == process.stderr.read()
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)


def test_an_open_door_is_warned_of(tmp_path: Path) -> None:
    """
    Listening to everybody without a token prints a warning; with one the address carries it.
    """
    Repository(tmp_path, create=True)
    for options, is_warned, shown in (([], True, "/"), (["--token", "x"], False, "/?token=x")):
        with started(tmp_path, "--host", "0.0.0.0", *options) as (_, address, said):
            warning = "Warning: everybody who can reach 0.0.0.0 can read these runs and change them."
            assert is_warned is any(line.startswith(warning) for line in said)
            assert address.endswith(shown)


def test_a_unix_socket_serves_a_proxy(tmp_path: Path) -> None:
    """
    With --uds the server listens on that socket, in the place of one that a killed server left, and takes it away at
    the end; a second server is refused while the first one runs.
    """
    Repository(tmp_path / "repo", create=True)
    place = tmp_path / "aim.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    with started(tmp_path / "repo", "--uds", str(place)) as (process, address, _):
        assert f"unix:{place}" == address
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(place)), base_url="http://localhost/") as client:
            assert ["repo"] == [one["id"] for one in client.get("api/info").json()["repos"]]
            assert 403 == client.get("api/info", headers={"Host": "evil.example"}).status_code
        with pytest.raises(UsageError, match="Is a server there already"):
            listen(Settings((), uds=place))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)
    assert not place.exists()


def test_a_file_is_no_unix_socket(tmp_path: Path) -> None:
    """
    What is no socket is not taken away, and a path that is too long is said clearly.
    """
    (tmp_path / "notes").write_text("mine")

    for place in (tmp_path / "notes", tmp_path / ("x" * 200)):
        with pytest.raises(UsageError, match="Can't listen on the socket"):
            listen(Settings((), uds=place))
    assert "mine" == (tmp_path / "notes").read_text()


def test_a_certificate_makes_it_https(tmp_path: Path) -> None:
    """
    With a certificate and its key the pages come over TLS, and the token's cookie is for TLS only; without, not at all.
    """
    Repository(tmp_path, create=True)
    certificate, key = make_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    options = ("--ssl-certfile", str(certificate), "--ssl-keyfile", str(key), "--token", "x")
    with started(tmp_path, *options) as (_, address, _said):
        assert address.startswith("https://127.0.0.1:")
        with httpx.Client(verify=trust, base_url=address.partition("?")[0]) as client:
            login = client.post("api/login", json={"token": "x"})
            assert login.headers["set-cookie"].endswith("SameSite=strict; Secure")
            assert 200 == client.get("api/info").status_code
        with pytest.raises(httpx.HTTPError):
            httpx.get(address.replace("https:", "http:"))


def test_a_wrong_certificate_is_said_clearly(tmp_path: Path) -> None:
    """
    A key without a certificate, and files that are none or do not belong together, end the command with a message.
    """
    Repository(tmp_path, create=True)
    certificate, _ = make_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other_key = make_certificate(tmp_path / "other")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    base = ["--repo", str(tmp_path), "-p", "0", "--no-open"]

    alone = CliRunner().invoke(up, [*base, "--ssl-keyfile", str(other_key)])
    assert "--ssl-keyfile needs --ssl-certfile" in str(alone.exception)
    for pair in ((certificate, other_key), (nonsense, other_key), (certificate, nonsense)):
        result = CliRunner().invoke(up, [*base, "--ssl-certfile", str(pair[0]), "--ssl-keyfile", str(pair[1])])
        assert isinstance(result.exception, UsageError)
        assert "Both must be PEM files, and belong together" in str(result.exception)


def test_scripts_of_aim_3_run_unchanged(tmp_path: Path) -> None:
    """
    Options that have nothing to say here are taken, each with a note; at the level `info` requests are logged, without
    what may be the token.
    """
    Repository(tmp_path, create=True)
    options = ("-w", "4", "--tf_logs", "/logs", "--profiler", "--dev", "--log-level", "INFO", "--token", "secret")
    with started(tmp_path, *options) as (process, address, said):
        notes = [line.partition(":")[2].split(":")[0].strip() for line in said if line.startswith("Note: ")]
        assert sorted(notes) == [
            f"--{name} is accepted for scripts of Aim 3" for name in ("profiler", "tf_logs", "workers")
        ]
        httpx.get(address)
        process.send_signal(signal.SIGTERM)
        logged = process.communicate(timeout=20)[1]
    assert "INFO aim.server: GET '/' " in logged
    assert "secret" not in logged
