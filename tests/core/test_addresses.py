"""
Addresses of repositories: which are folders, and what is said of the others.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.addresses import folder_of_address, has_scheme
from aim.core.errors import UsageError


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("/data/runs", "/data/runs"),
        ("runs", "runs"),
        ("runs/a:b", "runs/a:b"),
        ("c:/runs", "c:/runs"),
        ("~/runs", f"{Path.home()}/runs"),
        ("/data/my%20runs", "/data/my%20runs"),
        ("file:///data/my%20runs", "/data/my runs"),
        ("FILE:///data", "/data"),
        ("file:/data", "/data"),
        ("file://localhost/data", "/data"),
        ("file:///", "/"),
        (Path("file:///data/runs"), "/data/runs"),
    ],
)
def test_an_address_of_this_machine_is_a_folder(address: str | Path, folder: str) -> None:
    """
    Paths stay as they are but for the home; URIs lose their escapes, and a `Path` of one its slash.
    """
    assert folder == folder_of_address(address).as_posix()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("aim://host:53800", "aim://host:53800: a repository on a server can't be opened"),
        ("HTTPS://host", "a repository on a server"),
        ("http://host", "a repository on a server"),
        ("ssh://host/data", "a repository on a server"),
        ("s3://bucket/runs", "s3://bucket/runs: a repository at such an address can't be opened"),
        ("git+ssh://host", "a repository at such an address"),
        ("file://host/data", "it names the host 'host', not a folder of this one. Did you mean file:///host/"),
    ],
)
def test_another_address_is_refused(address: str, says: str) -> None:
    """
    Nothing is ever made in a folder named after a scheme; the error names the address and what is wrong with it.
    """
    with pytest.raises(UsageError) as caught:
        folder_of_address(address)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://b", True),
        ("file:/d", True),
        ("az:/d", True),
        ("c:/d", False),
        ("a:b", False),
        ("1a:/b", False),
        ("", False),
    ],
)
def test_a_scheme_has_two_letters_and_a_slash(address: str, expected: bool) -> None:
    """
    `c:/` is a drive, and a colon in a name is no scheme.
    """
    assert expected is has_scheme(address)
