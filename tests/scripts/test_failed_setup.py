"""
`./run` in a network whose certificates nobody knows: what failed is told in a line that helps, without a traceback.

The index of packages is a server of this test with a certificate of its own, so pip and npm fail by themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest

from tests.cli.certificate import make_certificate
from tests.tidy.tree import ROOT

PARTS = ("scripts/setup", "scripts/build-ui", "run", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
SETTINGS = ("PIP_", "NPM_CONFIG_", "NODE_EXTRA_CA_CERTS", "SSL_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(scope="module", name="index")
def _index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The address of an index whose certificate nobody knows.
    """
    certificate, key = make_certificate(tmp_path_factory.mktemp("certificate"))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """
    What the set-up reads of a checkout, with sources of pages.
    """
    for name in PARTS:
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    package = tmp_path / "checkout/src/aim"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "src/aim/__about__.py", package)
    pages = tmp_path / "checkout/ui"
    pages.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "ui" / name, pages)
    return tmp_path / "checkout"


def ran(checkout: Path, index: str, *command: str, **settings: str) -> tuple[int, str]:
    """Run a command there with no settings of this machine, and return its exit code and what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(SETTINGS)}
    environment |= {
        "HOME": str(checkout),
        "PYTHON": sys.executable,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{index}/simple",
        "PIP_RETRIES": "0",
        "npm_config_registry": index,
        "npm_config_fetch_retries": "0",
        **settings,
    }
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_certificate_that_pip_does_not_know_is_told(checkout: Path, index: str) -> None:
    """
    `./run` ends, says which variable names the certificate and where pip's own words are, and prints no traceback.
    """
    code, printed = ran(checkout, index, "./run")

    assert 1 == code
    assert "a certificate of its own, which pip does not know: PIP_CERT=/path/to/certificates.pem" in printed
    assert ".venv/.setup.log has all that pip printed" in printed
    assert "Traceback" not in printed
    assert "trying the newest" not in printed
    assert 5 > printed.count("\n"), printed


def test_a_certificate_that_npm_does_not_know_is_told(checkout: Path, index: str) -> None:
    """
    Building the pages ends with npm's own reason, and says which variable names the certificate.
    """
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    subprocess.run([sys.executable, "-m", "venv", str(checkout / ".venv")], check=True)
    code, printed = ran(
        checkout,
        index,
        "scripts/build-ui",
        PIP_NO_BUILD_ISOLATION="false",  # so pip is told to build in the environment that there is
        PYTHONPATH=sysconfig.get_path("purelib"),
    )

    assert 1 == code
    assert "npm error" in printed
    assert "which npm does not know: NODE_EXTRA_CA_CERTS=/path/to/certificates.pem" in printed
    assert "Traceback" not in printed
