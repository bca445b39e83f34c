"""
Comet's offline experiments: what they are besides their numbers.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from aim.convert.errors import SourceNotRecognised
from aim.convert.report import Report
from aim.convert.source_import import hash_of
from aim.engine.repository import Repository
from tests.convert.sources import DATA, expected_runs, import_source, objects

FIRST, FAILED = "be10f4b0435143b3ae824852b77bb2dd", "7d466e7c42cb4f5cbbbbd67109446dfa"


@pytest.fixture(name="imported", scope="module")
def _imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Report]:
    """
    Both experiments of the source.
    """
    root = tmp_path_factory.mktemp("comet")
    return Repository(root, create=True), import_source(DATA / "comet", root, artifacts="copy")


def test_params_tags_and_others_come_over(imported: tuple[Repository, Report]) -> None:
    """
    Names that are joined by a bar are nested, what Comet logs by itself is no param, and `Name` is the name.
    """
    repository, _ = imported
    run_hash = hash_of("comet", FIRST)
    state = repository.readers.state(run_hash)
    params = repository.run(run_hash).params()
    expected = expected_runs(DATA / "comet")[FIRST]["params"]

    assert ("first ✓", "vision", "finished") == (state.name, state.experiment, state.status()[0])
    assert ["good", "ünï"] == sorted(state.tags)
    assert expected == {name: params[name] for name in expected}
    assert {"others": {"remark": "a *note*"}, "workspace": "ada"} == params["comet"]
    assert not {"curr_step", "curr_epoch"} & params.keys()


def test_images_texts_and_printed_lines_come_over(imported: tuple[Repository, Report]) -> None:
    """
    An image and a text are at their steps, and other files of the ZIP are counted.
    """
    repository, report = imported
    run_hash = hash_of("comet", FIRST)

    assert b"\x89PNG" == objects(repository, run_hash, "dog")[3][0]["bytes"][:4]
    assert "a text ✓" == objects(repository, run_hash, "text-sample")[2][0]["text"]
    assert "a printed line ✓" == objects(repository, run_hash, "logs")[0][0]["text"]
    assert {"files of the type asset in the ZIP", "files of the type histogram3d in the ZIP"} <= report.reasons.keys()


def test_an_experiment_that_raised_has_failed(imported: tuple[Repository, Report]) -> None:
    """
    The exception that Comet saw is the error of the run.
    """
    repository, _ = imported
    state = repository.readers.state(hash_of("comet", FAILED))

    assert "failed" == state.status()[0]


def test_a_zip_without_its_list_of_names_is_not_recognised(tmp_path: Path) -> None:
    """
    Damage of the list, which is at the end of a ZIP, is no crash.
    """
    content = bytearray((DATA / "comet" / f"{FIRST}.zip").read_bytes())
    begin = content.rindex(b"PK\x01\x02")
    content[begin : begin + 4] = b"PK\x01\x09"
    (tmp_path / "a.zip").write_bytes(content)

    assert zipfile.is_zipfile(tmp_path / "a.zip")
    with pytest.raises(SourceNotRecognised):
        import_source(tmp_path, tmp_path.parent / f"{tmp_path.name}-repo")
