"""
MLflow's runs: what they are besides their numbers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aim.convert.errors import ExperimentNotFound
from aim.convert.source_import import hash_of
from aim.engine.repository import Repository
from tests.convert.sources import DATA, copied, import_source, objects, values

FILES = DATA / "mlflow3-file"


@pytest.fixture(name="repository", scope="module")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """
    The runs of a file store.
    """
    root = tmp_path_factory.mktemp("mlflow")
    import_source(FILES, root, artifacts="copy")
    return Repository(root)


def states(repository: Repository) -> dict[str, str]:
    """Return the status of each run by its name."""
    return {str(state.name): state.status()[0] for state in repository.states()}


def test_status_and_stage_come_over(repository: Repository) -> None:
    """
    Failed, killed and running runs are failed and lost, a deleted one is archived.
    """
    by_name = states(repository)
    archived = [str(state.name) for state in repository.states() if state.properties.get("archived")]

    assert ("finished", "failed") == (by_name["parent ✓"], by_name["crashed"])
    assert 1 == len(archived)


def test_params_tags_note_and_parent_come_over(repository: Repository) -> None:
    """
    Params are texts, tags are params, the note is the description, and a child knows the hash of its parent.
    """
    by_name = {str(state.name): state for state in repository.states()}
    parent, child = by_name["parent ✓"], by_name["child"]
    params = repository.run(parent.run_hash).params()

    assert ("0.1", "[64, 32]") == (params["params"]["lr"], params["params"]["layers"])
    assert "dev" == params["mlflow"]["tags"]["stage"]
    assert "a *note*" == parent.properties["description"]
    assert "vision/é" == parent.experiment
    assert parent.run_hash == repository.run(child.run_hash).params()["imported"]["parent"]


def test_params_are_parsed_on_demand(tmp_path: Path) -> None:
    """
    With `parse` a text that is a number or a list becomes one, and the text is kept.
    """
    import_source(FILES, tmp_path, choices={"parse": True})
    repository = Repository(tmp_path)
    (run_hash,) = [state.run_hash for state in repository.states() if state.name == "parent ✓"]
    params = repository.run(run_hash).params()

    assert (0.1, [64, 32], "adam") == tuple(params["params"][name] for name in ("lr", "layers", "opt.name"))
    assert "0.1" == params["params_text"]["lr"]


def test_images_that_were_logged_with_a_step_are_a_sequence(repository: Repository) -> None:
    """
    The image of `log_image` is at its step, its preview is left out, other files are artifacts.
    """
    (run_hash,) = [state.run_hash for state in repository.states() if state.name == "parent ✓"]
    images = objects(repository, run_hash, "dog")

    assert [3] == list(images)
    assert b"\x89PNG" == images[3][0]["bytes"][:4]
    assert "notes/readme.txt" in repository.readers.state(run_hash).artifacts


def test_points_without_a_step_stay_at_step_0_on_demand(tmp_path: Path) -> None:
    """
    With `keep_steps` the last of them counts.
    """
    report = import_source(DATA / "mlflow2-file", tmp_path, choices={"keep_steps": True})
    repository = Repository(tmp_path)

    assert [0] == list(values(repository, report.runs[0].run_hash, "nostep"))
    assert hash_of("mlflow", "67e31e3eaaeb4b9ba9b63371acb405e3") == report.runs[0].run_hash


def test_the_command_of_aim_3_brings_one_experiment(tmp_path: Path) -> None:
    """
    `aim convert mlflow --tracking_uri --experiment` imports that experiment; an address where nothing answers, or whose
    client is not installed, is an error that says so.
    """
    command = [sys.executable, "-m", "aim.cli", "convert", "mlflow", "--repo", str(tmp_path), "--tracking_uri"]
    done = subprocess.run([*command, str(FILES / "mlruns"), "--experiment", "vision/é"], capture_output=True)
    silent = subprocess.run([*command, "http://127.0.0.1:1"], capture_output=True, text=True)
    absent = subprocess.run([*command, "postgresql://ada:secret@127.0.0.1/mlflow"], capture_output=True, text=True)

    assert 0 == done.returncode, done.stderr
    assert 5 == len(Repository(tmp_path).run_hashes())
    assert (1, True) == (silent.returncode, "Nothing answers at 'http://127.0.0.1:1'" in silent.stderr)
    assert (1, True) == (absent.returncode, "pip install 'aim[mlflow]'" in absent.stderr), absent.stderr


def test_artifacts_beside_a_database_come_over(tmp_path: Path) -> None:
    """
    Where the source is the database itself, the files that lie beside it are the run's.
    """
    folder = copied("mlflow3-sqlite", tmp_path)
    report = import_source(folder / "mlflow.db", tmp_path / "repo", format_name="mlflow", artifacts="copy")

    assert (4, {}) == (report.counts().files, dict(report.counts().refused))


def test_an_experiment_is_chosen_by_its_exact_name_or_its_id(tmp_path: Path) -> None:
    """
    Signs of patterns in a name are letters, the beginning of a name is no name, and an id chooses too.
    """
    store = tmp_path / "mlruns"
    shutil.copytree(FILES / "mlruns", store)
    (original,) = (path.parent for path in store.glob("*/meta.yaml") if path.parent.name != "0")
    names = {"1": "lr*", "2": "lr-long", "3": "lr*/deep", "4": "[ab]", "5": "a"}
    for number, name in names.items():
        shutil.copytree(original, store / number)
        meta = store / number / "meta.yaml"
        meta.write_text("\n".join(f"name: '{name}'" if line.startswith("name:") else line for line in lines_of(meta)))
    chosen = {
        asked: {Path(run.title).parent.as_posix() for run in import_source(store, tmp_path / asked[:1], **options).runs}
        for asked, options in {name: {"experiment": name} for name in ("lr*", "[ab]", "5")}.items()
    }

    assert {"lr*": {"lr*"}, "[ab]": {"[ab]"}, "5": {"a"}} == chosen
    with pytest.raises(ExperimentNotFound, match="'lr-long'"):
        import_source(store, tmp_path / "none", experiment="lr")
    database = zipfile.ZipFile(DATA / "mlflow3-sqlite.zip")
    database.extractall(tmp_path)
    assert import_source(tmp_path / "mlflow3-sqlite", tmp_path / "sql", experiment="1").runs


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file."""
    return path.read_text(encoding="utf-8").splitlines()
