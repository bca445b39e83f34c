"""
What the tests of importers share: the sources of `tests/data/imports`, and what of them is in a repository.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aim.convert.detecting import recognised
from aim.convert.formats import ImportOptions
from aim.convert.importing import import_sources
from aim.convert.names import FULL
from aim.convert.report import Report
from aim.core import contexts
from aim.engine.repository import Repository

DATA = Path(__file__).resolve().parents[1] / "data" / "imports"
SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def import_source(source: Path, root: Path, *, format_name: str | None = None, **options: Any) -> Report:
    """Import *source* into the repository in *root*, with names as they are unless *options* say otherwise."""
    chosen = ImportOptions(**{"naming": FULL, **options})
    return import_sources(recognised(source, format_name), root, chosen)


def copied(name: str, parent: Path) -> Path:
    """Copy or unpack the source *name* into the folder *parent*, and return where it is."""
    if (DATA / f"{name}.zip").exists():
        zipfile.ZipFile(DATA / f"{name}.zip").extractall(parent)
    else:
        shutil.copytree(DATA / name, parent / name)
    return parent / name


def expected_runs(source: Path) -> dict[str, dict[str, Any]]:
    """Return the runs of a source's expected.json, by their key."""
    document = json.loads((source / "expected.json").read_text(encoding="utf-8"))
    return {run["key"]: run for run in document["runs"]}


def number(value: Any) -> Any:
    """Return a value of expected.json as the number that it stands for."""
    return SPECIAL.get(value, value) if isinstance(value, str) else value


def last_values(logged: Iterable[Mapping[str, Any]]) -> dict[int, Any]:
    """Return the last value of each step, by step, in the order of the steps."""
    return dict(sorted({entry["step"]: number(entry["value"]) for entry in logged}.items()))


def runs_by_title(repository: Repository, report: Report) -> dict[str, str]:
    """Return the hashes of the runs of a report, by their titles."""
    return {run.title: run.run_hash for run in report.runs if repository.has_run(run.run_hash)}


def values(
    repository: Repository, run_hash: str, name: str, context: Mapping[str, Any] | None = None
) -> dict[int, Any]:
    """Return the values of a sequence of numbers, by step; nothing when the run has no such sequence."""
    points = repository.run(run_hash).points((name, contexts.text(dict(context or {}))))
    return {} if points is None else dict(zip(points.steps.tolist(), points.values.tolist()))


def times(
    repository: Repository, run_hash: str, name: str, context: Mapping[str, Any] | None = None
) -> dict[int, float]:
    """Return the times of a sequence, by step."""
    points = repository.run(run_hash).points((name, contexts.text(dict(context or {}))))
    return {} if points is None else dict(zip(points.steps.tolist(), points.times_s.tolist()))


def objects(
    repository: Repository, run_hash: str, name: str, context: Mapping[str, Any] | None = None
) -> dict[int, list[dict[str, Any]]]:
    """Return the fields of the objects of a sequence, by step; `bytes` are their data."""
    run = repository.run(run_hash)
    points = run.points((name, contexts.text(dict(context or {}))))
    items: dict[int, list[dict[str, Any]]] = {}
    for index, step in enumerate([] if points is None else points.steps.tolist()):
        assert points is not None
        writer_id = points.writer_ids[int(points.writers[index])]
        number_of_file = int(points.values[index]) >> 40
        items[step] = [
            {
                **item,
                "bytes": b"" if item.get("data") is None else run.read_data(writer_id, number_of_file, item["data"]),
            }
            for item in run.record(points, index)["items"]
        ]
    return items


def same(first: Mapping[int, Any], second: Mapping[int, Any]) -> bool:
    """Return whether two curves are equal to the last bit, NaN and the type of each value included."""
    return [(step, repr(value)) for step, value in first.items()] == [
        (step, repr(value)) for step, value in second.items()
    ]


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Return time and hash of each file below a folder, and the time of each folder."""
    prints = {}
    for path in sorted(folder.rglob("*")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        prints[path.relative_to(folder).as_posix()] = (path.stat().st_mtime_ns, digest)
    return prints


def shown(repository: Repository, run_hash: str) -> dict[str, Any]:
    """Return what a run shows, for comparing two: params without those of an import, properties, points, objects."""
    run = repository.run(run_hash)
    state = run.state()
    points: dict[Any, Any] = {}
    items: dict[Any, Any] = {}
    for key, sequence in run.sequences().items():
        read = run.points(key)
        assert read is not None
        moments = [repr(column.tolist()) for column in (read.steps, read.times_us, read.epochs)]
        if sequence.is_numeric:
            points[key] = (*moments, repr(read.values.tolist()))
        else:
            items[key] = (*moments, objects(repository, run_hash, key[0], sequence.context))
    for by_step in items.values():
        for fields in (fields for each in by_step[-1].values() for fields in each):
            fields.pop("data", None)
    params = {name: value for name, value in run.params().items() if name != "imported"}
    properties = {name: state.properties.get(name) for name in ("name", "experiment", "description", "notes")}
    return {
        "params": repr(params),
        "properties": properties,
        "tags": list(state.tags),
        "status": state.status()[0],
        "points": points,
        "objects": items,
    }


def hash_of_only(repository: Repository) -> str:
    """Return the hash of the one run of a repository."""
    (run_hash,) = repository.run_hashes()
    return run_hash
