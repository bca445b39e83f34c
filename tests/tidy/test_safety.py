"""
What the package never does: run text as code, unpickle, swallow every error, print.
"""

from __future__ import annotations

import ast

from tests.tidy.tree import Source, sources

OUTPUT_MODULE = "src/aim/cli/output.py"
LOG_MODULE = "src/aim/core/logs.py"
BROAD_HANDLERS_MAX = 2  # the writer's background thread, the HTTP boundary
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
RUNS_BYTES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
BROAD = {"Exception", "BaseException"}


def calls(source: Source) -> list[tuple[int, str, ast.Call]]:
    """Return each call in *source*: line, what is called, as it is written, and its node."""
    nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return [(node.lineno, ast.unparse(node.func), node) for node in nodes]


def test_no_text_is_run_as_code() -> None:
    """
    The package calls neither eval nor exec nor compile.
    """
    found = [
        f"{source.path}:{line} {name}"
        for source in sources("src")
        for line, name, _ in calls(source)
        if name in RUNS_TEXT
    ]

    assert [] == found, "\n".join(found)


def test_nothing_is_unpickled() -> None:
    """
    The package imports no module that runs code from bytes, and lets numpy load no pickles.
    """
    found: list[str] = []
    for source in sources("src"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            found.extend(f"{source.path}:{node.lineno} {name}" for name in names if name.split(".")[0] in RUNS_BYTES)
        for line, name, call in calls(source):
            if any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in call.keywords):
                found.append(f"{source.path}:{line} {name} allows pickles")

    assert [] == found, "\n".join(found)


def test_only_the_output_module_prints() -> None:
    """
    A library is silent: only the command line's output module writes to the terminal; and the module of the log, where
    `logging`, which does the same, can't be loaded.
    """
    writers = {"print", "sys.stdout.write", "sys.stderr.write", "click.echo", "click.secho"}
    found = [
        f"{source.path}:{line} {name}"
        for source in sources("src")
        for line, name, _ in calls(source)
        if name in writers and source.path not in (OUTPUT_MODULE, LOG_MODULE)
    ]

    assert [] == found, "\n".join(found)


def test_at_most_two_handlers_catch_everything() -> None:
    """
    Everything is caught in two places at most, where a failure must not end somebody else's work.
    """
    broad = [
        f"{source.path}:{node.lineno}"
        for source in sources("src")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]
    broad += [
        f"{source.path}:{line}"
        for source in sources("src")
        for line, name, call in calls(source)
        if name.split(".")[-1] == "suppress" and any(_is_broad(argument) for argument in call.args)
    ]

    assert len(broad) <= BROAD_HANDLERS_MAX, broad


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    members = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(member).split(".")[-1] in BROAD for member in members)
