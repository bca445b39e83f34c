"""
Names and docstrings: a module is named by its subject, a public name says what it is for.
"""

from __future__ import annotations

import ast
from typing import TypeGuard

import pytest

from tests.tidy.tree import Source, definitions, sources

# Names that fit any content, so that any content ends up there.
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "manager", "misc", "tools", "shared"}
# Paths that callers of Aim 3 import from; each only hands names on.
PUBLIC_PATHS_OF_AIM_3 = {"aim.utils", "aim.sdk.utils", "aim.sdk.num_utils"}


def is_public(name: str) -> bool:
    """Return whether no part of the dotted *name* begins with an underscore."""
    return not any(part.startswith("_") for part in name.split("."))


def test_a_module_is_named_by_its_subject() -> None:
    """
    No module or package has a name that says nothing of its subject.
    """
    named = {
        source.path: set(source.module.replace("/", ".").split(".")) & BANNED_NAMES
        for source in sources()
        if source.module not in PUBLIC_PATHS_OF_AIM_3
    }

    assert {} == {path: names for path, names in named.items() if names}


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.path)
def test_a_file_begins_with_what_it_is_about(source: Source) -> None:
    """
    Each Python file has a header docstring.
    """
    assert ast.get_docstring(source.tree), f"{source.path} has no header docstring"


def test_every_public_name_has_a_docstring() -> None:
    """
    Each public class, method and function of the package says what it does; a method that overrides another one has
    the docstring of that one.
    """
    inherited = _overrides()
    silent = [
        f"{source.path}:{node.lineno} {name}"
        for source in sources("src")
        for name, node in definitions(source)
        if is_public(name) and name not in inherited and not _is_variant(node) and not ast.get_docstring(node)
    ]

    assert [] == silent, "\n".join(silent)


def test_every_test_is_a_sentence() -> None:
    """
    Each test has a docstring of what holds.
    """
    silent = [
        f"{source.path}:{node.lineno} {name}"
        for source in sources("tests")
        for name, node in definitions(source)
        if name.split(".")[-1].startswith("test_") and not ast.get_docstring(node)
    ]

    assert [] == silent, "\n".join(silent)


def _overrides() -> set[str]:
    """Return the methods, as `Class.method`, that a base class in the package also has."""
    classes = {name: node for source in sources("src") for name, node in definitions(source) if is_class(node)}
    methods = {name: {getattr(member, "name", "") for member in node.body} for name, node in classes.items()}
    bases = {name: [ast.unparse(base).partition("[")[0] for base in node.bases] for name, node in classes.items()}

    def inherited(name: str) -> set[str]:
        above = [base for base in bases.get(name, ()) if base in methods and base != name]
        return set().union(*(methods[base] | inherited(base) for base in above))

    return {f"{name}.{method}" for name in classes for method in methods[name] & inherited(name)}


def is_class(node: ast.AST) -> TypeGuard[ast.ClassDef]:
    """Return whether *node* defines a class."""
    return isinstance(node, ast.ClassDef)


def _is_variant(node: ast.AST) -> bool:
    """Return whether *node* restates what is documented elsewhere: an overload, a setter, a member of a Protocol."""
    body = getattr(node, "body", [])
    if len(body) == 1 and ast.unparse(body[0]) == "...":
        return True  # a member of a Protocol, whose own docstring says what it is for
    decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(
        name.endswith((".setter", ".deleter")) or name in ("overload", "typing.overload", "override")
        for name in decorators
    )
