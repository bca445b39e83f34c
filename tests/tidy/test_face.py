"""
The face of the package: what `import aim` gives, and what it costs.
"""

from __future__ import annotations

import ast
import resource
import subprocess
import sys

import pytest

import aim
from tests.tidy.tree import sources

IMPORT_MS_MAX = 30


def face_imports() -> dict[str, str]:
    """Return the names that the type checker sees in the face, with the module of each."""
    (face,) = [source for source in sources("src") if source.path == "src/aim/__init__.py"]
    (block,) = [node for node in face.tree.body if isinstance(node, ast.If)]
    return {
        alias.name: node.module or "" for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


@pytest.mark.parametrize("name", aim.__all__)
def test_each_name_of_the_face_is_there(name: str) -> None:
    """
    Whatever the face lists can be had from it.
    """
    assert getattr(aim, name) is not None


def test_type_checkers_see_the_names_that_python_gives() -> None:
    """
    The names for type checkers are the names at run time, from the same modules.
    """
    from aim import _DEFINED_IN

    assert face_imports() == _DEFINED_IN
    assert {*face_imports(), "__version__"} == set(aim.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """
    The face says plainly that it does not have a name.
    """
    with pytest.raises(AttributeError, match="module 'aim' has no attribute 'Rum'"):
        _ = aim.Rum


def test_a_star_import_leaves_other_modules_alone() -> None:
    """
    `from aim import *` does not put a module of ours over the standard library's logging.
    """
    taken = set(aim.__all__)

    assert set() == taken & set(sys.stdlib_module_names)


def test_the_version_is_a_str_and_has_a_version() -> None:
    """
    All spellings of the version that callers of Aim 3 use give the same text, in any order of use.
    """
    program = (
        "import aim, aim.__about__; first = aim.__version__; "
        "from aim.__version__ import __version__ as second; "
        "texts = {first, second, first.__version__, aim.__version__}; "
        "texts |= {aim.__version__.__version__, aim.__about__.__version__}; "
        "assert isinstance(aim.__version__, str), type(aim.__version__); "
        "assert 1 == len(texts), texts"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert 0 == ran.returncode, ran.stderr


def test_importing_costs_under_30_ms() -> None:
    """
    `import aim` adds less than 30 ms of the processor's time to a bare interpreter.
    """

    def cost_s(program: str) -> float:
        """Return the processor's time of one process: unlike the clock on the wall, it hardly feels other processes."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare_s, with_aim_s = (min(cost_s(program) for _ in range(7)) for program in ("pass", "import aim"))

    assert (with_aim_s - bare_s) * 1000 < IMPORT_MS_MAX


INSIDES = ("read_", "stored_seq", "deferred", "from_stored", "lazy_face", "facts", "points_of", "restore")


@pytest.mark.parametrize("name", ["", *(name for name in aim.__all__ if name[0].isupper())])
def test_what_people_list_shows_no_insides(name: str) -> None:
    """
    `dir(aim)` has the names that are meant for callers, and those of its classes have no method for the package itself.
    """
    listed = [entry for entry in dir(getattr(aim, name) if name else aim) if not entry.startswith("_")]

    assert [] == [entry for entry in listed if entry.startswith(INSIDES)]
    if not name:
        assert sorted(set(aim.__all__) - {"__version__"}) == listed
