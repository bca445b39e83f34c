"""
A real Firefox without a window, told what to do through its own remote protocol, Marionette: a socket and JSON.

    size ":" JSON      [0, number, command, arguments]  ->  [1, number, error or null, result]

The browsers of Playwright are builds of its own; this is the Firefox that people have.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.ports import own_port

NAMES = ("firefox-esr", "firefox")
START_S_MAX = 180.0
ANSWER_S_MAX = 120.0
LOOK_S = 0.2
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.proxy.http": "127.0.0.1",  # nothing listens there: the browser has no network
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.type": 1,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def firefox_path() -> str | None:
    """Return the Firefox of this machine, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Firefox:
    """A browser whose socket is open."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""
        self._number = 0
        self._received()  # the greeting
        self.tell("WebDriver:NewSession", {})

    def tell(self, command: str, arguments: dict[str, Any]) -> Any:
        """Return the result of a command of Marionette."""
        self._number += 1
        content = json.dumps([0, self._number, command, arguments]).encode()
        self._connection.sendall(b"%d:%s" % (len(content), content))
        _, _, error, result = self._received()
        assert error is None, error
        return result

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        return self.tell("WebDriver:ExecuteScript", {"script": f"return {expression}", "args": []})["value"]

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true."""
        end_s = time.monotonic() + ANSWER_S_MAX
        while not self.evaluate(expression):
            assert time.monotonic() < end_s, expression
            time.sleep(LOOK_S)

    def _received(self) -> Any:
        while b":" not in self._rest:
            self._rest += self._more()
        size, _, self._rest = self._rest.partition(b":")
        while len(self._rest) < int(size):
            self._rest += self._more()
        content, self._rest = self._rest[: int(size)], self._rest[int(size) :]
        return json.loads(content)

    def _more(self) -> bytes:
        content = self._connection.recv(1 << 16)
        assert content, "Firefox has ended"
        return content


@contextmanager
def firefox(path: str, profile: Path) -> Iterator[Firefox]:
    """Start Firefox with a profile of its own, and end it."""
    profile.mkdir(parents=True)
    port = own_port()
    preferences = {**PREFERENCES, "marionette.port": port}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    words = [path, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with connected(port, process) as connection:
            browser = Firefox(connection)
            yield browser
            with suppress(AssertionError, OSError):
                browser.tell("Marionette:Quit", {"flags": ["eForceQuit"]})
    finally:
        process.terminate()
        process.wait()


@contextmanager
def connected(port: int, process: subprocess.Popen[bytes]) -> Iterator[socket.socket]:
    """Wait until a port is open, and connect to it."""
    end_s = time.monotonic() + START_S_MAX
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), ANSWER_S_MAX)
            break
        except ConnectionRefusedError:
            assert process.poll() is None, "Firefox has ended"
            assert time.monotonic() < end_s, "Firefox does not begin"
            time.sleep(LOOK_S)
    with connection:
        yield connection
