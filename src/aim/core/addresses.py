"""
Addresses of repositories, and the folders that they name.

    /data/runs, runs, ~/runs                a folder
    file:///data/runs, file:/data/my%20runs the same, as a URI (RFC 8089)
    aim://host, https://host, ssh://host    refused: repositories on servers are not there yet
    s3://bucket, file://host/data           refused: no folder of this machine

Nothing is ever made in a folder named `file:` or `s3:`. A `Path` of a URI has lost one of its two slashes, and is
understood all the same.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from aim.core.errors import UsageError

SERVER_SCHEMES = ("aim", "http", "https", "ssh")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # two letters at least: `c:/` is a drive


def has_scheme(address: str) -> bool:
    """
    Return whether *address* is a URI, not a path.

    >>> has_scheme("s3://bucket"), has_scheme("c:/runs"), has_scheme("runs/a:b")
    (True, False, False)
    """
    return SCHEME.match(address) is not None


def folder_of_address(address: str | os.PathLike[str]) -> Path:
    """
    Return the folder that *address* names.

    Raises:
        UsageError: it names no folder of this machine.

    >>> folder_of_address("file:///data/my%20runs").as_posix(), folder_of_address("runs").as_posix()
    ('/data/my runs', 'runs')
    """
    text = os.fspath(address)
    match = SCHEME.match(text)
    if match is None:
        return Path(os.path.expanduser(text))
    scheme = match[1].lower()
    if scheme == "file":
        return _folder_of_uri(text)
    where = "on a server" if scheme in SERVER_SCHEMES else "at such an address"
    raise UsageError(f"{text}: a repository {where} can't be opened by this version; give a folder.")


def _folder_of_uri(uri: str) -> Path:
    from urllib.parse import unquote  # a training that names a path does not pay for it

    path = uri[len("file:") :]
    if path.startswith("//"):
        host, _, path = path[2:].partition("/")
        if host not in ("", "localhost"):
            raise UsageError(
                f"{uri}: it names the host {host!r}, not a folder of this one. Did you mean file:///{host}/…?"
            )
        path = f"/{path}"
    plain = unquote(path)
    return Path(plain[1:] if os.name == "nt" and plain[2:3] == ":" else plain)
