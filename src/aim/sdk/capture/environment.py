"""
What a run ran in: packages, code, command line, environment, hardware; the param `__system_params`.

    packages        {name: version} of everything installed
    git_info        {branch, remote_origin_url, commit: {hash, timestamp, author}, is_dirty, diff, ...}; {} outside git
    executable, arguments, working_folder
    env_variables   without secrets, see below
    python          {version, implementation}
    hardware        {host, system, machine, processor, cores, memory_bytes, gpus}

The first four groups have the names of Aim 3. They are collected by a thread, since git may take seconds in a large
tree, and in small pieces (pace.py): a package at a time, 50 us each. Of the metadata of a package only the fields at
its head are read; the standard library's reader goes through all of it, 0.5 ms each, which steps of the training waited
for. Nothing of it needs another package.

**Secrets.** A variable is left out when its name speaks of one, or its value looks like one; in arguments and addresses
they become `***`: see `core.masking`. The diff is the caller's code: what is written there is recorded.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from aim.core import forks
from aim.core.errors import RunClosed
from aim.core.masking import looks_like_secret, masked, masked_arguments, speaks_of_secret
from aim.core.shield import shielded
from aim.sdk.capture.pace import Pace

DIFF_BYTES_MAX = 256 << 10
CHANGED_FILES_MAX = 200
GIT_TIMEOUT_S = 10.0
METADATA_FILES = ("METADATA", "PKG-INFO", "")  # of a wheel, of an egg's folder, of an egg's file

log = logging.getLogger("aim")


def collect(folder: Path | None = None, pace: Pace | None = None) -> dict[str, Any]:
    """
    Return all of it, as params are.

    Args:
        folder: whose git is asked; the current one by default.
        pace: of the work; by default there are no rests.
    """
    return {
        "packages": packages(pace),
        "env_variables": variables(os.environ),
        "git_info": git_info(folder or Path.cwd()),
        "executable": sys.executable or "",
        "arguments": masked_arguments(getattr(sys, "argv", [])),
        "working_folder": str(Path.cwd()),
        "python": {"version": platform.python_version(), "implementation": platform.python_implementation()},
        "hardware": hardware(),
    }


def packages(pace: Pace | None = None) -> dict[str, str]:
    """
    Return the version of each installed package; the first on the path counts, as it does for imports.

    Args:
        pace: rests after each package; by default there are no rests.
    """
    versions: dict[str, str] = {}
    for distribution in metadata.distributions():
        try:
            with forks.whole():
                fields = _head_fields(distribution)
        except (OSError, ValueError):  # half removed, or unreadable
            continue
        if "name" in fields and "version" in fields:
            versions.setdefault(fields["name"], fields["version"])
        if pace is not None:
            pace.rest()
    return dict(sorted(versions.items(), key=lambda item: item[0].lower()))


def _head_fields(distribution: metadata.Distribution) -> dict[str, str]:
    # the fields of the metadata by their names in small letters, without lines that continue one, and without the body
    text = next(filter(None, map(distribution.read_text, METADATA_FILES)), "")
    fields: dict[str, str] = {}
    for line in text.partition("\n\n")[0].splitlines():
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """
    Return the variables that are no secrets.

    >>> variables({"HOME": "/home/ada", "AWS_SECRET_ACCESS_KEY": "x", "PROXY": "http://ada:pw@proxy:80"})
    {'HOME': '/home/ada', 'PROXY': 'http://***@proxy:80'}
    """
    return {
        name: masked(value)
        for name, value in environment.items()
        if not speaks_of_secret(name) and not looks_like_secret(value)
    }


def git_info(folder: Path) -> dict[str, Any]:
    """
    Return branch, origin, commit and what was changed since it; {} outside git, and where git is not installed.

    The diff is cut after 256 KiB, `diff_is_cut` then says so. New files are named and not shown.
    """
    head = _git(folder, "log", "-1", "--format=%H%n%cI%n%an <%ae>")
    if head is None:
        return {}
    commit, moment, author = (head.decode(errors="replace").split("\n") + ["", "", ""])[:3]
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD") or b""
    origin = _git(folder, "config", "--get", "remote.origin.url") or b""
    changed = (_git(folder, "status", "--porcelain") or b"").decode(errors="replace").splitlines()
    diff = _git(folder, "diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color") if changed else b""
    info: dict[str, Any] = {
        "branch": branch.decode(errors="replace").strip(),
        "remote_origin_url": masked(origin.decode(errors="replace").strip()),
        "commit": {"hash": commit, "timestamp": moment, "author": author},
        "is_dirty": bool(changed),
    }
    if changed:
        info["changed_files"] = changed[:CHANGED_FILES_MAX]
        info["diff"] = (diff or b"")[:DIFF_BYTES_MAX].decode(errors="replace")
        info["diff_is_cut"] = len(diff or b"") > DIFF_BYTES_MAX
    return info


def _git(folder: Path, *command: str) -> bytes | None:
    # at most a little over DIFF_BYTES_MAX is read of what it says; None when it fails
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            ["git", *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:  # git is not installed, or the folder is gone
        return None
    timer = threading.Timer(GIT_TIMEOUT_S, process.kill)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdout is not None
        with process.stdout as pipe:
            said = pipe.read(DIFF_BYTES_MAX + 1)
        if len(said) > DIFF_BYTES_MAX:
            process.kill()
            process.wait()
            return said
        return said if process.wait() == 0 else None
    finally:
        timer.cancel()


def hardware() -> dict[str, Any]:
    """Return what the host is."""
    with forks.whole():
        memory_bytes, cores = _memory_and_cores()
        gpus = _gpus()
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": cores or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_bytes": memory_bytes,
        "gpus": gpus,
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    named = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor()


def _memory_and_cores() -> tuple[int, int | None]:
    from aim.sdk.capture import proc_files, psutil_counters

    if proc_files.IS_THERE:
        return proc_files.ProcCounters(os.getpid()).memory().total, proc_files.core_count()
    return psutil_counters.PsutilCounters(os.getpid()).memory().total, psutil_counters.core_count()


def _gpus() -> list[dict[str, Any]]:
    from aim.sdk.capture.gpu_metrics import gpu_gauges

    devices: list[dict[str, Any]] = []
    for gauge in gpu_gauges():
        devices.extend(gauge.devices())
        gauge.close()
    return devices


class EnvironmentRecorder:
    """
    Collects the environment in a thread and records it. It is a `services.Service`.

    Args:
        record: takes what was collected.
        collect: gives it; by default `collect` of this module, at the pace of a training.
    """

    def __init__(
        self, record: Callable[[dict[str, Any]], object], collect: Callable[[], dict[str, Any]] | None = None
    ) -> None:
        self._record = record
        self._pace = Pace()
        self._collect = collect or self._collect_slowly
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to collect."""
        thread = threading.Thread(target=self._run, name="aim-environment", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads: then here
            self._pace.hurry()
            self._run()
        else:
            self._thread = thread

    def _collect_slowly(self) -> dict[str, Any]:
        return collect(pace=self._pace)

    def _run(self) -> None:
        shielded(lambda: self._record(self._collect()), self._report)

    def _report(self, error: Exception) -> None:
        if not isinstance(error, RunClosed):
            log.warning("Aim: the environment can't be recorded (%s: %s).", type(error).__name__, error)

    def record_pending(self, *, wait: bool) -> None:
        """With *wait*: wait until it is recorded."""
        if wait:
            self._join(None)

    def stop(self, deadline_s: float) -> None:
        """Wait until it is recorded, for *deadline_s* at most."""
        self._join(deadline_s)
        if self._thread is not None and self._thread.is_alive():
            log.warning("Aim: the environment was not collected before the end of the run; it is not recorded.")

    def _join(self, timeout_s: float | None) -> None:
        self._pace.hurry()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def forked(self) -> None:
        """In the child of a fork: the thread is the parent's."""
        self._thread = None
