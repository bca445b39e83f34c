"""
The tree of errors: what callers of Aim 3 catch, and how a wrong query is shown.
"""

from __future__ import annotations

import pytest

from aim.core import errors


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (errors.InvalidQuery, (errors.UsageError, SyntaxError)),
        (errors.UntrackableValue, (errors.UsageError, ValueError)),
        (errors.UnstorableParam, (errors.UsageError, TypeError, ValueError)),
        (errors.WrongType, (errors.UsageError, TypeError)),
        (errors.ReadOnly, (errors.UsageError,)),
        (errors.RunClosed, (errors.UsageError,)),
        (errors.RepoNotFound, (errors.NotFound, RuntimeError)),
        (errors.RunNotFound, (errors.NotFound, RuntimeError)),
        (errors.UnsupportedFormat, (errors.AimError, RuntimeError)),
        (errors.RunExists, (errors.AimError,)),
        (errors.DamagedFile, (errors.AimError,)),
    ],
)
def test_each_error_is_what_callers_catch(error: type[Exception], kinds: tuple[type[Exception], ...]) -> None:
    """
    Each error is ours, and also the built-in error that Aim 3 raised in its place.
    """
    assert issubclass(error, errors.AimError)
    for kind in kinds:
        assert issubclass(error, kind)


@pytest.mark.parametrize(
    ("query", "start", "end", "suggestion", "shown"),
    [
        ("run.hparam.lr", 4, 10, "hparams", "no. Did you mean `hparams`?\n    run.hparam.lr\n        ^^^^^^"),
        ("run.lr", 0, None, None, "no\n    run.lr\n    ^^^^^^"),
        ("a\nbc == 1\nd", 2, 4, None, "no\n    bc == 1\n    ^^"),
        ("a\nbc", 3, 99, None, "no\n    bc\n     ^"),
        ("a ==", 4, 4, None, "no\n    a ==\n        ^"),
        ("", 0, None, None, "no\n    \n    ^"),
    ],
)
def test_a_wrong_query_is_shown_with_the_place(
    query: str, start: int, end: int | None, suggestion: str | None, shown: str
) -> None:
    """
    The line at fault is shown with a caret under the fault, on several lines too and at the end of the text.
    """
    assert shown == str(errors.InvalidQuery("no", query, start, end, suggestion))


def test_a_wrong_query_has_the_attributes_of_a_syntax_error() -> None:
    """
    Line and column are those of `SyntaxError`, counted from 1.
    """
    error = errors.InvalidQuery("no", "a\nbc == 1", 3, 4)

    assert ("no", "a\nbc == 1", 2, 2) == (error.msg, error.text, error.lineno, error.offset)


def test_damage_says_file_place_and_what_to_do() -> None:
    """
    The message of damage names the file, the place and the commands that help.
    """
    error = errors.DamagedFile("x.points-0000", "byte 4,096", "CRC 1, expected 2")

    assert ("x.points-0000", "byte 4,096", "CRC 1, expected 2") == (error.file, error.position, error.defect)
    assert "x.points-0000 is damaged at byte 4,096: CRC 1, expected 2." in str(error)
    assert "`aim fsck`" in str(error)
    assert "`aim repair`" in str(error)
