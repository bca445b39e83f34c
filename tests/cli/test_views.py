"""
The views of the terminal as a terminal shows them: in tmux, of 80 x 24 and 200 x 50 characters.

What they show is kept in tests/cli/captures. With WRITE_CAPTURES=1 the files are written anew, to be looked at.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aim import Run
from aim.sdk.objects.log_line import LogLine

SOURCE = Path(__file__).parents[2] / "src"
CAPTURES = Path(__file__).parent / "captures"
DEADLINE_S = 120.0
SIZES = ((80, 24), (200, 50))
PROMPT = "READY>"
TRAINING = "77aa0123456789abcdef0123"
ONCE = {
    "ls": "ls --limit 12",
    "plot": "plot val/loss -g hparams.lr --log",
    "diff": "diff lr-0.1-0 lr-0.001-1",
    "best": "best --by val/acc --limit 3 --columns hparams.lr",
    "logs": "logs training -n 5",
    "top": "top --once",
}
"""The words of each view that ends by itself."""
pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="optional: tmux is not installed")


def opened(folder: Path, run_hash: str) -> Run:
    """Return a run of the experiment `sweep` that records."""
    return Run(
        run_hash,
        repo=folder,
        experiment="sweep",
        create=True,
        system_tracking_interval=None,
        capture_terminal_logs=False,
    )


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """
    A sweep of six ended runs, made by formulas with hashes of their own, and a training that goes on.
    """
    folder = tmp_path_factory.mktemp("views")
    random = np.random.default_rng(7)
    for number, rate in enumerate((0.1, 0.01, 0.001)):
        for seed in (0, 1):
            with opened(folder, f"{number}{seed}0123456789abcdef012345") as run:
                run.name = f"lr-{rate:g}-{seed}"
                run["hparams"] = {"lr": rate, "seed": seed, "model": "small"}
                for step in range(0, 400, 4):
                    left = math.exp(-step * (0.02 + 0.3 * rate) / 2)
                    noise = 0.02 * float(random.normal())
                    run.track(2.3 * left + 0.2 + noise * left, name="loss", step=step, context={"subset": "val"})
                    run.track(0.9 * (1 - left) + noise, name="acc", step=step, context={"subset": "val"})
    with opened(folder, TRAINING) as run:
        run.name = "training"
        run["hparams"] = {"lr": 0.3, "seed": 0, "model": "small"}
        for step in range(60):
            run.track(2.3 * math.exp(-step / 20) + 0.2, name="loss", step=step, context={"subset": "val"})
            run.track(
                LogLine(f"epoch {step}: the loss is {2.3 * math.exp(-step / 20) + 0.2:.4f}"), name="logs", step=step
            )
        run.track(87.5, name="__system__gpu", context={"gpu": 0})
        run.track(412.0, name="__system__cpu")
        yield folder


class Terminal:
    """A terminal of tmux with a shell in *folder*."""

    def __init__(self, folder: Path, columns: int, lines: int) -> None:
        self._count = 0
        self._socket = str(folder / f"tmux-{columns}")
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
            "PYTHONPATH": str(SOURCE),
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        }
        size = ("-x", str(columns), "-y", str(lines))
        start = ["tmux", "-u", "-f", "/dev/null", "-S", self._socket, "new-session", "-d", *size, "sh"]
        subprocess.run(start, cwd=folder, env=environment, check=True)
        self.type(f"PS1='{PROMPT[:3]}''{PROMPT[3:]}'\n")

    def _tmux(self, *words: str) -> str:
        call = ["tmux", "-u", "-S", self._socket, *words]
        return subprocess.run(call, capture_output=True, text=True, check=True, encoding="utf-8").stdout

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def run(self, words: str) -> str:
        """Run a command of `aim` on a cleared terminal, and return what is on it at the end."""
        self._count += 1
        end = f"END {self._count}."
        self.type(f"clear; {sys.executable} -m aim {words}; echo EN''D {self._count}.\n")
        return self.wait(lambda text: end in text).partition(end)[0]

    def wait(self, is_there: object) -> str:
        """Return what is on the terminal once *is_there* says so of it."""
        assert callable(is_there)
        end_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < end_s:
            text = self._tmux("capture-pane", "-p")
            if is_there(text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"It did not come:\n{text}")

    def close(self) -> None:
        """End the terminal."""
        self._tmux("kill-server")


@pytest.fixture(name="terminal", scope="module", params=SIZES, ids=["80x24", "200x50"])
def _terminal(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Terminal, str]]:
    """A terminal, and its size as the names of files have it."""
    columns, lines = request.param
    terminal = Terminal(folder, columns, lines)
    terminal.wait(lambda text: text.rstrip().endswith(PROMPT))
    yield terminal, f"{columns}x{lines}"
    terminal.close()


def masked(text: str) -> str:
    """Return what a terminal showed without what differs from one call to the next: lengths of time and speeds."""
    text = re.sub(r"\d\d:\d\d:\d\d", "hh:mm:ss", text)
    text = re.sub(r"\b[\d.]+(e\+\d+)?/s", "#/s", text)
    text = re.sub(r"\b(\d+s|\d+m\d\ds|\d+h\d\dm) *", "# ", text)
    text = re.sub(r"duration_s +[\d.]+ +[\d.]+", "duration_s #", text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


@pytest.mark.parametrize("view", sorted(ONCE))
def test_a_view_shows_what_it_showed(terminal: tuple[Terminal, str], view: str) -> None:
    """
    On a small and on a large terminal each view is what is kept, and no line was broken.
    """
    shell, size = terminal

    shown = masked(shell.run(ONCE[view]))

    path = CAPTURES / f"{view}-{size}.txt"
    if os.environ.get("WRITE_CAPTURES"):
        path.write_text(shown, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shown


@pytest.mark.parametrize(
    ("words", "sign"), [("top", "1 run records now."), ("ls -f", "7 runs."), ("plot loss -f", "7 curves")]
)
def test_a_view_that_follows_ends_by_a_key(terminal: tuple[Terminal, str], words: str, sign: str) -> None:
    """
    It is drawn on a screen of its own; after `q` the shell is back, with what was there before.
    """
    shell, _ = terminal
    shell.type("clear\n")
    shell.wait(lambda text: text.strip() == PROMPT.strip())
    shell.type(f"echo BEFORE; {sys.executable} -m aim {words}\n")
    shell.wait(lambda text: sign in text and "BEFORE" not in text)
    shell.type("q")

    back = shell.wait(lambda text: "BEFORE" in text and text.rstrip().endswith(PROMPT))

    assert sign not in back


def test_a_key_that_was_typed_ahead_counts(terminal: tuple[Terminal, str]) -> None:
    """
    A view that is ended before it is on the screen ends at once.
    """
    shell, _ = terminal

    shell.type(f"clear; {sys.executable} -m aim top; echo EN''DED\nq")

    shell.wait(lambda text: "ENDED" in text)


def test_logs_follow_a_run(folder: Path, terminal: tuple[Terminal, str]) -> None:
    """
    A line that is printed later comes by itself, until Ctrl-C.
    """
    shell, size = terminal
    line = f"a late line of {size}"
    shell.type(f"clear; {sys.executable} -m aim logs training -f -n 1\n")
    shell.wait(lambda text: "epoch" in text or "late" in text)
    with Run(
        "77aa0123456789abcdef0123", repo=folder, system_tracking_interval=None, capture_terminal_logs=False
    ) as run:
        run.track(LogLine(line), name="logs", step=1000 + len(size))

    shell.wait(lambda text: line in text)

    shell.type("\x03")
    shell.wait(lambda text: text.rstrip().endswith(PROMPT))
