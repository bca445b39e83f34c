"""
What an adapter says when its framework is missing, or broken.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.sdk.adapters.session.frameworks import FrameworkMissing, first_framework, framework, retired


@pytest.mark.parametrize("kind", [ImportError, RuntimeError])
def test_a_missing_framework_is_both_errors_of_aim_3(kind: type[Exception]) -> None:
    """
    Callers that caught either error of Aim 3 catch this one; it names the package.
    """
    with pytest.raises(kind, match="aim.example needs some-package: pip install some-package"):
        framework("no_such_module.deep", "some-package", "aim.example")


def test_a_broken_framework_says_what_broke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A framework that is installed and can't be imported is not said to be missing: its own error is the cause.
    """
    (tmp_path / "broken_framework.py").write_text("import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(FrameworkMissing, match="fails to import: No module named 'no_such_dependency'") as raised:
        framework("broken_framework", "broken-framework", "aim.example")
    assert isinstance(raised.value.__cause__, ModuleNotFoundError)


def test_the_first_framework_that_is_installed_is_taken() -> None:
    """
    Of several modules the first one that is there counts; without any, the packages are named.
    """
    assert "json" == first_framework({"no_such_module": "a", "json": "b"}, "aim.example").__name__
    with pytest.raises(FrameworkMissing, match="needs a or b: pip install a"):
        first_framework({"no_such_module": "a", "neither": "b"}, "aim.example")


def test_a_retired_framework_says_so() -> None:
    """
    The error of a framework that nobody maintains says what to do.
    """
    assert "aim.old is not available: Record with Run." == str(retired("aim.old", "Record with Run."))
