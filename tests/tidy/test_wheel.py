"""
What `pip install aim` brings: the package, its types, its licence, its command; nothing else.
"""

from __future__ import annotations

import email
import os
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import aim
from tests.tidy.tree import ROOT, sources


@pytest.fixture(scope="module", name="wheel")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The wheel of this checkout, with the pages that are built already, if any.
    """
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        env={**os.environ, "SKIP_UI_BUILD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == built.returncode, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def metadata(wheel: Path) -> Message:
    """Return the wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """
    Every module of src is in the wheel, with the mark that it is typed and the built pages; no test, no script.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {source.path.removeprefix("src/") for source in sources("src")}
    static = ROOT / "src/aim/server/static"
    pages = {path.relative_to(ROOT / "src").as_posix() for path in static.rglob("*") if path.is_file()}

    assert modules | {"aim/py.typed"} | pages == names


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """
    Name, version, licence and oldest Python are those of the project; pure Python, for every machine.
    """
    found = metadata(wheel)

    assert ("aim", aim.__version__) == (found["Name"], found["Version"])
    assert ("Apache-2.0", ">=3.10") == (found["License-Expression"], found["Requires-Python"])
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_command_is_there() -> None:
    """
    The installed program `aim` answers with the version.
    """
    program = Path(sys.executable).with_name("aim")
    answered = subprocess.run([str(program), "version"], capture_output=True, text=True, check=False)

    assert 0 == answered.returncode, answered.stderr
    assert aim.__version__ in answered.stdout
