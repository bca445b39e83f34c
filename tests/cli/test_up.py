"""
`aim up`: which repositories are served, and the start and the end of the server.
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

from aim.cli.serving import find_roots
from aim.cli.up import up
from aim.core.errors import RepoNotFound, UsageError
from aim.engine.opening import repository_exists
from aim.engine.repository import Repository
from aim.server.serve import listen
from aim.server.settings import Settings, clean_base_path, repo_ids
from tests.cli.certificate import make_certificate


def test_repositories_are_found_where_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    --repo may be a folder with .aim, the .aim itself, or a parent of such folders; the default is the nearest above.
    """
    for name in ("one", "two/deep", "two/.hidden"):
        Repository(tmp_path / name, create=True)
    first, deep = tmp_path / "one", tmp_path / "two" / "deep"

    assert (first,) == find_roots((first,), False)
    assert (first,) == find_roots((first / ".aim", first), False)
    assert (first, deep) == find_roots((tmp_path,), False)
    (first / "src").mkdir()
    monkeypatch.chdir(first / "src")
    assert (first,) == find_roots((), False)


def test_a_missing_repository_is_created_with_yes(tmp_path: Path) -> None:
    """
    Without a repository the message says what to do; with -y it is created.
    """
    with pytest.raises(RepoNotFound, match="aim init"):
        find_roots((tmp_path,), False)

    assert (tmp_path,) == find_roots((tmp_path,), True)
    assert repository_exists(tmp_path)


def test_the_option_names_of_aim_3_are_understood(tmp_path: Path) -> None:
    """
    -h is the host, -p the port, and -y creates the repository.
    """
    result = CliRunner().invoke(up, ["-h", "256.1.1.1", "-p", "0", "-y", "--repo", str(tmp_path), "--no-open"])

    assert isinstance(result.exception, (UsageError, OSError))
    assert repository_exists(tmp_path)
    assert 2 == CliRunner().invoke(up, ["-p", "70000"]).exit_code


def test_a_taken_port_has_a_message() -> None:
    """
    When another process listens there, the message names the port and what to do.
    """
    taken = listen(Settings((), port=0))
    port = taken.getsockname()[1]

    with pytest.raises(UsageError, match=rf"127.0.0.1:{port}.*--port"):
        listen(Settings((), port=port))
    taken.close()


def test_the_port_is_free_again_when_the_server_is_gone() -> None:
    """
    Processes that the server starts, such as those that seal runs and may outlive it, do not get its socket.
    """
    opened = listen(Settings((), port=0))
    is_inherited = opened.get_inheritable()
    opened.close()

    assert not is_inherited


def test_repositories_of_one_name_have_different_ids() -> None:
    """
    Ids are safe in addresses, and the same at each start.
    """
    roots = [Path("/x/My Runs!"), Path("/y/my-runs"), Path("/z/ü")]

    assert ["my-runs", "my-runs-2", "repo"] == list(repo_ids(roots))
    assert ["", "/a/b"] == [clean_base_path("//"), clean_base_path("a/b/")]


@contextmanager
def started(command: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Start a command that serves; yield the process, its address and what it printed; kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aim.cli", command, "-p", "0", *options],
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
    match = re.search(r"(https?:/|unix:)/\S+", said[-1]) if said else None
    assert match is not None, said
    try:
        yield process, match[0], said
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(tmp_path: Path, how: signal.Signals) -> None:
    """
    The command is one process, and a signal ends it without a message, while a page listens.
    """
    Repository(tmp_path, create=True)
    with started("up", "--no-open", "--repo", str(tmp_path)) as (process, address, said):
        assert f"Running Aim UI on {tmp_path}\n" == said[0]
        repo = httpx.get(f"{address}api/info").json()["repos"][0]["id"]
        with httpx.stream("GET", f"{address}api/repos/{repo}/events", timeout=60) as stream:
            lines = stream.iter_lines()
            next(lines)
            assert [] == psutil.Process(process.pid).children(recursive=True)
            process.send_signal(how)
            assert [] == [line for line in lines if line.startswith("event: ") and line != "event: tick"]
        assert process.wait(timeout=60) in (0, -how)
        assert process.stderr is not None
        assert "" == process.stderr.read()
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)


def test_a_server_that_others_can_reach_makes_a_token_for_each_start(tmp_path: Path) -> None:
    """
    On a public address without a token, the printed address has a new one, without which nothing is answered.
    """
    Repository(tmp_path, create=True)
    tokens = []
    for _ in range(2):
        with started("up", "--no-open", "--repo", str(tmp_path), "--host", "0.0.0.0") as (_process, address, said):
            base, _, token = address.partition("?token=")
            tokens.append(token)
            assert f"On other machines: http://{socket.gethostname()}:" in "".join(said)
            assert any(
                line.startswith("Other machines can reach this server, so it asks for a token.") for line in said
            )
            assert 401 == httpx.get(f"{base}api/info").status_code
            assert 200 == httpx.get(f"{base}api/info", headers={"Authorization": f"Bearer {token}"}).status_code
    assert 2 == len(set(tokens))
    assert [32, 32] == [len(token) for token in tokens]


