"""
A reader of frames, written from docs/formats/wire.md alone.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTHS = {"i4": 4, "f4": 4, "f8": 8}


@dataclass(frozen=True)
class Part:
    """
    One drawn part of a series.
    """

    run: str | None
    metric: str
    part: str
    x: list[float]
    y: list[float]
    points: int
    nan: int
    inf: int
    begins_at: float | None
    group: int

    @property
    def label(self) -> tuple[str | None, str, str]:
        """The run, the name of the part, and the metric."""
        return self.run, self.part, self.metric


@dataclass(frozen=True)
class Frame:
    """
    The header and the parts of a frame, in order.
    """

    header: dict[str, Any]
    parts: list[Part]

    def only(self, run: str | None, part: str = "line", metric: str = "loss") -> Part:
        """Return the only part of that run, metric and name."""
        label = (run, part, metric)
        (matching,) = [candidate for candidate in self.parts if candidate.label == label]
        return matching


def read(content: bytes) -> Frame:
    """Read a frame."""
    magic, header_bytes = struct.unpack_from("<4sI", content)
    assert b"AXF1" == magic
    assert 0 == header_bytes % 8
    header = json.loads(content[8 : 8 + header_bytes])
    series = header["series"]
    ends = [(x + n, y + n) for x, y, n in zip(series["x"], series["y"], series["n"], strict=True)]
    x_count, y_count = (max((end[axis] for end in ends), default=0) for axis in (0, 1))
    x_at = 8 + header_bytes
    y_at = x_at + -(-x_count * WIDTHS[header["x"]] // 8) * 8
    assert len(content) == y_at + -(-y_count * WIDTHS[header["y"]] // 8) * 8
    x = np.frombuffer(content, "<" + header["x"], x_count, x_at)
    y = np.frombuffer(content, "<" + header["y"], y_count, y_at)
    parts = []
    for part_index, count in enumerate(series["n"]):
        run = series["run"][part_index]
        parts.append(
            Part(
                header["runs"][run] if run >= 0 else None,
                header["metrics"][series["metric"][part_index]]["name"],
                series["part"][part_index],
                x[series["x"][part_index] :][:count].tolist(),
                y[series["y"][part_index] :][:count].tolist(),
                series["points"][part_index],
                series["nan"][part_index],
                series["inf"][part_index],
                series["from"][part_index],
                series["group"][part_index] if "group" in series else -1,
            )
        )
    return Frame(header, parts)
