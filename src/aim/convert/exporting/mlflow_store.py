"""
Runs as a file store of MLflow: `mlruns`, which `mlflow ui --backend-store-uri` shows.

    mlruns/<experiment>/meta.yaml
    mlruns/<experiment>/<run>/meta.yaml
                              params/<name>      the value as text, at most 6,000 characters
                              metrics/<name>     a line a point: time in ms, value, step
                              tags/<name>        name, description, tags, why a run failed
                              artifacts/         artifacts, and objects as files

Names of MLflow have letters, digits and `_ - . : / =` and blanks; other signs become `_`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from aim.convert.exporting.series_names import FlatNames
from aim.convert.exporting.table_files import number_text
from aim.core import params
from aim.core.errors import NotFound
from aim.core.reserved import SYSTEM_PARAMS, SYSTEM_PREFIX

if TYPE_CHECKING:
    from aim.convert.exporting.export_report import ExportReport
    from aim.convert.exporting.exported_run import ExportedObject, ExportedRun, ExportedRuns

PARAM_CHARS_MAX = 6_000
STATUSES = {"running": 1, "finished": 3, "failed": 4, "lost": 5}
UNNAMEABLE = re.compile(r"[^\w\-. :/=]")
KINDS = {
    "aim.image": "images",
    "aim.audio": "audio",
    "aim.video": "video",
    "aim.figure": "figures",
    "aim.text": "texts",
    "aim.table": "tables",
    "aim.object3d": "objects3d",
}
"""The folder among the artifacts for a kind of object."""
EXTENSIONS = {"jpeg": "jpg", "raw_json": "json"}


def write_file_store(runs: ExportedRuns, folder: Path, report: ExportReport) -> None:
    """Write a file store into *folder*."""
    target = report.path.absolute()
    experiments: dict[str, str] = {}
    _write_experiment(folder, target, "0", "Default")
    for run in runs:
        experiment = str(run.state.experiment or "default")
        if experiment not in experiments:
            experiments[experiment] = str(len(experiments) + 1)
            _write_experiment(folder, target, experiments[experiment], experiment)
        number = experiments[experiment]
        below = folder / number / run.run_hash
        for name in ("params", "metrics", "tags", "artifacts"):
            (below / name).mkdir(parents=True)
        _write_run_meta(run, below, target / number / run.run_hash, number)
        _write_params(run, below / "params", report)
        _write_metrics(run, below / "metrics", report)
        _write_tags(run, below / "tags")
        _write_objects(run, below / "artifacts", report)
        _copy_artifacts(run, below / "artifacts", report)
        report.runs += 1


def metric_name(name: str) -> str:
    """
    Return a name that MLflow accepts.

    >>> metric_name("loss/val"), metric_name("ünit?"), metric_name("../key"), metric_name("/top")
    ('loss/val', 'ünit_', '_/key', '_/top')
    """
    parts = UNNAMEABLE.sub("_", name).split("/")
    return "/".join("_" if part.strip(".") == "" else part for part in parts)


def _yaml(members: Mapping[str, Any]) -> str:
    # JSON's texts, numbers and null are YAML's, too
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in members.items())


def _write_experiment(folder: Path, target: Path, number: str, name: str) -> None:
    (folder / number).mkdir()
    members = {
        "artifact_location": (target / number).as_uri(),
        "experiment_id": number,
        "lifecycle_stage": "active",
        "name": name,
    }
    (folder / number / "meta.yaml").write_text(_yaml(members), encoding="utf-8")


def _write_run_meta(run: ExportedRun, folder: Path, target: Path, experiment: str) -> None:
    record = run.record
    end_s = record["end_time"]
    members = {
        "artifact_uri": (target / "artifacts").as_uri(),
        "end_time": None if record["status"] == "running" or end_s is None else round(end_s * 1e3),
        "entry_point_name": "",
        "experiment_id": experiment,
        "lifecycle_stage": "deleted" if record["archived"] else "active",
        "run_id": run.run_hash,
        "run_name": record["name"] or run.run_hash,
        "run_uuid": run.run_hash,
        "source_name": "",
        "source_type": 4,
        "source_version": "",
        "start_time": round(record["created_at"] * 1e3),
        "status": STATUSES[record["status"]],
        "tags": [],
        "user_id": "",
    }
    (folder / "meta.yaml").write_text(_yaml(members), encoding="utf-8")


def _write(folder: Path, name: str, content: str) -> None:
    path = folder / PurePosixPath(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", errors="replace", newline="")


def _write_params(run: ExportedRun, folder: Path, report: ExportReport) -> None:
    tree: dict[params.Key, Any] = {key: value for key, value in run.params.items() if key != SYSTEM_PARAMS}
    report.leave_out("the environment of a run (jsonl and zip have it)", int(SYSTEM_PARAMS in run.params))
    count = 0
    for path, value in params.flatten(tree):
        text = _param_text(value)
        report.leave_out("the end of a param over 6,000 characters", int(len(text) > PARAM_CHARS_MAX))
        _write(folder, metric_name(params.dotted(path)), text[:PARAM_CHARS_MAX])
        count += not isinstance(value, str)
    report.leave_out("the type of a param: it is a text", count)


def _param_text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, (int, float)):
        return number_text(value)
    return value if isinstance(value, str) else params.json_text(value)


def _write_metrics(run: ExportedRun, folder: Path, report: ExportReport) -> None:
    names = FlatNames()
    for sequence, points in run.curves():
        name = sequence.name.replace(SYSTEM_PREFIX, "system/", 1) if _is_system(sequence.name) else sequence.name
        flat = names.name_of(name, sequence.context)
        path = folder / PurePosixPath(metric_name(flat))
        if path.is_dir():  # `loss` and `loss/val`: a file and a folder can't have one name
            path = path.with_name(f"{path.name}_")
        path = _without_files_above(path, folder)
        report.leave_out("a sign in a name that MLflow does not allow: it is `_`", int(metric_name(flat) != flat))
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = zip(points.times_s.tolist(), points.values.tolist(), points.steps.tolist())
        with open(path, "a", encoding="ascii") as file:
            file.writelines(f"{round(time_s * 1e3)} {_metric_text(value)} {step}\n" for time_s, value, step in columns)
        report.points += len(points)
        report.leave_out("an epoch", int(np.isfinite(points.epochs).sum()))
        report.leave_out("a time's microseconds: it is in milliseconds", int((points.times_us % 1000 != 0).sum()))


def _is_system(name: str) -> bool:
    return name.startswith(SYSTEM_PREFIX)


def _without_files_above(path: Path, folder: Path) -> Path:
    """Return *path*, with `_` behind a folder of it where a metric has that name."""
    above = folder
    for part in path.relative_to(folder).parts[:-1]:
        above = above / part
        if above.is_file():
            above = above.with_name(f"{above.name}_")
    return above / path.name


def _metric_text(value: float) -> str:
    text = number_text(value)
    return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(text, text)


def _write_tags(run: ExportedRun, folder: Path) -> None:
    record = run.record
    tags = {
        "mlflow.runName": record["name"] or run.run_hash,
        "mlflow.note.content": "\n\n".join(text for text in (record["description"], record["notes"]) if text),
        "aim.hash": run.run_hash,
        "aim.tags": json.dumps(record["tags"], ensure_ascii=False) if record["tags"] else "",
        "aim.error": record["error"] or "",
    }
    for name, text in tags.items():
        if text:
            _write(folder, name, str(text))


def _write_objects(run: ExportedRun, folder: Path, report: ExportReport) -> None:
    names = FlatNames()
    for number, item in enumerate(run.objects()):
        kind = KINDS.get(item.kind)
        content = item.data if item.data is not None else str(item.fields.get("text", "")).encode("utf-8", "replace")
        if kind is None:
            report.leave_out(f"{item.kind}: a file store has no such kind")
            continue
        flat = metric_name(names.name_of(item.sequence.name, item.sequence.context))
        path = folder / kind / _object_file(kind, flat, item, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        report.objects += 1
        report.leave_out("a caption", int(bool(item.fields.get("caption"))))


def _object_file(kind: str, flat: str, item: ExportedObject, number: int) -> str:
    name = str(item.fields.get("format") or {"texts": "txt", "tables": "zip"}.get(kind, "bin")).lower()
    extension = EXTENSIONS.get(name, name)
    if kind == "images":  # the form of `mlflow.log_image(key=, step=)`
        unique = f"{number:08x}-0000-4000-8000-{item.index:012x}"
        return f"{flat.replace('/', '#')}+step+{item.step}+timestamp+{round(item.time_s * 1e3)}+{unique}.{extension}"
    return f"{flat}/{item.step}-{item.index}.{extension}"


def _copy_artifacts(run: ExportedRun, folder: Path, report: ExportReport) -> None:
    for file in run.files():
        path = folder / PurePosixPath(file.name)
        try:
            with file.open() as source:
                path.parent.mkdir(parents=True, exist_ok=True)
                with open(path, "wb") as copy:
                    shutil.copyfileobj(source, copy)
        except NotFound:
            report.leave_out("an artifact that is elsewhere")
            continue
        report.files += 1
