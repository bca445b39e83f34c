"""
What a page without a server answers from: the answers of the pages' interface for some runs, and their media.

    one JSON     info, fields, the runs with all their fields, the page of each run, logs, objects, tables, documents
    curves       page_curves.py
    media        by the name of the blob: small pictures, or the files themselves

What does not fit into the room that there is goes out, the largest first, and is named in the archive. Paths of the
machine that wrote it are not in it.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from aim.__about__ import VERSION
from aim.convert.exporting.page_choice import FULL, THUMBS, PageChoice
from aim.convert.exporting.page_curves import CurveColumns
from aim.convert.exporting.wire_client import RefusedAnswer, WireClient
from aim.core import contexts
from aim.core.errors import NotFound, UsageError
from aim.core.words import counted

if TYPE_CHECKING:
    from aim.convert.exporting.export_report import ExportReport
    from aim.convert.exporting.exported_run import ExportedRuns

FORMAT = 1
THUMB_PX = 256
FIELDS_A_REQUEST = 400
LINES_A_REQUEST = 20_000
LINES_MAX = 5_000  # of one log, the last ones, unless all points are asked for
RECORDS_MAX = 5_000
STEPS_A_REQUEST = 1_000
ROWS_MAX = 1_000
BYTES_A_POINT = 8  # about, in the file
BASE64 = 4 / 3
MEDIA_TYPES = {"images": "image", "audios": "audio", "videos": "video"}
LEFT_OUT_SHOWN = 50
REDUCED = "a point between the least and greatest of its part (--full has all)"


class Medium(NamedTuple):
    """The bytes of one object."""

    name: str
    label: str
    content_type: str
    data: bytes


@dataclass
class PageArchive:
    """The parts of an archive before they are written."""

    answers: dict[str, Any]
    curves: CurveColumns
    media: list[Medium] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def collect(client: WireClient, runs: ExportedRuns, choice: PageChoice, report: ExportReport) -> PageArchive:
    """Ask for everything that the pages show of *runs*."""
    curves = CurveColumns(is_whole=choice.is_whole)
    hashes: list[str] = []
    keys: set[tuple[str, str]] = set()
    sequences: dict[str, set[tuple[str, str]]] = {}
    for run in runs:
        for sequence, points in run.curves():
            left_out = curves.add(len(hashes), sequence, points, run.state.created_at_s)
            report.leave_out(REDUCED, left_out)
        sequences[run.run_hash] = {sequence.key for sequence in run.sequences()}
        keys |= sequences[run.run_hash]
        hashes.append(run.run_hash)
    report.runs = len(hashes)
    info = client.info()
    fields = client.post("fields", {"query": "", "runs": hashes})
    fields["sequences"] = [item for item in fields["sequences"] if _key(item) in keys]
    pages = {run_hash: _run_page(client, run_hash, sequences[run_hash]) for run_hash in hashes}
    archive = PageArchive(
        {
            "format": FORMAT,
            "aim": str(VERSION),
            "written_at": time.time(),
            "page": choice.page,
            "query": choice.query,
            "is_whole": not report.left_out[REDUCED],
            "info": _plain_info(info, len(hashes)),
            "fields": fields,
            "runs": _all_columns(client, hashes, fields),
            "pages": pages,
            "logs": {run_hash: _logs(client, page, choice, report) for run_hash, page in pages.items()},
            "records": {run_hash: _records(client, page) for run_hash, page in pages.items()},
            "alerts": _alerts(client, set(hashes)),
            "documents": _annotations(client),
            "objects": {},
            "tables": {},
        },
        curves,
    )
    for kind in info["kinds"][1:]:
        if any(item["kind"] in kind["stored"] for item in fields["sequences"]):
            _add_objects(client, kind["subject"], hashes, sequences, archive, choice, report)
    return archive


def _annotations(client: WireClient) -> list[Any]:
    """Return what people wrote at a step: the documents that the charts show."""
    documents: list[Any] = client.get("documents?kind=annotation")["documents"]
    return documents


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return (item["name"], contexts.text(item["context"]))


def _plain_info(info: Mapping[str, Any], run_count: int) -> dict[str, Any]:
    repo = {**info["repos"][0], "path": "", "runs": run_count, "indexing": None, "read_only": None}
    return {**info, "read_only": True, "token": False, "plotly": False, "repos": [repo]}


def _run_page(client: WireClient, run_hash: str, keys: set[tuple[str, str]]) -> dict[str, Any]:
    page: dict[str, Any] = client.get(f"runs/{run_hash}")
    page["sequences"] = [item for item in page["sequences"] if _key(item) in keys]
    for artifact in page["artifacts"]:
        artifact["here"] = False
        if str(artifact["uri"]).startswith("file:"):
            artifact["uri"] = ""
    return page


def _all_columns(client: WireClient, hashes: list[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer about *hashes* with every field that a page may ask for, and `fields`: which these are."""
    wished: list[Any] = [["run", column["key"]] for column in fields["columns"]]
    wished += [["param", *param["path"]] for param in fields["params"]]
    numeric = [item for item in fields["sequences"] if item["kind"] in ("int", "float", "number")]
    wished += [["metric", item["name"], item["context"], name] for item in numeric for name in fields["summaries"]]
    merged: dict[str, Any] = {}
    for first in range(0, max(len(wished), 1), FIELDS_A_REQUEST):
        body = {"query": "", "fields": wished[first : first + FIELDS_A_REQUEST], "runs": hashes, "limit": 100_000}
        answer = client.post("runs", body)
        merged = {**answer, "columns": [*merged.get("columns", []), *answer["columns"]]}
    return {**merged, "fields": wished}