WARNING = "Warning: everybody who can reach 0.0.0.0 can read these runs"


@pytest.mark.parametrize(
    ("options", "expected", "address_end"),
    [
        (["--insecure"], (f"{WARNING}, because of --insecure.", 200, "viewer"), "/"),
        (["--insecure=write"], (f"{WARNING} and change them, because of --insecure.", 200, "admin"), "/"),
        (["--token", "x"], (None, 401, None), "/?token=x"),
    ],
)
def test_an_open_server_prints_a_warning(
    tmp_path: Path, options: list[str], expected: tuple[str | None, int, str | None], address_end: str
) -> None:
    """
    With --insecure there is a warning, and everybody may read, with --insecure=write also change; with a token the
    printed address contains it.
    """
    Repository(tmp_path, create=True)
    with started("up", "--no-open", "--repo", str(tmp_path), "--host", "0.0.0.0", *options) as (_, address, said):
        warnings = [line.rstrip() for line in said if line.startswith("Warning: everybody")]
        assert address.endswith(address_end)
        answer = httpx.get(f"{address.partition('?')[0]}api/info")
        role = answer.json()["you"]["role"] if answer.status_code == 200 else None
        assert expected == (warnings[0] if warnings else None, answer.status_code, role)


def test_a_token_and_none_exclude_each_other(tmp_path: Path) -> None:
    """
    --insecure beside --token is a mistake; on an address of this machine there is neither a token nor a warning.
    """
    Repository(tmp_path, create=True)
    result = CliRunner().invoke(up, ["--repo", str(tmp_path), "--token", "x", "--insecure"])

    assert isinstance(result.exception, UsageError)
    with started("up", "--no-open", "--repo", str(tmp_path)) as (_, address, said):
        assert 200 == httpx.get(f"{address}api/info").status_code
        assert 2 == len(said)


def test_a_unix_socket_serves_a_proxy(tmp_path: Path) -> None:
    """
    With --uds the server listens on that socket, replaces one that a killed server left, and removes it at the end; a
    second server is refused while the first one runs.
    """
    Repository(tmp_path / "repo", create=True)
    socket_path = tmp_path / "aim.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_path))
    with started("up", "--no-open", "--repo", str(tmp_path / "repo"), "--uds", str(socket_path)) as (
        process,
        address,
        _,
    ):
        assert f"unix:{socket_path}" == address
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket_path)), base_url="http://localhost/") as client:
            assert ["repo"] == [repo["id"] for repo in client.get("api/info").json()["repos"]]
            assert 403 == client.get("api/info", headers={"Host": "evil.example"}).status_code
        with pytest.raises(UsageError, match="Is a server there already"):
            listen(Settings((), uds=socket_path))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)
    assert not socket_path.exists()


def test_a_file_is_not_replaced_by_a_unix_socket(tmp_path: Path) -> None:
    """
    A file at the path is not removed, and a path that is too long has a message.
    """
    (tmp_path / "notes").write_text("mine")

    for path in (tmp_path / "notes", tmp_path / ("x" * 200)):
        with pytest.raises(UsageError, match="Can't listen on the socket"):
            listen(Settings((), uds=path))
    assert "mine" == (tmp_path / "notes").read_text()


def test_a_certificate_makes_it_https(tmp_path: Path) -> None:
    """
    With a certificate and its key the server speaks only TLS, and the token's cookie is for TLS only.
    """
    Repository(tmp_path, create=True)
    certificate, key = make_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    options = ("--ssl-certfile", str(certificate), "--ssl-keyfile", str(key), "--token", "x")
    with started("up", "--no-open", "--repo", str(tmp_path), *options) as (_, address, _said):
        assert address.startswith("https://127.0.0.1:")
        with httpx.Client(verify=trust, base_url=address.partition("?")[0]) as client:
            login = client.post("api/login", json={"token": "x"})
            assert login.headers["set-cookie"].endswith("SameSite=strict; Secure")
            assert 200 == client.get("api/info").status_code
        with pytest.raises(httpx.HTTPError):
            httpx.get(address.replace("https:", "http:"))


def test_a_wrong_certificate_has_a_message(tmp_path: Path) -> None:
    """
    A key without a certificate, other files, and a pair that does not match end the command with a message.
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
    Options of Aim 3 that do nothing have a note; at the level `info` requests are logged, without the token.
    """
    Repository(tmp_path, create=True)
    options = ("-w", "2", "--tf_logs", "/logs", "--profiler", "--dev", "--log-level", "INFO", "--token", "secret")
    with started("up", "--no-open", "--repo", str(tmp_path), *options) as (process, address, said):
        notes = [line.partition(":")[2].split(":")[0].strip() for line in said if line.startswith("Note: ")]
        assert sorted(notes) == [f"--{name} is accepted for scripts of Aim 3" for name in ("profiler", "tf_logs")]
        httpx.get(address)
        process.send_signal(signal.SIGTERM)
        logged = process.communicate(timeout=60)[1]
    assert "INFO aim.server: GET '/' " in logged
    assert "secret" not in logged
