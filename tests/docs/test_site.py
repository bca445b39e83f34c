"""
The documentation as a site: every page is in the navigation, every public name is on a page of the API, and it builds
without a warning.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aim
from aim.sdk import sequence_collection
from tests.tidy.tree import ROOT

DOCS = ROOT / "docs"
SHOWN = re.compile(r"^::: (\S+)$", re.MULTILINE)
MEANT = "nmae,lenght,checkin,mape"
NAMES = "acuracy,abd,bui,caf,lastest,lsat,nam,ot,parms,runn,te,yaer,notin,rouge"
JOINED = r"\b[a-z]+(?:In|Of)\b"  # names of TypeScript
NEXT = re.compile(r"^Next: \[[^]]+\]\(([^)]+)\)$", re.MULTILINE)


@pytest.fixture(name="navigation", scope="module")
def _navigation() -> list[tuple[str, str]]:
    """
    The pages in the order of the navigation, each with the title of its section.
    """
    yaml = pytest.importorskip("yaml")
    configuration = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return list(_pages(configuration["nav"], ""))


def _pages(entries: list[Any], section: str) -> Iterator[tuple[str, str]]:
    for entry in entries:
        for title, value in entry.items() if isinstance(entry, dict) else [("", entry)]:
            if isinstance(value, str):
                yield section, value
            else:
                yield from _pages(value, section or title)


def test_each_page_is_in_the_navigation(navigation: list[tuple[str, str]]) -> None:
    """
    A page of docs/ that nobody can go to is an error, and so is an entry without a page: mkdocs.yml names them all.
    """
    named = [page for _, page in navigation]
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

    assert [] == sorted(written - set(named)), "add these pages to `nav` in mkdocs.yml"
    assert [] == sorted(set(named) - written)
    assert len(set(named)) == len(named)


def test_each_guide_leads_to_the_next(navigation: list[tuple[str, str]]) -> None:
    """
    The guides can be read one after the other: each ends with a link to the next in the navigation.
    """
    guides = [page for section, page in navigation if section == "Guides"]
    following = dict(zip(guides, [*guides[1:], "recipes.md"], strict=True))
    links = {page: NEXT.findall((DOCS / page).read_text(encoding="utf-8")) for page in guides}

    assert following == {
        page: os.path.normpath(os.path.join(os.path.dirname(page), *targets)) for page, targets in links.items()
    }


def test_each_public_name_is_on_a_page_of_the_api() -> None:
    """
    What the package hands on, what its queries return, and the adapters have an entry in docs/api/.
    """
    entries = {name for page in (DOCS / "api").glob("*.md") for name in SHOWN.findall(page.read_text(encoding="utf-8"))}
    public = {f"aim.{name}" for name in aim.__all__ if name[0].isupper()}
    module = ast.parse(Path(str(sequence_collection.__file__)).read_text(encoding="utf-8"))
    returned = {node.name for node in module.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"}
    public |= {f"aim.sdk.sequence_collection.{name}" for name in returned if name != "SequenceCollection"}
    for adapter in (ROOT / "src/aim/sdk/adapters").glob("*.py"):
        short = ROOT / "src/aim" / adapter.name
        if short.exists():
            shown = re.findall(r"import (Aim(?:Callback|JobCallback|Logger))\b", short.read_text(encoding="utf-8"))
            public |= {f"aim.{adapter.stem}.{name}" for name in shown}
    public -= {"aim.distributed_hugging_face.AimCallback"}  # the same as aim.hugging_face.AimCallback

    assert set() == public - entries


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """
    `mkdocs build --strict` ends well: no link, anchor or reference leads nowhere; methods of the API are headings, and
    nothing private is.
    """
    pytest.importorskip("material")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert 0 == built.returncode, built.stdout + built.stderr
    page = (tmp_path / "site" / "api" / "run.html").read_text(encoding="utf-8")
    headings = set(re.findall(r'<h\d id="aim\.Run\.([^"]+)"', page))
    assert {"track", "log", "config", "rewind"} <= headings
    assert [] == sorted(name for name in headings if name.startswith("_"))


@pytest.mark.parametrize(
    ("paths", "meant"),
    [
        (["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md", "docs", "changes"], MEANT),
        (["src", "ui/src", "ui/test", "examples", "scripts", "tests", "bench"], f"{MEANT},{NAMES}"),
    ],
    ids=["pages", "sources"],
)
def test_all_that_is_written_is_spelled_right(paths: list[str], meant: str) -> None:
    """
    codespell knows no word of pages, sources and tests as a typing error; what queries and names show as such is meant.
    """
    pytest.importorskip("codespell_lib")
    left_out = "*.webp,*.json,*/static/*,*/golden/*,*.pyc,*.lock"
    command = [sys.executable, "-m", "codespell_lib", *paths, "--skip", left_out, "--ignore-words-list", meant]
    command += ["--ignore-regex", JOINED]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (checked.returncode, checked.stdout)
