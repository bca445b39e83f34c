"""
The tree as the tidy tests see it: files, their text, their syntax.

Read once for each test session; the tests of this folder only state rules.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "bench", "examples")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = FunctionNode | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """One Python file of ours."""

    path: str
    """From the root of the checkout, with slashes."""
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The name it is imported by, such as `aim.core.errors`; of use for files below `src` only."""
        parts = self.path.removeprefix("src/").removesuffix(".py").split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def line_count(self) -> int:
        """Lines of the file, empty ones too."""
        return len(self.text.splitlines())


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below *folders* (all of ours, if none is given), sorted by path."""
    found = []
    for folder in folders or FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT).as_posix()
            if any(part.startswith(".") or part in ("static", "golden", "node_modules") for part in path.parts[-4:]):
                continue
            text = path.read_text(encoding="utf-8")
            found.append(Source(relative, text, ast.parse(text, filename=relative)))
    return tuple(found)


@cache
def tracked_files() -> tuple[str, ...]:
    """Every file that git keeps or would keep, from the root of the checkout; all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return tuple(name for name in names if name and (ROOT / name).is_file())
    folders = [ROOT / folder for folder in (*FOLDERS, "docs", "changes")]
    return tuple(
        path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*") if path.is_file()
    )


def definitions(source: Source) -> Iterator[tuple[str, DefinitionNode]]:
    """Return each class and function of *source* with its dotted name, outermost first; not those inside functions."""
    pending: list[tuple[str, ast.stmt]] = [("", node) for node in source.tree.body]
    while pending:
        prefix, node = pending.pop(0)
        if isinstance(node, DefinitionNode):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                pending.extend((f"{prefix}{node.name}.", inner) for inner in node.body)
        elif isinstance(node, ast.If):
            pending.extend((prefix, inner) for inner in (*node.body, *node.orelse))


def imported_modules(source: Source, *, at_import_only: bool) -> set[str]:
    """
    Name the modules that *source* imports; with *at_import_only* just those that importing it loads.

    `from a import b` gives both `a` and `a.b`, for `b` may be a module.
    """
    found: set[str] = set()
    pending: list[ast.AST] = list(source.tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = source.module.split(".")
            if node.level:  # a relative import; the package of a module is its parent
                depth = node.level - (1 if source.path.endswith("__init__.py") else 0)
                prefix = ".".join(package[: len(package) - depth])
                target = f"{prefix}.{node.module}" if node.module else prefix
            else:
                target = node.module or ""
            found.add(target)
            found.update(f"{target}.{alias.name}" for alias in node.names)
        elif at_import_only and isinstance(node, (*FunctionNode.__args__, ast.Lambda)):
            continue
        elif at_import_only and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        pending.extend(ast.iter_child_nodes(node))
    return found
