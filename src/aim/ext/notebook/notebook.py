"""
Magics for notebooks.

    %load_ext aim
    %aim up                                    the pages of the nearest repository, below the cell
    %aim up --repo=~/mnist --port=43802        another one
    %aim version

`%aim up` starts `aim up` as a process of its own, waits until it answers, and shows its pages in a frame. The process
ends with the notebook's kernel. A second `%aim up` with the same port uses the same server. Behind a proxy such as
jupyter-server-proxy, give `--proxy-url=https://hub.example.org/user/ada`. On Colab, Colab's own proxy is used. With
`--host=0.0.0.0` other machines can reach the server, so it asks for a token, which the frame has.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from aim.__about__ import VERSION
from aim.core.errors import AimError, UsageError
from aim.server.settings import is_loopback

PORT_DEFAULT = 43_801
HOST_DEFAULT = "127.0.0.1"
BASE_PATH = "/notebook"
FRAME_HEIGHT_PX = 800
START_S = 30.0
ASK_S = 0.1
OPTIONS = ("port", "host", "repo", "proxy-url")

TOKEN_VARIABLE = "AIM_UI_TOKEN"

_servers: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
_tokens: dict[tuple[str, int], str] = {}


class NotServing(AimError):
    """`aim up` does not answer."""


def load_ipython_extension(ipython: Any) -> None:
    """Add the magic `%aim`; IPython calls this for `%load_ext aim`."""
    ipython.register_magic_function(aim, magic_kind="line")


def aim(line: str) -> object:
    """
    Run the magic `%aim` with the arguments in *line*.

    Raises:
        UsageError: the command is neither `up` nor `version`, or there is another option than those above.
        NotServing: the server does not answer.

    >>> aim("version")
    'Aim v4...'
    """
    command, *words = shlex.split(line) or [""]
    if command == "version":
        return f"Aim v{VERSION}"
    if command != "up":
        raise UsageError(f"%aim {command}: there are `%aim up` and `%aim version`.")
    options = parse(words)
    host, port = options.get("host", HOST_DEFAULT), int(options.get("port", PORT_DEFAULT))
    path = base_path(port, options.get("proxy-url"))
    up(host, port, options.get("repo"), path)
    return frame(host, port, path, options.get("proxy-url"))


def parse(words: list[str]) -> dict[str, str]:
    """
    Return the options of a line, all of the form `--key=value`.

    >>> parse(["--port=43802", "--repo=."])
    {'port': '43802', 'repo': '.'}
    """
    options = {}
    for word in words:
        key, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals or key not in OPTIONS or (key == "port" and not value.isdecimal()):
            options_text = ", ".join(f"--{name}=..." for name in OPTIONS)
            raise UsageError(f"%aim up does not understand {word!r}. The options are: {options_text}.")
        options[key] = value
    return options


def base_path(port: int, proxy_url: str | None) -> str:
    """
    Return the path below which the pages are served.

    >>> base_path(43801, None), base_path(43801, "https://hub")
    ('/notebook', '/proxy/absolute/43801/aim-sage')
    """
    return f"/proxy/absolute/{port}/aim-sage" if proxy_url else BASE_PATH


def up(host: str, port: int, repo: str | None, path: str) -> None:
    """
    Start a server on *port*, below *path*, unless one answers there already.

    Raises:
        NotServing: the server ended, or did not answer for 30 s.
    """
    address = f"http://{host}:{port}{path}/api/info"
    token = _tokens.setdefault((host, port), token_for(host))
    if answers(address, token):
        return
    command = [sys.executable, "-m", "aim.cli", "up", "--host", host, "--port", str(port), "--base-path", path]
    command += ["--yes", "--no-open", *(["--repo", os.path.expanduser(repo)] if repo else [])]
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, TOKEN_VARIABLE: token},
    )
    _servers[(host, port)] = server
    atexit.register(stop, host, port)
    until_s = time.monotonic() + START_S
    while not answers(address, token):
        if server.poll() is not None:
            assert server.stderr is not None
            output = server.stderr.read().decode(errors="replace").strip()
            raise NotServing(f"`aim up` ended: {output or 'it printed nothing'}")
        if time.monotonic() > until_s:
            stop(host, port)
            raise NotServing(f"`aim up` does not answer at {address}.")
        time.sleep(ASK_S)


def stop(host: str, port: int) -> None:
    """End the server that `up` started on *port*, if there is one."""
    server = _servers.pop((host, port), None)
    if server is not None:
        server.terminate()
        server.wait()
        if server.stderr is not None:
            server.stderr.close()


def token_for(host: str) -> str:
    """
    Return the token that a server on *host* asks for: that of the environment, or a new one if other machines can reach
    it; empty for none.

    >>> token_for("127.0.0.1"), len(token_for("0.0.0.0"))
    ('', 32)
    """
    return os.environ.get(TOKEN_VARIABLE) or ("" if is_loopback(host) else secrets.token_urlsafe(24))


def answers(address: str, token: str = "") -> bool:
    """Return whether a server answers at *address*, with that token."""
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def frame(host: str, port: int, path: str, proxy_url: str | None) -> object:
    """Return an element that shows the pages in the notebook."""
    token = _tokens.get((host, port), "")
    page = f"{path}/?token={token}" if token else f"{path}/"
    if "google.colab" in sys.modules:
        colab: Any = sys.modules["google.colab"]
        return colab.output.serve_kernel_port_as_iframe(port, path=page, height=str(FRAME_HEIGHT_PX))
    from IPython.display import IFrame

    start = proxy_url.rstrip("/") if proxy_url else f"http://{host}:{port}"
    return IFrame(f"{start}{page}", width="100%", height=FRAME_HEIGHT_PX)
