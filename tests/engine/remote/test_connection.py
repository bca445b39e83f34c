"""
The connection to a server: sockets that are kept, tries, tokens that stay secret, and what is said when it fails.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from aim.core.addresses import server_address
from aim.core.errors import InsecureAddress, ServerRefused, ServerUnreachable, UsageError
from aim.engine.remote import connection as module
from aim.engine.remote.connection import ServerConnection, ServerRequest
from aim.engine.remote.credentials import forget_token, keep_token, token_for
from tests.engine.remote.peers import Asked, Told, peer

TOKEN = "aim_0123abcd_secret"


@pytest.fixture(autouse=True)
def _no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIM_TOKEN", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(module, "PAUSES_S", (0.01, 0.01))


def connected(address: str) -> ServerConnection:
    """Return a connection that does not wait for long."""
    return ServerConnection(server_address(address), connect_s=60.0, answer_s=60.0)


def test_one_socket_carries_one_request_after_another() -> None:
    """
    Requests of any kind of body use the socket of the request before; two at once use two.
    """
    both_asked = threading.Barrier(2, timeout=60)

    def answer(asked: Asked) -> Told:
        if asked.path == "/both":
            both_asked.wait()
        return Told(body=asked.body or b"{}")

    with peer(answer) as server:
        connection = connected(server.address)
        body = bytes(range(256)) * 1000
        content_type = "application/octet-stream"
        assert body == connection.ask("POST", "/one", body, content_type=content_type).body
        assert {} == connection.ask("GET", "/two").json()
        assert {"a": [1]} == connection.ask_json("/three", {"a": [1]})
        threads = [threading.Thread(target=connection.ask, args=("GET", "/both")) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ports = [asked.peer_port for asked in server.asked]
        types = [asked.headers.get("Content-Type") for asked in server.asked[:3]]
        connection.close()

    assert 1 == len(set(ports[:3]))
    assert 2 == len(set(ports[3:]))
    assert [content_type, None, "application/json"] == types


def test_a_socket_that_was_closed_meanwhile_is_not_noticed() -> None:
    """
    The server closes its connections as it likes, said or unsaid; the next request opens another.
    """
    with peer(lambda asked: Told(closes=True)) as server:
        connection = connected(server.address)
        answers = [connection.ask("GET", "/", is_repeatable=number % 2 == 0).body for number in range(9)]

    assert [b"{}"] * 9 == answers


def test_an_answer_that_was_not_read_to_its_end_costs_its_socket() -> None:
    """
    A stream that is closed early closes its socket, so that the rest of its answer is not taken for another answer.
    """
    with peer(lambda asked: Told(body=b"x" * 100_000 if asked.path == "/long" else b"short")) as server:
        connection = connected(server.address)
        with connection.stream(ServerRequest("GET", "/long")) as stream:
            assert b"xxx" == stream.read(3)
        assert b"short" == connection.ask("GET", "/").body
        connection.close()


@pytest.mark.parametrize(("is_repeatable", "times"), [(True, 3), (False, 1)])
def test_a_request_without_an_answer_is_repeated_only_when_it_may_be(is_repeatable: bool, times: int) -> None:
    """
    A request that changes something could have been done, so it is not sent again.
    """
    with peer(lambda asked: None) as server:
        connection = connected(server.address)
        with pytest.raises(ServerUnreachable, match="no Aim server answers"):
            connection.ask("POST", "/", b"{}", is_repeatable=is_repeatable)

    assert times == len(server.asked)


def test_a_busy_server_is_asked_again() -> None:
    """
    After 503 the request is sent again, whatever it is: a busy server has not begun it. The last refusal is raised.
    """
    busy = Told(503, b'{"kind":"busy","message":"Too much to do."}', {"Retry-After": "0"})
    with peer(lambda asked: busy if len(server.asked) < 3 else Told()) as server:
        connection = connected(server.address)
        assert b"{}" == connection.ask("POST", "/", b"{}", is_repeatable=False).body
        server.asked.clear()
        with pytest.raises(ServerRefused, match="Too much to do") as caught:
            connection.ask("POST", "/", b"{}", tries=2)
        connection.close()

    assert (503, "busy", 0.0) == (caught.value.status, caught.value.kind, caught.value.retry_after_s)


def test_a_cut_answer_is_an_error() -> None:
    """
    Half of an answer never passes for a whole one, read at once or in pieces.
    """
    with peer(lambda asked: Told(body=b"half", length=8, closes=True)) as server:
        connection = connected(server.address)
        with pytest.raises(ServerUnreachable, match="cut short"):
            connection.ask("GET", "/", tries=1)
        with connection.stream(ServerRequest("GET", "/")) as stream:
            assert b"hal" == stream.read(3)
            with pytest.raises(ServerUnreachable, match="cut short"):
                stream.read(3)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (Told(404, b'{"kind":"not-found","message":"No run 3df7."}'), "No run 3df7."),
        (
            Told(302, b"", {"Location": "https://elsewhere/"}),
            "It leads elsewhere: use the address 'https://elsewhere/'",
        ),
        (Told(502, b"<html>Bad gateway</html>"), "There is no Aim server here: HTTP 502"),
        (Told(401, b'{"kind":"token","message":"A token, please."}'), "A token, please. Give the token in AIM_TOKEN"),
    ],
)
def test_a_refusal_says_what_the_server_said(told: Told, says: str) -> None:
    """
    The message of the server is in the error; what is no Aim server is called so, and a redirect is not followed.
    """
    with peer(lambda asked: told) as server:
        connection = connected(server.address)
        with pytest.raises(ServerRefused) as caught:
            connection.ask("GET", "/")
        connection.close()

    assert f"{server.address}: {says}" in str(caught.value)
    assert told.status == caught.value.status
    assert 1 == len(server.asked)


def test_nobody_at_the_address_is_said_so() -> None:
    """
    A port on which nobody listens, and a name that nobody has, are `ServerUnreachable`, a ConnectionError.
    """
    with peer(lambda asked: Told()) as server:
        address = server.address
    for unreachable in (address, "aim://no-such-host.invalid/demo"):
        with pytest.raises(ConnectionError, match="no Aim server answers") as caught:
            ServerConnection(server_address(unreachable), connect_s=60.0).info()
        assert isinstance(caught.value, ServerUnreachable)


def test_the_project_is_the_only_one_when_the_address_names_none() -> None:
    """
    The server is asked once for its repositories; with several, the error lists the addresses.
    """
    repos = [["vision"], [], ["nlp", "vision"]]
    with peer(lambda asked: Told(body=json.dumps({"repos": [{"id": name} for name in repos[0]]}).encode())) as server:
        address = server.address.replace("/demo", "")
        named = connected(address)
        assert ["/api/repos/vision/ship"] * 2 == [named.path("ship"), named.path("ship")]
        assert 1 == len(server.asked)
        repos.pop(0)
        empty = connected(address)
        assert "/api/repos/default/ship" == empty.path("ship")
        repos.pop(0)
        several = connected(address)
        with pytest.raises(UsageError, match=f"{address}/nlp, {address}/vision"):
            several.path("ship")
        for connection in (named, empty, several):
            connection.close()


# tokens


def authorizations(address: str, server_asked: list[Asked]) -> str | None:
    """Ask once, and return the header that carried the token."""
    connection = connected(address)
    connection.ask("GET", "/")
    connection.close()
    return server_asked[-1].headers.get("Authorization")


def test_the_token_of_the_environment_comes_before_the_kept_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `AIM_TOKEN` is sent to loopback over plain HTTP; without it the kept token of the project, then of the server.
    """
    with peer(lambda asked: Told()) as server:
        project = server_address(server.address)
        host = project._replace(project=None)
        assert authorizations(server.address, server.asked) is None
        keep_token(host, "of-the-server")
        assert "Bearer of-the-server" == authorizations(server.address, server.asked)
        keep_token(project, "of-the-project")
        assert "Bearer of-the-project" == authorizations(server.address, server.asked)
        monkeypatch.setenv("AIM_TOKEN", TOKEN)
        assert f"Bearer {TOKEN}" == authorizations(server.address, server.asked)
        monkeypatch.delenv("AIM_TOKEN")
        assert (True, False) == (forget_token(project), forget_token(project))
        assert "Bearer of-the-server" == authorizations(server.address, server.asked)


