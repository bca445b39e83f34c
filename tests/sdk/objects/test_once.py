"""
A warning is said once.
"""

from __future__ import annotations

import pytest

from aim.sdk.objects import once


def test_a_subject_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    The second warning of a subject is silent, that of another subject is not.
    """
    once.forget()
    once.warn_once("alpha", "first")
    once.warn_once("alpha", "second")
    once.warn_once("beta", "third")

    assert ["first", "third"] == [record.message for record in caplog.records]
