"""
The artifacts of a run: one event line for each, written after the file is stored.

    {"artifact":{"name":"model/weights.pt","uri":"s3://bucket/runs/3df703c/model/weights.pt","size":51200,"sha256":"9f86..."}}

The latest line of a name counts. A `uri` of null stands for a file in the run's own folder, `files/<name>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.core.tuples import NamedTuple

FILES_FOLDER = "files"


class ArtifactRecord(NamedTuple):
    """
    One stored artifact.

    Attributes:
        uri: of the file; None: it is in the run's own folder.
        sha256: of its content, hex.
        at_s: when it was stored.
    """

    name: str
    uri: str | None
    size_bytes: int
    sha256: str
    at_s: float

    @classmethod
    def from_event(cls, at_s: float, event: Mapping[str, Any]) -> ArtifactRecord:
        """
        Return the record of an event line.

        >>> ArtifactRecord.from_event(1.0, {"name": "a", "uri": None, "size": 5, "sha256": "2c"}).size_bytes
        5
        """
        name, uri = str(event["name"]), event.get("uri")
        return cls(name, None if uri is None else str(uri), int(event["size"]), str(event["sha256"]), at_s)

    def event(self) -> dict[str, Any]:
        """Return the form of the event line."""
        return {"name": self.name, "uri": self.uri, "size": self.size_bytes, "sha256": self.sha256}
