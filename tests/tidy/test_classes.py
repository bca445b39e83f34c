"""
The limits of what a reader keeps in mind: branches of a function, members of a class, names that tell nothing.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator

from tests.tidy.tree import DefinitionNode, FunctionNode, Source, definitions, sources

COMPLEXITY_MAX = 12
MEMBERS_MAX = 25
UNIVERSAL_NOUNS_MAX = 5.0  # for each 1,000 lines
UNIVERSAL_NOUNS = frozenset(
    [
        "found",
        "place",
        "places",
        "known",
        "one",
        "own",
        "given",
        "shown",
        "there",
        "wanted",
        "kept",
        "rest",
        "told",
        "about",
        "facts",
        "of",
    ]
)
# Their public names are Aim 3's, for scripts that were written for it; only their private members are counted.
PUBLIC_FACES = {"Run", "RunView", "Repo", "Sequence", "ArrayView", "Image"}

# Aim 3 has a class of this name for each framework, told apart by their modules.
ADAPTER_FACES = {"AimCallback", "AimLogger", "AimTracker"}


def complexity(function: DefinitionNode) -> int:
    """
    Count the ways through a function: 1, and 1 for each branch, handler, comprehension and further operand of and/or.

    A function inside another one is counted by itself (McCabe 1976, with boolean operators as radon counts them).
    """
    ways = 1
    pending = list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        if isinstance(node, DefinitionNode):
            continue
        if isinstance(node, (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert)):
            ways += 1
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While, ast.Try)) and node.orelse:
            ways += 1
        if isinstance(node, ast.BoolOp):
            ways += len(node.values) - 1
        if isinstance(node, ast.comprehension):
            ways += 1 + len(node.ifs)
        if isinstance(node, ast.match_case):
            ways += 1
        pending.extend(ast.iter_child_nodes(node))
    return ways


def members(node: ast.ClassDef) -> set[str]:
    """Return the names of a class: methods, declared fields, and what its methods set on `self`."""
    names = {inner.name for inner in node.body if isinstance(inner, FunctionNode)}
    names |= {
        inner.target.id
        for inner in node.body
        if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)
    }
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Attribute)
            and isinstance(inner.ctx, ast.Store)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "self"
        ):
            names.add(inner.attr)
    return names


def classes(source: Source) -> Iterator[ast.ClassDef]:
    """Yield every class of a file."""
    yield from (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))


def test_no_function_has_more_than_12_ways_through_it() -> None:
    """
    A function whose branches can't be counted on two hands is parted.
    """
    branched = {
        f"{source.path}:{node.lineno} {name}": ways
        for source in sources("src")
        for name, node in definitions(source)
        if isinstance(node, FunctionNode) and (ways := complexity(node)) > COMPLEXITY_MAX
    }

    assert {} == branched


def test_no_class_has_more_than_25_members() -> None:
    """
    Methods and attributes of a class are at most 25; of Aim 3's public faces only the private ones count.
    """
    large = {}
    for source in sources("src"):
        for node in classes(source):
            names = members(node)
            if node.name in PUBLIC_FACES:
                names = {name for name in names if name.startswith("_") and not name.endswith("__")}
            if len(names) > MEMBERS_MAX:
                large[f"{source.path}:{node.lineno} {node.name}"] = len(names)

    assert {} == large


def test_a_class_name_is_unique() -> None:
    """
    A reader who meets the name of a class knows which one is meant; adapters have the names of Aim 3.
    """
    modules = defaultdict(list)
    for source in sources("src"):
        for node in classes(source):
            modules[node.name].append(f"{source.path}:{node.lineno}")

    repeated = {name: places for name, places in modules.items() if len(places) > 1}
    assert {} == {name: places for name, places in repeated.items() if name not in ADAPTER_FACES}


def test_a_name_says_what_it_holds() -> None:
    """
    Words that only say that something was obtained are at most 5 of the identifiers in 1,000 lines.
    """
    counts = {
        source.path: sum(
            token.type == tokenize.NAME and token.string in UNIVERSAL_NOUNS
            for token in tokenize.generate_tokens(io.StringIO(source.text).readline)
        )
        for source in sources("src")
    }
    line_count = sum(source.line_count for source in sources("src"))
    most = sorted(counts.items(), key=lambda item: -item[1])[:10]

    assert sum(counts.values()) * 1000 / line_count <= UNIVERSAL_NOUNS_MAX, most
