"""
An import as a whole: dry runs, selections, names, strictness, runs that are there already.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from aim.convert import import_
from aim.convert.detecting import detect, recognised
from aim.convert.errors import DamagedSource, SourceNotFound, SourceNotRecognised, TargetInsideSource
from aim.convert.formats import ImportOptions
from aim.convert.importing import import_sources
from aim.convert.names import CONTEXT, FULL, Names, Rule, read_rules
from aim.convert.report import UNCHANGED
from aim.convert.source_import import hash_of
from aim.core.errors import RunBusy, UsageError
from aim.engine import importing
from aim.engine.repository import Repository
from tests.convert.sources import DATA, import_source, shown, values

LENET = DATA / "tb-torch" / "lenet"


def test_a_dry_run_reports_the_same_and_writes_nothing(tmp_path: Path) -> None:
    """
    A dry run reads and compares everything, and makes no repository.
    """
    dry = import_(LENET, tmp_path, dry_run=True)

    assert [] == list(tmp_path.iterdir())
    wet = import_(LENET, tmp_path)
    assert (wet.points, wet.objects, wet.reasons) == (dry.points, dry.objects, dry.reasons)
    assert "nothing was written" in dry.text()
    assert "loss/train {}  ->  loss" in dry.text()


def test_names_become_contexts_unless_told_otherwise(tmp_path: Path) -> None:
    """
    `loss/train` is the metric `loss` of the subset train, so that a chart groups by it.
    """
    report = import_source(LENET, tmp_path, naming=CONTEXT)
    repository = Repository(tmp_path)

    assert 30 == len(values(repository, report.runs[0].run_hash, "loss", {"subset": "train"}))
    assert 6 == len(values(repository, report.runs[0].run_hash, "loss", {"subset": "val"}))


def test_two_series_never_become_one() -> None:
    """
    A second series that would get the name of another one keeps its full name, and is told.
    """
    names = Names()

    assert ("loss", {"subset": "train"}) == names.series("train/loss", {})[:2]
    assert ("loss_train", {}) == names.series("loss_train", {})[:2]
    assert ["loss_train"] == names.apart
    assert ("loss", {"subset": "train"}) == names.series("train/loss", {})[:2]


def test_rules_rename_and_leave_out(tmp_path: Path) -> None:
    """
    The first rule that matches a whole name wins; a skipped series is counted.
    """
    rules = [Rule("loss/(.*)", "cost", {"part": "all"}, False), Rule("pair", None, {}, True)]
    report = import_source(LENET, tmp_path, rules=rules)
    repository = Repository(tmp_path)

    assert 30 == len(values(repository, report.runs[0].run_hash, "cost", {"part": "all"}))
    assert 6 == len(values(repository, report.runs[0].run_hash, "loss/val"))
    assert 2 == sum(count for reason, count in report.reasons.items() if "--map" in reason)


@pytest.mark.parametrize(
    "text", ['[[rule]]\nmatch = "("', "[[rule]]\nmatch = 1", '[[rule]]\nmatch = "a"\nother = 1', "rule = 3", "=", None]
)
def test_bad_rules_say_what_is_wrong(tmp_path: Path, text: str | None) -> None:
    """
    A file of rules that can't be used is a wrong call, with the file's name.
    """
    path = tmp_path / "rules.toml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(UsageError, match=r"rules\.toml"):
        read_rules(path)


def test_a_selection_leaves_the_others_out(tmp_path: Path) -> None:
    """
    Only runs whose name matches, or that began after a day, are imported.
    """
    only = import_source(DATA / "wandb-ended", tmp_path / "only", only=["exit*"])
    since = import_source(DATA / "wandb-ended", tmp_path / "since", since_s=4e9)

    assert ["exit01"] == [run.title for run in only.runs]
    assert [] == since.runs
    assert 0 == Repository(tmp_path / "since").run_count()


def test_kinds_that_are_skipped_are_counted(tmp_path: Path) -> None:
    """
    With --skip images no image comes over, and the report says how many there were.
    """
    report = import_source(DATA / "tb-torch" / "media", tmp_path, skip=frozenset({"images"}))

    assert 4 <= report.reasons["images (--skip)"]


def test_strict_stops_at_damage(tmp_path: Path) -> None:
    """
    In strict mode damage ends the import, and its run is not there.
    """
    with pytest.raises(DamagedSource, match="464"):
        import_source(DATA / "tb-damaged" / "length_flipped", tmp_path, is_strict=True)

    assert 0 == Repository(tmp_path).run_count()


def test_a_repository_in_its_source_is_refused(tmp_path: Path) -> None:
    """
    A source that holds the repository would be changed by the import, so it is refused.
    """
    shutil.copytree(LENET, tmp_path / "logs")

    with pytest.raises(TargetInsideSource):
        import_sources(recognised(tmp_path), tmp_path / "repo", ImportOptions())


def test_what_is_not_recognised_says_what_was_looked_for(tmp_path: Path) -> None:
    """
    A folder with nothing to import lists what each format is recognised by; a missing one is missing.
    """
    with pytest.raises(SourceNotRecognised, match="tfevents"):
        recognised(tmp_path)
    with pytest.raises(SourceNotFound, match="nowhere"):
        detect(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no importer named 'word'"):
        detect(tmp_path, "word")


def test_several_formats_in_one_folder_are_all_seen() -> None:
    """
    Each format of a folder is a source of its own.
    """
    assert {"aim3", "wandb", "tensorboard"} <= {source.format for source in detect(DATA)}


def test_a_source_is_the_same_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A way that leads up and down again names the same folder: nothing is new, and the report has the short name.
    """
    import_(LENET, tmp_path / "new")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = import_(os.path.relpath(LENET), tmp_path / "new")

    assert {UNCHANGED} == {run.state for run in again.runs}
    assert str(LENET) == again.sources[0].path


