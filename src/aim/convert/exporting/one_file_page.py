"""
Runs as one HTML file: the pages of `aim up`, read-only, for a browser without a network or a server.

    <meta Content-Security-Policy>     nothing may be fetched; only the script and style of this file run, by their hash
    <script type=octet-stream id=…>    the blocks of the archive (page_archive.py), in base64
    <style>, <script>                  the pages, built as one script whose requests read the archive
    <script>                           what draws 3D objects, before it, where the archive has the files of some

Specified in docs/formats/page.md. Names and texts of runs are in base64 only, so none of them is ever markup.
"""

from __future__ import annotations

import base64
import hashlib
import html
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import aim.server
from aim.convert.exporting.page_archive import collect, encoded
from aim.convert.exporting.page_choice import FULL, PageChoice
from aim.convert.exporting.page_curves import EXACT_POINTS_MAX
from aim.convert.exporting.wire_client import WireClient
from aim.core.errors import AimError

if TYPE_CHECKING:
    from aim.convert.exporting.export_report import ExportReport
    from aim.convert.exporting.exported_run import ExportedRuns

OBJECTS_3D = "objects3d"
BUNDLE = Path(aim.server.__file__).parent / "static" / "page"


class PagesNotBuilt(AimError):
    """The script of the page is not there: this is a checkout whose pages were not built."""


def write_page(runs: ExportedRuns, path: Path, report: ExportReport, choice: PageChoice | None = None) -> None:
    """Write *runs* to the file *path*."""
    choice = choice or PageChoice()
    scripts, style = [bundle_text(BUNDLE / "page.js")], bundle_text(BUNDLE / "page.css")
    with WireClient(Path(runs.door.address)) as client:
        archive = collect(client, runs, choice, report)
    if choice.media == FULL and archive.answers["objects"].get(OBJECTS_3D):
        scripts.insert(0, bundle_text(BUNDLE / "solid.js"))
    head = _head(scripts, style, choice, report.runs)
    tail = "".join(f"<script>{script}</script>\n" for script in scripts) + "</body></html>\n"
    room_bytes = choice.max_bytes - len(head.encode()) - len(tail.encode()) - 100 * (len(archive.media) + 2)
    blocks = encoded(archive, choice, room_bytes, report)
    if not choice.is_whole and report.points > EXACT_POINTS_MAX:
        report.note("Values are float32, as pages draw them, and times in milliseconds; --full has all digits.")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head)
        for name, block in blocks.items():
            file.write(f'<script type="application/octet-stream" id="{name}">{block}</script>\n')
        file.write(tail)


def bundle_text(path: Path) -> str:
    """Return a built script or style, so that it can stand in a document. Raises PagesNotBuilt."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PagesNotBuilt(f"{path} is missing: build the pages with `make ui`.") from None
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--") if path.suffix == ".js" else text


def _head(scripts: Sequence[str], style: str, choice: PageChoice, run_count: int) -> str:
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src '{_hash(style)}'; "
        "img-src data: blob:; font-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    day = time.strftime("%Y-%m-%d")
    title = html.escape(f"{choice.query[:80] or 'Runs'} · {run_count:,} runs · {day}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="generator" content="Aim"><meta name="date" content="{day}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n"
        '<body><div id="app"></div>\n<noscript>This page of Aim needs JavaScript.</noscript>\n'
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