def _logs(client: WireClient, page: Mapping[str, Any], choice: PageChoice, report: ExportReport) -> dict[str, Any]:
    logs: dict[str, Any] = {}
    for log in page["logs"]:
        total = int(log["lines"])
        first = 0 if choice.is_whole else max(0, total - LINES_MAX)
        report.leave_out(f"a log line before the last {LINES_MAX:,} (--full has all)", first)
        lines: list[str] = []
        while first + len(lines) < total:
            begin = first + len(lines)
            address = f"runs/{page['hash']}/log?log={log['id']}&from={begin}&limit={LINES_A_REQUEST}"
            more = client.get(address)["lines"]
            if not more:
                break
            lines += more
        logs[log["id"]] = {"from": first, "total": total, "lines": lines}
    return logs


def _records(client: WireClient, page: Mapping[str, Any]) -> Any:
    if not page["log_records"]:
        return []
    return client.get(f"runs/{page['hash']}/records?from=0&limit={RECORDS_MAX}&level=")["records"]


def _alerts(client: WireClient, hashes: set[str]) -> list[Any]:
    return [alert for alert in client.get("alerts")["alerts"] if alert["run"] in hashes]


def _add_objects(
    client: WireClient,
    subject: str,
    hashes: Iterable[str],
    keys: Mapping[str, set[tuple[str, str]]],
    archive: PageArchive,
    choice: PageChoice,
    report: ExportReport,
) -> None:
    answer: dict[str, Any] = {"runs": [], "sequences": [], "items": []}
    for run_hash in hashes:
        steps = {"from": None, "to": None, "count": STEPS_A_REQUEST}
        body = {"query": "", "runs": [run_hash], "type": subject, "sequences": None, "steps": steps}
        part = client.post("objects", {**body, "index": {"from": 0, "count": 10_000}, "limit": 5_000})
        indices: dict[int, int] = {}
        for index, sequence in enumerate(part["sequences"]):
            if _key(sequence) in keys[run_hash]:
                indices[index] = len(answer["sequences"])
                answer["sequences"].append({**sequence, "run": len(answer["runs"])})
                over = max(0, int(sequence["count"]) - STEPS_A_REQUEST)
                report.leave_out(f"a step of objects beyond {STEPS_A_REQUEST:,} of a sequence, evenly spread", over)
        answer["runs"].append(run_hash)
        for item in part["items"]:
            if item["sequence"] in indices:
                answer["items"].append({**item, "sequence": indices[item["sequence"]]})
                _add_media(client, subject, item, archive, choice, report)
    archive.answers["objects"][subject] = answer
    report.objects += len(answer["items"])


def _add_media(
    client: WireClient,
    subject: str,
    item: Mapping[str, Any],
    archive: PageArchive,
    choice: PageChoice,
    report: ExportReport,
) -> None:
    blob = item.get("blob")
    if blob is None:
        return
    try:
        if subject == "tables":
            archive.answers["tables"][blob] = client.get(f"tables/{blob}?from=0&limit={ROWS_MAX}")
            report.leave_out(f"a row of a table beyond {ROWS_MAX:,}", max(0, int(item["row_count"]) - ROWS_MAX))
        elif choice.media == FULL or (choice.media == THUMBS and subject == "images"):
            archive.media += _media(client, subject, item, choice)
        else:
            report.leave_out(f"{subject} (--media full has them)")
    except (NotFound, RefusedAnswer):
        report.leave_out(f"{subject}: one that can't be read")