def test_a_run_that_was_recorded_here_is_never_replaced(tmp_path: Path) -> None:
    """
    A run of the same hash that was not imported is left alone, and the import says so.
    """
    repository = Repository(tmp_path, create=True)
    run_hash = hash_of("tensorboard", str((LENET / "v1").resolve()))
    repository.new_run(run_hash).close()
    report = import_source(LENET, tmp_path)

    assert [("refused", 1)] == [(run.state, report.exit_code) for run in report.runs]
    assert importing.note_of(repository, run_hash) is None


def test_two_imports_at_once_do_not_mix(tmp_path: Path) -> None:
    """
    While one process imports into a repository, another one is told to wait.
    """
    with importing.exclusive(Repository(tmp_path, create=True)), pytest.raises(RunBusy):
        import_source(LENET, tmp_path)


def test_the_report_is_kept_with_the_run(tmp_path: Path) -> None:
    """
    What `import.json` says of a run is what the report says, and all of it is JSON.
    """
    report = import_source(LENET, tmp_path)
    note = importing.note_of(Repository(tmp_path), report.runs[0].run_hash)

    assert note is not None
    assert report.runs[0].to_json() == note["report"]
    assert json.loads(json.dumps(report.to_json()))["exit_code"] == report.exit_code


def test_rules_may_be_json(tmp_path: Path) -> None:
    """
    A file of rules that ends with .json needs no reader of TOML; what is in it is checked the same way.
    """
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"rule": [{"match": "gen_(.*)", "name": "gen", "context": {"subset": "val"}}]}))
    other = tmp_path / "other.json"
    other.write_text("[1]")

    assert [Rule("gen_(.*)", "gen", {"subset": "val"}, False)] == read_rules(path)
    with pytest.raises(UsageError, match="in JSON a list `rule`"):
        read_rules(other)


def test_several_processes_make_the_same_runs(tmp_path: Path) -> None:
    """
    With jobs, runs, report and refusals are those of one process, in the same order.
    """
    source = tmp_path / "source"
    for name in ("tb-torch", "tb-damaged"):
        shutil.copytree(DATA / name, source / name)
    singly = import_source(source, tmp_path / "singly")
    together = import_sources(recognised(source), tmp_path / "together", ImportOptions(naming=FULL), jobs=3)
    first, second = Repository(tmp_path / "singly"), Repository(tmp_path / "together")

    assert singly.to_json() == together.to_json()
    assert [shown(first, run_hash) for run_hash in first.run_hashes()] == [
        shown(second, run_hash) for run_hash in second.run_hashes()
    ]


def test_an_error_of_one_process_is_that_of_the_import(tmp_path: Path) -> None:
    """
    In strict mode the first damage ends an import by several processes, too, with the place of the damage.
    """
    with pytest.raises(DamagedSource) as caught:
        import_sources(recognised(DATA / "tb-damaged"), tmp_path, ImportOptions(is_strict=True), jobs=2)

    assert "tb-damaged" in caught.value.path
