"""
The steps of deploy/Dockerfile, taken without an engine for containers: in a Debian that `scripts/find-image-root` made.

Each stage is a folder of changes laid over that Debian (overlayfs); a step runs in it by `chroot`, in a namespace for
mounts of its own, so that nothing stays mounted. Needs Linux, and root. Only the instructions that our Dockerfile has
are known; an unknown one fails.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

STEP_S_MAX = 500
PASSED_ON = re.compile(r"(PIP|SSL|REQUESTS|CURL|HTTP|HTTPS|NO|NODE|NPM)_\w+", re.IGNORECASE)
"""How this machine reaches an index of packages, which an engine would be configured for."""
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
ENTER = """
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/changes,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --rbind /dev "$2/root/dev"
shift 2
exec "$@"
"""


def image_root() -> Path:
    """Return the folder of the Debian; it may not be there."""
    return Path(os.environ.get("AIM_IMAGE_ROOT") or "/var/cache/aim/image-root")


def is_sent(path: str, patterns: list[str]) -> bool:
    """
    Return whether a file of the checkout is sent to an engine by the lines of .dockerignore: the last that fits counts.

    >>> patterns = ["*", "!src", "!ui", "ui/node_modules", "**/__pycache__"]
    >>> [is_sent(path, patterns) for path in ("src/a.py", "test", "src/__pycache__/a.pyc", "ui/node_modules/x/y.js")]
    [True, False, False, False]
    """
    parents = ["/".join(path.split("/")[: count + 1]) for count in range(path.count("/") + 1)]
    sent = True
    for pattern in patterns:
        form = pattern.removeprefix("!").replace("**/", "*")
        if any(fnmatchcase(parent, form) for parent in parents):
            sent = pattern.startswith("!")
    return sent


@dataclass
class Stage:
    """
    One stage of the Dockerfile, and what it says of processes in it.

    Attributes:
        folder: where its changes are.
        settings: the arguments of instructions that say how it is run, such as `CMD`.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = "root"
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("changes", "work", "root"):
            (self.folder / name).mkdir(parents=True)

    def path(self, name: str) -> Path:
        """Return where the changes of the stage hold a file or folder of it."""
        return self.folder / "changes" / name.lstrip("/")

    def words(self, command: list[str], user: str = "") -> list[str]:
        """Return the command that runs *command* in the stage; its process is that of the last."""
        inner = ["chroot", *([f"--userspec={user}"] if user else []), str(self.folder / "root")]
        pairs = [f"{name}={text}" for name, text in {**self.base_environment(), **self.environment}.items()]
        inside = [*inner, "env", "-i", *pairs, "sh", "-c", f'cd {shlex.quote(self.directory)} && exec "$@"', "sh"]
        return ["unshare", "--mount", "sh", "-ec", ENTER, "sh", str(image_root()), str(self.folder), *inside, *command]

    def base_environment(self) -> dict[str, str]:
        """Return the environment that the base of the image has, and what a network of this machine needs."""
        passed = {name: text for name, text in os.environ.items() if PASSED_ON.fullmatch(name)}
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", **passed}

    def run(self, command: list[str], user: str = "") -> str:
        """Run *command* in the stage, and return what it printed; AssertionError: it failed."""
        done = subprocess.run(
            self.words(command, user), capture_output=True, text=True, timeout=STEP_S_MAX, check=False
        )
        assert 0 == done.returncode, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


class Build:
    """
    Builds an image from a checkout.

    Attributes:
        stages: by name; the last one, without a name, is the image.
    """

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout = checkout
        self.folder = folder
        self.stages: dict[str, Stage] = {}
        self._stage: Stage | None = None
        self._steps = {
            "FROM": self._from,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "RUN": self._run,
            "ENV": self._env,
            "USER": self._user,
        }

    @property
    def stage(self) -> Stage:
        """The stage that is built."""
        assert self._stage is not None, "a Dockerfile begins with FROM"
        return self._stage

    def build(self, dockerfile: Path) -> Stage:
        """Take the steps of a Dockerfile, and return its last stage."""
        for line in dockerfile.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            instruction, _, arguments = line.partition(" ")
            if instruction in self._steps:
                self._steps[instruction](arguments)
            else:
                assert instruction in {"VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}, line
                self.stage.settings[instruction] = arguments
        return self.stage

    def _from(self, arguments: str) -> None:
        base, _, name = arguments.partition(" AS ")
        assert re.fullmatch(r"python:3\.\d+-slim", base), "only Python's image is played by the Debian"
        self._stage = self.stages[name] = Stage(self.folder / (name or "image"))
        for text in {
            *filter(None, map(os.environ.get, ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"))),
            "/etc/resolv.conf",
        }:
            if Path(text).is_file():
                self.stage.path(text).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(text, self.stage.path(text))

    def _workdir(self, arguments: str) -> None:
        self.stage.directory = arguments
        self.stage.path(arguments).mkdir(parents=True, exist_ok=True)

    def _copy(self, arguments: str) -> None:
        *options, source, target = arguments.split()
        if options:
            origin = self.stages[options[0].removeprefix("--from=")]
            shutil.copytree(origin.path(source), self.stage.path(target))
            return
        assert (".", ".") == (source, target)
        patterns = [
            line for line in (self.checkout / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
        ]
        for top in sorted(self.checkout.iterdir()):
            if is_sent(top.name, patterns):
                for path in sorted([top, *top.rglob("*")] if top.is_dir() else [top]):
                    name = path.relative_to(self.checkout).as_posix()
                    if path.is_file() and is_sent(name, patterns):
                        made = self.stage.path(f"{self.stage.directory}/{name}")
                        made.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copyfile(path, made)

    def _run(self, arguments: str) -> None:
        self.stage.run(["sh", "-c", arguments])

    def _env(self, arguments: str) -> None:
        for pair in shlex.split(arguments):
            name, _, text = pair.partition("=")
            self.stage.environment[name] = text

    def _user(self, arguments: str) -> None:
        self.stage.user = arguments


def listed(text: str) -> list[str]:
    """Return the words of an instruction that has them as JSON."""
    words: list[str] = json.loads(text)
    return words
