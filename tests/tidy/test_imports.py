"""
Who may import whom: the floors, no circles, a light training process, a lazy face.

import-linter reads its contracts from pyproject.toml. Two rules are beyond it, because it does not tell an import at
the top of a module from one inside a function: what a training process loads, and which packages no import loads.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.tidy.tree import ROOT, imported_modules, sources

# Too slow to load for somebody who may not use them: imported inside the functions that do.
NEVER_AT_IMPORT = {
    "pyarrow",
    "PIL",
    "pandas",
    "plotly",
    "matplotlib",
    "polars",
    "duckdb",
    "torch",
    "tensorflow",
    "scipy",
}
# Packages that only hand names on.
FACES = {"aim", "aim.sdk", "aim.sdk.objects", "aim.sdk.sequences"}
# What a training process loads: these and whatever they import at module level.
TRAINING_ENTRIES = ("aim.sdk.run", "aim.sdk.repo")

TRAINING_JOB = """
import sys
before = set(sys.modules)
from aim import Repo, Run
run = Run(repo=sys.argv[1], system_tracking_interval=None, capture_terminal_logs=False)
run["hparams"] = {"lr": 0.01}
run.track(0.5, name="loss", step=1, epoch=1, context={"subset": "train"})
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
foreign = sorted(top for top in tops if top not in sys.stdlib_module_names and top != "aim")
heavy = sorted(tops & {"http", "asyncio", "ssl", "email", "sqlite3", "multiprocessing", "concurrent"})
slow = {"dataclasses", "inspect", "ast", "hashlib", "_hashlib", "socket", "logging", "traceback", "datetime", "html"}
heavy += sorted(tops & (slow | {"difflib", "tempfile", "shutil", "random", "decimal", "subprocess"}))
own = [name for name in set(sys.modules) - before if name.startswith("aim")]
if len(own) > 115:
    heavy.append(f"{len(own)} modules of aim")
run.close()
sys.stdout.write(" ".join(foreign + heavy))
"""


@pytest.fixture(scope="module", name="graph")
def _graph() -> grimp.ImportGraph:
    """
    All imports among our modules, those inside functions too.
    """
    return grimp.build_graph("aim", exclude_type_checking_imports=True)


def test_the_contracts_of_the_floors_are_kept() -> None:
    """
    Imports go down only, never to a sibling, as pyproject.toml says.
    """
    linted = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == linted.returncode, linted.stdout + linted.stderr


def test_no_imports_run_in_a_circle(graph: grimp.ImportGraph) -> None:
    """
    No module imports itself by way of others.
    """
    circles = set()
    for module in sorted(graph.modules):
        for imported in graph.find_modules_directly_imported_by(module):
            if imported != "aim" and module != "aim" and (chain := graph.find_shortest_chain(imported, module)):
                circles.add(" > ".join(_from_the_first((module, *chain))))

    assert set() == circles, "\n".join(sorted(circles))


def test_no_module_imports_from_the_face() -> None:
    """
    Inside the package a name is imported from the module that defines it, not from one that hands it on.
    """
    modules = {source.module for source in sources("src")}
    found = [
        f"{source.path}:{node.lineno} from {node.module} import {alias.name}"
        for source in sources("src")
        if not source.path.endswith("__init__.py")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module in FACES
        for alias in node.names
        if f"{node.module}.{alias.name}" not in modules
    ]

    assert [] == found, "\n".join(found)


def test_heavy_packages_load_only_where_they_are_used() -> None:
    """
    Importing any module of the package loads none of the packages that are slow to load.
    """
    found = [
        f"{source.path}: {name}"
        for source in sources("src")
        for name in imported_modules(source, at_import_only=True)
        if name.partition(".")[0] in NEVER_AT_IMPORT and "." not in name
    ]

    assert [] == found, "\n".join(found)


def test_training_modules_import_the_standard_library_only() -> None:
    """
    What recording loads, at any distance, is ours or the standard library's.
    """
    by_module = {source.module: source for source in sources("src")}
    chains = {entry: entry for entry in TRAINING_ENTRIES if entry in by_module}
    pending = list(chains)
    foreign = []
    while pending:
        module = pending.pop()
        for name in sorted(imported_modules(by_module[module], at_import_only=True)):
            top = name.partition(".")[0]
            if name in by_module and name not in chains:
                chains[name] = f"{chains[module]} > {name}"
                pending.append(name)
            elif top not in sys.stdlib_module_names and top != "aim":
                foreign.append(f"{chains[module]} > {name}")

    assert [] == foreign, "\n".join(foreign)


def test_a_training_process_loads_the_standard_library_only(tmp_path: Path) -> None:
    """
    After a run was made and a value tracked, no third-party package is loaded, nothing of HTTP, and nothing else that
    takes milliseconds to load and that a training may never use.
    """
    job = subprocess.run(
        [sys.executable, "-c", TRAINING_JOB, str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert ("", 0) == (job.stdout, job.returncode), job.stderr


def _from_the_first(circle: tuple[str, ...]) -> tuple[str, ...]:
    """Return *circle*, whose last member is its first, beginning at the first by name: so each circle has one form."""
    ring = circle[:-1]
    start = ring.index(min(ring))
    return (*ring[start:], *ring[:start], ring[start])
