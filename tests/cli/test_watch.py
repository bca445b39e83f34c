"""
`aim watch` as a process, with a real kill between two starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from aim import Run

SOURCE = Path(__file__).parents[2] / "src"
DEADLINE_S = 120.0


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a command of `aim` with a home folder of its own."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(folder)}
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        environment.pop(name, None)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "aim", *words], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def ended(folder: Path, *words: str) -> str:
    """Run a command to its end, and return what it prints on standard output."""
    with started(folder, *words) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
    assert 0 == process.returncode, err
    return out


def test_a_watcher_that_is_killed_delivers_each_alert_once(tmp_path: Path) -> None:
    """
    What was delivered before the kill is not delivered again, and what comes after it is.
    """
    box = tmp_path / "box.jsonl"
    script = f"import sys; open({str(box)!r}, 'a').write(sys.stdin.read())"
    with Run("r", repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(0.5, name="loss")
        ended(tmp_path, "alert", "channel", "add", "own", "--command", f'{sys.executable} -c "{script}"')
        ended(tmp_path, "alert", "add", "metric.name == 'loss' and metric.last > 10", "--title", "large")
        run.track(20.0, name="loss")
        with started(tmp_path, "watch", "--every", "0.2") as process:
            wait_for(lambda: "delivered" in ended(tmp_path, "alert", "log", "--json"))
            process.kill()
        run.alert("second")
        ended(tmp_path, "watch", "--once")
        ended(tmp_path, "watch", "--once")
    messages = [json.loads(line) for line in box.read_text().splitlines()]
    log = [json.loads(line) for line in ended(tmp_path, "alert", "log", "--json").splitlines()]

    assert [["[warning] large: "], ["[warning] second: "]] == [
        [line.partition("Run")[0] for line in message["lines"]] for message in messages
    ]
    assert ["delivered"] * len(log) == [message["state"] for message in log]


def wait_for(condition: object) -> None:
    """Wait until *condition* is true."""
    assert callable(condition)
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.05)
