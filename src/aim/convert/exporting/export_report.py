"""
What an export wrote, and what its format can't hold. Nothing is left out without a line here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim.core.words import counted


@dataclass
class ExportReport:
    """
    What an export wrote.

    Attributes:
        format: the name of the format, such as `parquet`.
        path: the file or folder that was written.
        runs, points, objects, files: how many of each; *files* are artifacts.
        size_bytes: of all that was written.
        left_out: how many things the format can't hold, by the reason.
        notes: sentences about the export as a whole.

    >>> report = ExportReport("csv", Path("out"), runs=2, points=1204, size_bytes=30_000)
    >>> report.leave_out("an object (its kind and step are lost too)", 7)
    >>> print(report.text())
    wrote     csv  out
     runs      2
     points    1,204
     objects   0
     files     0
     size      30,000 bytes
     left out  7 x an object (its kind and step are lost too)
    """

    format: str
    path: Path
    runs: int = 0
    points: int = 0
    objects: int = 0
    files: int = 0
    size_bytes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count things that the format can't hold; *reason* says what they are, and what becomes of them."""
        if count:
            self.left_out[reason] += count

    def note(self, sentence: str) -> None:
        """Say something about the export as a whole, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def text(self) -> str:
        """Return the report for people, a line for each kind of thing."""
        counts = [("runs", self.runs), ("points", self.points), ("objects", self.objects), ("files", self.files)]
        lines = [f"wrote     {self.format}  {self.path}"]
        lines += [f" {label:<9} {count:,}" for label, count in counts]
        lines.append(f" {'size':<9} {counted(self.size_bytes, 'byte')}")
        lines += [f" {'left out':<9} {count:,} x {reason}" for reason, count in sorted(self.left_out.items())]
        lines += [f" {'note':<9} {sentence}" for sentence in self.notes]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the same as data."""
        return {
            "format": self.format,
            "path": str(self.path),
            "runs": self.runs,
            "points": self.points,
            "objects": self.objects,
            "files": self.files,
            "size_bytes": self.size_bytes,
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
        }
