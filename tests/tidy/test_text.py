"""
What stands in the files of the repository: nothing of one machine, nothing too large to review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.tidy.tree import ROOT, tracked_files

# Written in parts, or this file would be its own finding.
MACHINE_PATHS = re.compile(
    r"(?<![\w.~}])/(?:work|ro" r"ot|ho" r"me|Us" r"ers|opt/ai" r"m3)/(?!ada\b)[\w.]"
)  # Ada is the user of the examples
REGISTRY_HOSTS = re.compile(
    r"https?://[\w.-]*(?:py"
    r"pi\.org|pythonho"
    r"sted\.org|npm"
    r"js\.org|yarn"
    r"pkg\.com|artif"
    r"actory|nexus)[\w.-]*/(?!project/)"
)
SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:ghp|gho|github_pat)_\w{20,}|\bAKIA[0-9A-Z]{16}\b")
FILE_BYTES_MAX = 1_000_000
PROSE_COLUMNS_MAX = 120


def lines_of_text() -> list[tuple[str, str]]:
    """Return each line of each text file that git keeps, with its place."""
    found: list[tuple[str, str]] = []
    for name in tracked_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.extend((f"{name}:{number}", line) for number, line in enumerate(text.splitlines(), start=1))
    return found


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    """
    No absolute path of a home or a work folder, no address of a package registry, no secret is in any file.
    """
    pattern = re.compile("|".join(part.pattern for part in (MACHINE_PATHS, REGISTRY_HOSTS, SECRETS)))
    found = [f"{place}: {line.strip()[:100]}" for place, line in lines_of_text() if pattern.search(line)]

    assert [] == found, "\n".join(found)


def test_no_file_is_larger_than_a_megabyte() -> None:
    """
    What is kept in the repository can be read by people and is quick to clone.
    """
    large = {name: size for name in tracked_files() if (size := (ROOT / name).stat().st_size) > FILE_BYTES_MAX}

    assert {} == large


def test_prose_is_wrapped_at_120_columns() -> None:
    """
    Pages can be read in an editor. Tables, blocks of code, comments and what has no space may be wider.
    """
    wide = [
        f"{name}:{number}: {line[:60]}"
        for name in tracked_files()
        if name.endswith(".md")
        for number, line in prose_lines((ROOT / name).read_text(encoding="utf-8"))
        if len(line) > PROSE_COLUMNS_MAX and " " in line.strip()
    ]

    assert [] == wide, "\n".join(wide)


def prose_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page with their numbers, without its tables, blocks of code and comments."""
    is_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and not line.startswith(("|", "<")):
            yield number, line