def _media(client: WireClient, subject: str, item: Mapping[str, Any], choice: PageChoice) -> Iterator[Medium]:
    blob = str(item["blob"])
    label = f"{subject} {item.get('caption') or ''} step {item['step']}"
    if subject == "images" and choice.media == THUMBS:
        yield Medium(blob, label, "image/webp", client.content(f"thumbs/{blob}?w={THUMB_PX}"))
    else:
        format_name = str(item.get("format") or "").lower()
        prefix = MEDIA_TYPES.get(subject)
        content_type = f"{prefix}/{format_name}" if prefix and format_name else "application/octet-stream"
        yield Medium(blob, label, content_type, client.content(f"blobs/{blob}"))
    for mask in item.get("masks") or ():
        part = f"?part={mask}"
        yield Medium(blob + part, f"{label}, {mask}", "image/png", client.content(f"blobs/{blob}?part={quote(mask)}"))


def encoded(archive: PageArchive, choice: PageChoice, room_bytes: int, report: ExportReport) -> dict[str, str]:
    """
    Return the blocks of the file by their names, in base64, of at most *room_bytes* in all.

    Raises:
        UsageError: not even the curves fit.
    """
    archive.media.sort(key=lambda medium: len(medium.data))
    _cut_logs(archive, room_bytes)
    head = _head_blocks(archive, choice)
    while archive.media and _size(head) + sum(len(medium.data) * BASE64 for medium in archive.media) > room_bytes:
        largest = archive.media.pop()
        archive.left_out.append(f"{largest.label} ({counted(len(largest.data), 'byte')})")
        report.leave_out("an object whose bytes have no room (--max-bytes)")
        if not archive.media or len(archive.left_out) % LEFT_OUT_SHOWN == 0:
            head = _head_blocks(archive, choice)
    head = _head_blocks(archive, choice)
    while _size(head) > room_bytes and archive.curves.sizes():
        _drop_curves(archive, _size(head) - room_bytes, report)
        head = _head_blocks(archive, choice)
    if _size(head) > room_bytes:
        raise UsageError(
            f"The page needs {counted(_size(head), 'byte')} without curves and media. Choose fewer runs, or a larger "
            "--max-bytes."
        )
    report.points = archive.curves.point_count
    return {**head, **{f"m{index}": _base64(medium.data) for index, medium in enumerate(archive.media)}}


def _cut_logs(archive: PageArchive, room_bytes: int) -> None:
    sizes = {run_hash: len(json.dumps(logs)) for run_hash, logs in archive.answers["logs"].items()}
    while sizes and sum(sizes.values()) > room_bytes:  # before compression: a log that may not fit at all
        largest = max(sizes, key=lambda run_hash: sizes[run_hash])
        archive.left_out.append(f"logs of {largest} ({counted(sizes.pop(largest), 'character')})")
        archive.answers["logs"][largest] = {}


def _drop_curves(archive: PageArchive, over_bytes: int, report: ExportReport) -> None:
    sizes = archive.curves.sizes()
    order = sorted(range(len(sizes)), key=lambda index: -sizes[index])
    dropped: set[int] = set()
    while order and over_bytes > 0:
        index = order.pop(0)
        dropped.add(index)
        over_bytes -= sizes[index] * BYTES_A_POINT
    archive.curves.drop(dropped)
    archive.left_out.append(counted(len(dropped), "curve"))
    report.leave_out("a curve that has no room (--max-bytes)", len(dropped))


def _head_blocks(archive: PageArchive, choice: PageChoice) -> dict[str, str]:
    description, columns = archive.curves.encode(is_exact=True if choice.is_whole else None)
    media = {
        medium.name: {"id": f"m{index}", "type": medium.content_type} for index, medium in enumerate(archive.media)
    }
    shown = archive.left_out[:LEFT_OUT_SHOWN]
    if len(archive.left_out) > len(shown):
        shown.append(f"and {len(archive.left_out) - len(shown):,} more")
    answers = {**archive.answers, "curves": description, "media": media, "left_out": shown}
    text = json.dumps(answers, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return {"answers": _base64(zlib.compress(text, 9)), "curves": _base64(zlib.compress(columns, 9))}


def _size(blocks: Mapping[str, str]) -> int:
    return sum(len(block) for block in blocks.values())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
