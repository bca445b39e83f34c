"""
Options for S3 in boto3's words.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.artifacts import registry
from aim.storage.artifacts.s3_storage import S3ArtifactStorage_clientconfig, options_of
from aim.storage.artifacts.stores import ObjectStore

Puts = list[tuple[str, str, bytes]]


@pytest.fixture(name="server")
def _server() -> Iterator[tuple[str, Puts]]:
    """
    A server of this machine that takes objects, and what it was sent: path, signature, content.
    """
    puts: Puts = []

    class Taker(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            puts.append((self.path, self.headers.get("Authorization", ""), content))
            self.send_response(200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Taker) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", puts
        httpd.shutdown()


def test_a_store_is_asked_with_the_keys_and_the_endpoint_of_boto3(server: tuple[str, Puts], tmp_path: Path) -> None:
    """
    After `S3ArtifactStorage_clientconfig` an upload goes to that endpoint, signed with that key for that region.
    """
    pytest.importorskip("obstore")
    endpoint, puts = server
    S3ArtifactStorage_clientconfig(
        endpoint_url=endpoint, aws_access_key_id="key-1", aws_secret_access_key="secret", region_name="eu-north-1"
    )
    (tmp_path / "a.bin").write_bytes(b"weights")
    try:
        registry.store_of("s3://models/runs").put(tmp_path / "a.bin", "abc/a.bin")
    finally:
        for scheme in ("s3", "s3a"):
            registry.register(scheme, ObjectStore)

    ((path, signature, content),) = puts
    assert ("/models/runs/abc/a.bin", True) == (path, b"weights" in content)
    assert "Credential=key-1/" in signature
    assert "/eu-north-1/s3/" in signature


def test_what_has_no_meaning_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    Other arguments of a boto3 client are left out, with a warning that names them.
    """
    S3ArtifactStorage_clientconfig(config=object(), use_ssl=False, aws_session_token="t")
    for scheme in ("s3", "s3a"):
        registry.register(scheme, ObjectStore)

    (message,) = caplog.messages
    assert "config, use_ssl of S3ArtifactStorage_clientconfig has no meaning" in message
    assert ({"session_token": "t"}, []) == options_of({"aws_session_token": "t", "verify": True})
    assert ({"client_options": {"allow_invalid_certificates": True}}, []) == options_of({"verify": False})
