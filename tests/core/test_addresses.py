"""
Addresses of repositories: which are folders, and what is said of the others.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.addresses import folder_of_address, has_scheme, is_server, server_address
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
        ("aim://host:53800", "aim://host:53800: this works on a folder, and the address is that of a server"),
        ("HTTPS://host", "Do it on the machine of the server"),
        ("http://host", "Do it on the machine of the server"),
        ("ssh://me:secret@host/data", "ssh://host: repositories can't be reached by SSH alone"),
        ("ssh://host:22", "`ssh -L 53800:localhost:53800 host`"),
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


@pytest.mark.parametrize(
    ("address", "server", "project", "text"),
    [
        ("aim://host", "http://host:53800", None, "aim://host:53800"),
        ("AIM://Host:53800/", "http://host:53800", None, "aim://host:53800"),
        ("aim://host/vision", "http://host:53800", "vision", "aim://host:53800/vision"),
        ("aim://10.0.0.7:8000/My_runs-2.x", "http://10.0.0.7:8000", "My_runs-2.x", "aim://10.0.0.7:8000/My_runs-2.x"),
        ("http://host:43800/vision", "http://host:43800", "vision", "http://host:43800/vision"),
        ("http://host", "http://host:80", None, "http://host"),
        ("https://host:443/nlp", "https://host:443", "nlp", "https://host/nlp"),
        ("https://host/proxy/aim/nlp", "https://host:443/proxy/aim", "nlp", "https://host/proxy/aim/nlp"),
        ("https://host/proxy/aim/", "https://host:443/proxy/aim", None, "https://host/proxy/aim/"),
        ("aim://[::1]:53800/a", "http://[::1]:53800", "a", "aim://[::1]:53800/a"),
        (Path("aim://host/vision"), "http://host:53800", "vision", "aim://host:53800/vision"),
    ],
)
def test_an_address_of_a_server_names_host_port_path_and_project(
    address: str | Path, server: str, project: str | None, text: str
) -> None:
    """
    The last part of the path is the project; the address is written in one form, which reads as itself.
    """
    read = server_address(address)

    assert (server, project, text) == (read.server, read.project, str(read))
    assert read == server_address(text)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("aim://", "the address names no host"),
        ("aim://host:port", "this address can't be read"),
        ("aim://host:0", "the address names no host"),
        ("aim://ho st", "the address names no host"),
        ("http://host:43800/runs?query=run.active", "ends with the project"),
        ("http://host/a/../b", "'..' can't be a part of the path"),
        ("aim://host/../b", "'..' can't be a part of the path"),
        ("aim://host/..", "'..' is no name of a project"),
        ("aim://host/my%20runs", "'my%20runs' is no name of a project"),
        ("/data/runs", "this is no address of a server"),
    ],
)
def test_a_wrong_address_of_a_server_is_refused(address: str, says: str) -> None:
    """
    The error says which part of the address is wrong.
    """
    with pytest.raises(UsageError) as caught:
        server_address(address)

    assert says in str(caught.value)


@pytest.mark.parametrize("address", ["aim://me:hunter2@host/vision", "https://hunter2@host", "aim:/me:hunter2@host"])
def test_an_address_with_a_password_is_refused_without_repeating_it(address: str) -> None:
    """
    A password in an address would be recorded with the run, so it is refused, and the error does not show it.
    """
    with pytest.raises(UsageError) as caught:
        server_address(address)

    assert "AIM_TOKEN" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("aim://h", True), ("HTTP://h", True), ("https:/h", True), ("ssh://h", False), ("/d", False), ("s3://b", False)],
)
def test_servers_have_three_schemes(address: str, expected: bool) -> None:
    """
    `aim`, `http` and `https` lead to a server, in capitals and as a `Path` too.
    """
    assert expected is is_server(address)
