"""
Who may do what: rights, the roles that have them, and the right that each address needs. Specified in
docs/formats/wire.md, section 11.

              read  record  edit  change  admin
    viewer     x                                  look, ask, export
    writer     x      x      x                    and record runs, fork them, and edit them; delete nothing
    editor     x             x      x             and edit, delete and undo; documents and tags
    admin      x      x      x      x       x     all of it, in every project, and tokens

`NEEDED` is the only table of this kind. An address that it lacks is not served: the app refuses to start.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

READ, RECORD, EDIT, CHANGE, ADMIN = "read", "record", "edit", "change", "admin"
OPEN = "open"  # for pages and their files, which hold no data: everybody gets them, also without a token
VIEWER, WRITER, EDITOR, ADMINISTRATOR = "viewer", "writer", "editor", "admin"
RIGHTS: Mapping[str, frozenset[str]] = {
    VIEWER: frozenset({READ}),
    WRITER: frozenset({READ, RECORD, EDIT}),
    EDITOR: frozenset({READ, EDIT, CHANGE}),
    ADMINISTRATOR: frozenset({READ, RECORD, EDIT, CHANGE, ADMIN}),
}
"""The rights of each role."""
EVERY_PROJECT = ("*",)
GRANTS_KEPT = 256  # of who asks and where: a training asks each second

REPOSITORY = "/api/repos/{repo}"
SHIPPING = f"{REPOSITORY}/ship"  # makes the repository if there is none, and it is a project of a folder of projects
NEEDED: Mapping[str, str] = {
    "GET /api/info": READ,
    "POST /api/login": OPEN,
    "POST /api/logout": OPEN,
    "GET /api/oidc/begin": OPEN,
    "GET /api/oidc/done": OPEN,
    "GET /api/plotly.js": READ,
    "GET /api/metrics": READ,
    "GET /healthz": OPEN,
    "GET /api/tokens": READ,  # whose, and which they may make, depends on who asks: token_requests.py
    "POST /api/tokens": READ,
    "DELETE /api/tokens/{id}": READ,
    f"POST {REPOSITORY}/runs": READ,
    f"POST {REPOSITORY}/fields": READ,
    f"POST {REPOSITORY}/groups": READ,
    f"GET {REPOSITORY}/runs/{{run}}": READ,
    f"GET {REPOSITORY}/runs/{{run}}/log": READ,
    f"GET {REPOSITORY}/runs/{{run}}/records": READ,
    f"GET {REPOSITORY}/runs/{{run}}/artifacts/{{name:path}}": READ,
    f"GET {REPOSITORY}/alerts": READ,
    f"GET {REPOSITORY}/alerting": READ,
    f"POST {REPOSITORY}/alerting/rules": CHANGE,
    f"DELETE {REPOSITORY}/alerting/rules/{{id}}": CHANGE,
    f"PUT {REPOSITORY}/alerting/channels/{{name}}": CHANGE,  # of all repositories: ADMIN, see alerting.py
    f"DELETE {REPOSITORY}/alerting/channels/{{name}}": CHANGE,
    f"POST {REPOSITORY}/alerting/channels/{{name}}/test": CHANGE,
    f"POST {REPOSITORY}/series": READ,
    f"POST {REPOSITORY}/compare-groups": READ,
    f"POST {REPOSITORY}/objects": READ,
    f"GET {REPOSITORY}/blobs/{{blob}}": READ,
    f"GET {REPOSITORY}/thumbs/{{blob}}": READ,
    f"POST {REPOSITORY}/tables": READ,
    f"GET {REPOSITORY}/tables/{{blob}}": READ,
    f"GET {REPOSITORY}/events": READ,
    f"POST {REPOSITORY}/edits": EDIT,  # deletions need CHANGE: see `check_change`
    f"GET {REPOSITORY}/edits": READ,
    f"GET {REPOSITORY}/edits/{{undo}}": READ,
    f"POST {REPOSITORY}/ship": RECORD,
    f"POST {REPOSITORY}/undo": CHANGE,
    f"POST {REPOSITORY}/demo": CHANGE,
    f"GET {REPOSITORY}/importable": READ,
    f"GET {REPOSITORY}/documents": READ,
    f"PUT {REPOSITORY}/documents/{{kind}}/{{id}}": CHANGE,
    f"DELETE {REPOSITORY}/documents/{{kind}}/{{id}}": CHANGE,
    f"POST {REPOSITORY}/complete": READ,
    f"POST {REPOSITORY}/check": READ,
    f"POST {REPOSITORY}/query": READ,
    f"POST {REPOSITORY}/subject": READ,
    f"POST {REPOSITORY}/explain": READ,
    f"POST {REPOSITORY}/hints": READ,
    f"POST {REPOSITORY}/names": READ,
    f"POST {REPOSITORY}/table": READ,
    f"POST {REPOSITORY}/summaries": READ,
    f"POST {REPOSITORY}/hashes": READ,
    f"POST {REPOSITORY}/states": READ,
    f"POST {REPOSITORY}/sequences": READ,
    f"POST {REPOSITORY}/past": RECORD,
    f"POST {REPOSITORY}/records": READ,
    f"POST {REPOSITORY}/data": READ,
    f"POST {REPOSITORY}/points": READ,
    f"POST {REPOSITORY}/edit": EDIT,  # deletions of points need CHANGE: see `check_change`
    f"POST {REPOSITORY}/fork": RECORD,
    f"GET {REPOSITORY}/tags": READ,
    f"POST {REPOSITORY}/tags": CHANGE,
    f"GET {REPOSITORY}/runs/{{run}}/archive": READ,
    f"GET {REPOSITORY}/export/{{subject}}.{{format}}": READ,
    "GET /status": OPEN,  # what a client of Aim 3 asks: aim3_clients.py
    "GET /status/": OPEN,
    "GET /{base:path}/status/": OPEN,
    "GET /client/{rest:path}": OPEN,
    "GET /{base:path}/client/{rest:path}": OPEN,
    "GET /assets/{name}": OPEN,
    "GET /figure": OPEN,
    "GET /run/{run}": OPEN,
    "GET /runs/{run}": OPEN,
    "GET /runs/{run}/{tab}": OPEN,
    "GET /": OPEN,
    "GET /runs": OPEN,
    "GET /metrics": OPEN,  # the page; for a monitor it is /api/metrics, and needs the same
    "GET /params": OPEN,
    "GET /media": OPEN,
    "GET /text": OPEN,
    "GET /reports": OPEN,
    "GET /reports/{report}": OPEN,
    "GET /compare": OPEN,
    "GET /alerts": OPEN,
    "GET /settings": OPEN,
    "GET /docs": OPEN,
    "GET /{path:path}": OPEN,
}
"""The right that an address needs, by its method and its path as the routes write it; HEAD needs that of GET."""


@dataclass(frozen=True)
class Grant:
    """A role in the projects that match one of some patterns."""

    role: str
    projects: tuple[str, ...] = EVERY_PROJECT

    def covers(self, project: str) -> bool:
        """Return whether *project* is one of its projects."""
        return any(fnmatch.fnmatchcase(project, pattern) for pattern in self.projects)


@dataclass(frozen=True)
class Principal:
    """
    Who sends a request.

    Attributes:
        name: of the person or of the token; empty where nobody is asked who they are.
        role: one of `RIGHTS`.
        projects: patterns of the projects that it may see, as in `vision*`.
        token_id: of the token that the request carries, if it is one of the token file.
        session_id: of the session of a person who signed in.
        more_grants: what else it may do, beside *role* in *projects*.
        is_person: whether it is a person, whom a proxy or a provider of identities vouches for, not a token.

    >>> ada = Principal("ada", "viewer", ("vision*",))
    >>> ada.may("read"), ada.may("edit"), ada.covers("vision-2"), ada.covers("nlp")
    (True, False, True, False)
    """

    name: str
    role: str
    projects: tuple[str, ...] = EVERY_PROJECT
    token_id: str = ""
    session_id: str = ""
    is_person: bool = False
    more_grants: tuple[Grant, ...] = ()

    @property
    def grants(self) -> tuple[Grant, ...]:
        """All that it may do."""
        return (Grant(self.role, self.projects), *self.more_grants)

    def may(self, right: str, project: str | None = None) -> bool:
        """Return whether it has a right, in a project if one is named, else in any."""
        return right == OPEN or any(right in rights for rights in self._rights(project))

    def rights_in(self, project: str) -> frozenset[str]:
        """Return its rights in a project."""
        return frozenset().union(*self._rights(project))

    def covers(self, project: str) -> bool:
        """Return whether *project* is one of those that it may see."""
        return self.may(READ, project)

    def _rights(self, project: str | None) -> tuple[frozenset[str], ...]:
        return _rights_of(self.grants, project)


@lru_cache(GRANTS_KEPT)
def _rights_of(grants: tuple[Grant, ...], project: str | None) -> tuple[frozenset[str], ...]:
    return tuple(RIGHTS[grant.role] for grant in grants if project is None or grant.covers(project))


ANYBODY = Principal("", ADMINISTRATOR)
"""Who asks a server that asks nobody who they are."""
VISITOR = Principal("", VIEWER)
"""Who asks a server that everybody may read."""


def needed_right(method: str, path: str) -> str:
    """
    Return the right that a request needs.

    Args:
        path: as the routes write it.

    Raises:
        LookupError: the table has no such address.

    >>> needed_right("HEAD", "/api/repos/{repo}/alerts")
    'read'
    """
    name = f"{'GET' if method == 'HEAD' else method} {path}"
    if name not in NEEDED:
        raise LookupError(f"{name} names no right: add a row to NEEDED in server/roles.py")
    return NEEDED[name]


def roles_with(right: str) -> list[str]:
    """
    List the roles that have a right, for people.

    >>> roles_with("edit")
    ['writer', 'editor', 'admin']
    """
    return [role for role, rights in RIGHTS.items() if right in rights]