@pytest.mark.skipif(os.name != "posix", reason="Only POSIX has modes of files.")
def test_kept_tokens_are_for_their_owner_only(tmp_path: Path) -> None:
    """
    The file of tokens has mode 0600; when others may read it, it is not used, and the error says how to mend it.
    """
    address = server_address("aim://host/vision")
    path = keep_token(address, TOKEN)
    assert (0o600, TOKEN) == (path.stat().st_mode & 0o777, token_for(address))
    path.chmod(0o640)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        token_for(address)
    path.chmod(0o600)
    path.write_text("[]")
    with pytest.raises(UsageError, match="holds no tokens"):
        token_for(address)


def test_a_token_is_sent_in_the_clear_to_private_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What counts is the address of the other end. `AIM_ALLOW_PLAIN=1` sends the token all the same.
    """
    with peer(lambda asked: Told()) as server:
        monkeypatch.setattr(module, "is_private", lambda _: False)
        assert authorizations(server.address, server.asked) is None  # without a token nothing is refused
        monkeypatch.setenv("AIM_TOKEN", TOKEN)
        server.asked.clear()
        with pytest.raises(InsecureAddress, match="Use https://") as caught:
            authorizations(server.address, server.asked)
        assert TOKEN not in str(caught.value)
        assert [] == server.asked
        monkeypatch.setenv("AIM_ALLOW_PLAIN", "1")
        assert f"Bearer {TOKEN}" == authorizations(server.address, server.asked)


def test_a_token_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Not even when the server repeats it, and not when it is no token.
    """
    monkeypatch.setenv("AIM_TOKEN", TOKEN)
    with peer(lambda asked: Told(401, json.dumps({"kind": "token", "message": f"{TOKEN} is old."}).encode())) as server:
        connection = connected(server.address)
        with pytest.raises(ServerRefused) as refused:
            connection.ask("GET", "/")
        connection.close()
        monkeypatch.setenv("AIM_TOKEN", "two\nlines")
        with pytest.raises(UsageError) as wrong:
            connected(server.address).ask("GET", "/")

    assert TOKEN not in str(refused.value)
    assert "lines" not in str(wrong.value)


# TLS


@pytest.fixture(name="certificate")
def _certificate(tmp_path: Path) -> Path:
    """
    A certificate for 127.0.0.1 that no authority has signed, with its key.
    """
    path = tmp_path / "certificate.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {path} -out {path}.crt -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 && cat {path}.crt >> {path}",
        shell=True,
        check=True,
        capture_output=True,
    )
    return path


def test_a_certificate_of_the_house_is_trusted_by_its_file(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    HTTPS asks for a certificate that is trusted; `AIM_CA_FILE` names that of the house.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with peer(lambda asked: Told()) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        address = server.address.replace("http:", "https:")
        with pytest.raises(ServerUnreachable, match="certificate of the server is not trusted.*AIM_CA_FILE"):
            connected(address).ask("GET", "/")
        monkeypatch.setenv("AIM_CA_FILE", str(certificate) + ".crt")
        connection = connected(address)
        assert [b"{}"] * 2 == [connection.ask("GET", "/").body for _ in range(2)]
        connection.close()
    monkeypatch.setenv("AIM_CA_FILE", str(certificate.parent / "none.pem"))
    with pytest.raises(UsageError, match="no certificates can be read"):
        connected(address).ask("GET", "/")
