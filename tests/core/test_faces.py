"""
Lazy packages: names that are imported when they are first used.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from aim.core import faces


@pytest.fixture(name="package")
def _package() -> Iterator[types.ModuleType]:
    """
    An empty package that is imported.
    """
    package = types.ModuleType("lazy_example")
    sys.modules["lazy_example"] = package
    yield package
    del sys.modules["lazy_example"]


def test_a_name_is_imported_once(package: types.ModuleType) -> None:
    """
    The first use imports the module and keeps the value in the package, where Python finds it from then on.
    """
    get, _ = faces.lazy_face("lazy_example", {"dumps": "json"})
    assert "dumps" not in vars(package)
    value = get("dumps")

    assert value is sys.modules["json"].dumps
    assert value is vars(package)["dumps"]


@pytest.mark.parametrize("name", ["missing", "__path__", "Dumps"])
def test_another_name_is_an_attribute_error(package: types.ModuleType, name: str) -> None:
    """
    The error is the one of any module, so that `hasattr` and imports understand it.
    """
    get, _ = faces.lazy_face("lazy_example", {"dumps": "json"})
    with pytest.raises(AttributeError, match=f"module 'lazy_example' has no attribute '{name}'"):
        get(name)


def test_all_names_are_listed(package: types.ModuleType) -> None:
    """
    `dir` shows what the package hands on, each once and sorted, and nothing that it imports for itself.
    """
    vars(package)["own"] = 1
    get, list_names = faces.lazy_face("lazy_example", {"dumps": "json", "Path": "pathlib"})
    get("Path")
    names = list_names()

    assert ["Path", "dumps"] == [name for name in names if not name.startswith("__")]
    assert names == sorted(set(names))
