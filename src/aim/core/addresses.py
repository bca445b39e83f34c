"""
Addresses of repositories: folders of this machine, and repositories on servers.

    /data/runs, runs, ~/runs                  a folder
    file:///data/runs, file:/data/my%20runs   the same, as a URI (RFC 8089)
    aim://host, aim://host:53800/vision       a server, by plain HTTP on port 53800; its project `vision`
    http://host:43800, https://host/aim/nlp   a server, by HTTP or HTTPS; its project `nlp`, under the base path `/aim`
    ssh://host                                refused: it says how SSH forwards a port
    s3://bucket, file://host/data             refused: neither a folder of this machine nor a server

The last part of the path of a server is the project, and what stands before it is the base path under which a proxy
shows the server. A slash at the end says that all of the path is the base path: `https://host/aim/`. Without a project
the server's only repository is meant.

An address has no user and no password: it is pickled and logged with the run. Nothing is ever made in a folder named
`file:` or `s3:`. A `Path` of a URI has lost one of its two slashes, and is understood all the same.
"""

from __future__ import annotations

import os
from pathlib import Path

from aim.core.errors import UsageError
from aim.core.patterns import pattern
from aim.core.tuples import NamedTuple

SERVER_PORTS = {"aim": 53_800, "http": 80, "https": 443}
"""The schemes of addresses of servers, with the port that each means when none is given."""
SCHEME = pattern(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # two letters at least: `c:/` is a drive
PROJECT = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
BASE_PART = pattern(r"[A-Za-z0-9._~%!$&'()*+,;=:@-]+")
HOST = pattern(r"[a-z0-9._-]{1,253}|[0-9a-f:.]+(%25[a-z0-9._~-]+)?")  # a name or IPv4 address; an IPv6 address


class ServerAddress(NamedTuple):
    """
    Where a repository on a server is.

    Attributes:
        scheme: `aim`, `http` or `https`.
        host: a name, or an IP address (an IPv6 address without its brackets), in lower case.
        base: the path under which a proxy shows the server, such as `/aim`; empty: none.
        project: which of the server's repositories; None: its only one.
    """

    scheme: str
    host: str
    port: int
    base: str = ""
    project: str | None = None

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """The address of the host itself, for requests."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}"

    @property
    def server(self) -> str:
        """The server itself: one text for all forms of its address."""
        return f"{self.origin}{self.base}"

    def __str__(self) -> str:
        """Return the address, in one form for all that mean the same repository."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.scheme != "aim" and self.port == SERVER_PORTS[self.scheme] else f":{self.port}"
        path = f"{self.base}/{self.project}" if self.project else f"{self.base}/" if self.base else ""
        return f"{self.scheme}://{host}{port}{path}"


def has_scheme(address: str) -> bool:
    """
    Return whether *address* is a URI, not a path.

    >>> has_scheme("s3://bucket"), has_scheme("c:/runs"), has_scheme("runs/a:b")
    (True, False, False)
    """
    return SCHEME.match(address) is not None


def is_server(address: str | os.PathLike[str]) -> bool:
    """
    Return whether *address* has the form of a repository on a server.

    >>> is_server("aim://host"), is_server("https://host/vision"), is_server("file:///data"), is_server("ssh://host")
    (True, True, False, False)
    """
    match = SCHEME.match(os.fspath(address))
    return match is not None and match[1].lower() in SERVER_PORTS


def server_address(address: str | os.PathLike[str]) -> ServerAddress:
    """
    Read the address of a repository on a server.

    Raises:
        UsageError: it has a user or a password, no host, or another form than those of this module.

    >>> server_address("aim://Host/vision")
    ServerAddress(scheme='aim', host='host', port=53800, base='', project='vision')
    >>> server_address("https://host/proxy/aim/vision")
    ServerAddress(scheme='https', host='host', port=443, base='/proxy/aim', project='vision')
    >>> str(server_address("aim://host")), str(server_address("https://host:443/aim/"))
    ('aim://host:53800', 'https://host/aim/')
    """
    from urllib.parse import urlsplit  # a training that names a path does not pay for it

    text = os.fspath(address)
    match = SCHEME.match(text)
    if match is None or match[1].lower() not in SERVER_PORTS:
        raise UsageError(f"{text}: this is no address of a server, such as aim://host:53800/project.")
    scheme = match[1].lower()
    whole = f"{scheme}://{text[match.end() :].lstrip('/')}"
    _check_no_user(whole)
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"{text}: this address can't be read: {error}.") from None
    if not HOST.fullmatch(host) or port == 0:
        raise UsageError(f"{text}: the address names no host. It has the form {scheme}://host:port/project.")
    if parts.query or parts.fragment:
        raise UsageError(
            f"{text}: an address of a repository ends with the project. What follows '?' or '#' belongs to a page."
        )
    base, project = _path_of(parts.path, text)
    return ServerAddress(scheme, host, SERVER_PORTS[scheme] if port is None else port, base, project)


def _check_no_user(whole: str) -> None:
    authority = whole.partition("://")[2].partition("/")[0]
    if "@" in authority:
        safe = f"{whole.partition('://')[0]}://{authority.rpartition('@')[2]}"  # the error must not show the password
        raise UsageError(
            f"{safe}: the address has a user or a password, which would be recorded and logged with it. Leave them "
            "out; a token comes from AIM_TOKEN, or from `aim login`."
        )


def _path_of(path: str, text: str) -> tuple[str, str | None]:
    *base_parts, last = path.split("/")
    base = [part for part in base_parts if part]
    for part in base:
        if part in (".", "..") or not BASE_PART.fullmatch(part):
            raise UsageError(f"{text}: {part!r} can't be a part of the path of a server.")
    if last and not PROJECT.fullmatch(last):
        raise UsageError(
            f"{text}: {last!r} is no name of a project: it has 1 to 64 letters, digits, '.', '_' and '-', and begins "
            "with a letter or a digit."
        )
    return "".join(f"/{part}" for part in base), last or None


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
    if scheme in SERVER_PORTS:
        raise UsageError(
            f"{server_address(address)}: this works on a folder, and the address is that of a server. Do it on the "
            "machine of the server, with the folder that it serves."
        )
    if scheme == "ssh":
        host = pattern(r"[/:?#]").split(text[match.end() :].lstrip("/").rpartition("@")[2])[0] or "host"
        raise UsageError(
            f"ssh://{host}: repositories can't be reached by SSH alone. Run `aim server` there, forward its port with "
            f"`ssh -L 53800:localhost:53800 {host}`, and use aim://localhost:53800."
        )
    raise UsageError(f"{text}: a repository at such an address can't be opened. Give a folder, or aim://host.")


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
