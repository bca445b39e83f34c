"""
Curves as characters of braille: each cell of the terminal is 2 x 4 dots.

    y      ticks on the left, of a linear or logarithmic axis
    x      ticks below
    a, b   on the right, in the row where curve a ends; the legend says which run it is. So curves are told apart
           without colours too

A curve keeps its spikes: `engine.sampling` chooses what is drawn of it.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aim.cli import output
from aim.engine.sampling import reduce_curves

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BRAILLE = 0x2800
BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.int64)
"""The bit of each dot of a cell, by row and column."""
COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue")
MARKS = string.ascii_lowercase + string.ascii_uppercase
TICK_CHARS, MARK_CHARS = 10, 4
HEIGHT_MIN, WIDTH_MIN = 4, 16


@dataclass(frozen=True)
class PlotCurve:
    """
    A curve.

    Attributes:
        x, y: shape (n,); x does not decrease.
        colour: the index of its colour; curves of one group have the same.
    """

    x: FloatArray
    y: FloatArray
    colour: int = 0


@dataclass(frozen=True)
class Axis:
    """
    One axis: from *low* to *high*, both in the units of the data.

    >>> Axis(1.0, 100.0, is_log=True).share(np.array([10.0])).tolist()
    [0.5]
    """

    low: float
    high: float
    is_log: bool = False

    @classmethod
    def of(cls, arrays: Sequence[FloatArray], is_log: bool) -> Axis:
        """Return the axis on which all finite values lie; of a logarithmic one all that are above 0."""
        values = np.concatenate([*arrays, np.empty(0)])
        values = values[np.isfinite(values) & ((values > 0) | (not is_log))]
        if not len(values):
            return cls(1.0, 10.0, is_log) if is_log else cls(0.0, 1.0)
        low, high = float(values.min()), float(values.max())
        if low == high and is_log:
            return cls(low / 2, high * 2, is_log)
        if low == high:
            return cls(low - abs(low) / 2 - 0.5, high + abs(high) / 2 + 0.5)
        return cls(low, high, is_log)

    def share(self, values: FloatArray) -> FloatArray:
        """Return where values lie between the ends, from 0 to 1; NaN: nowhere."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if not self.is_log:
                shares = (values - self.low) / (self.high - self.low)
            else:
                logs = np.log10(np.where(values > 0, values, np.nan))
                shares = (logs - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return np.where(np.isfinite(shares), shares, np.nan)

    def value(self, share: float) -> float:
        """Return the value at a share of the axis."""
        if not self.is_log:
            return self.low + share * (self.high - self.low)
        return 10 ** (math.log10(self.low) + share * (math.log10(self.high) - math.log10(self.low)))


class Canvas:
    """
    Dots in *width* x *height* cells; a cell has the colour of the curve that was drawn there last.

    >>> canvas = Canvas(2, 1)
    >>> canvas.line(0, 3, 3, 0, 1)
    >>> canvas.rows(coloured=False)
    ['⡠⠊']
    """

    def __init__(self, width: int, height: int) -> None:
        self._bits = np.zeros((height, width), np.int64)
        self._colours = np.zeros((height, width), np.int64)

    def line(self, x0: int, y0: int, x1: int, y1: int, colour: int) -> None:
        """Draw a line between two dots; dot 0, 0 is at the top left."""
        count = max(abs(x1 - x0), abs(y1 - y0)) + 1
        columns = np.rint(np.linspace(x0, x1, count)).astype(np.int64)
        rows = np.rint(np.linspace(y0, y1, count)).astype(np.int64)
        np.bitwise_or.at(self._bits, (rows // 4, columns // 2), BITS[rows % 4, columns % 2])
        self._colours[rows // 4, columns // 2] = colour

    def rows(self, *, coloured: bool) -> list[str]:
        """Return the rows of cells as texts."""
        rows = []
        for bits, colours in zip(self._bits.tolist(), self._colours.tolist(), strict=True):
            cells = [chr(BRAILLE + bit) if bit else " " for bit in bits]
            if coloured:
                cells = [
                    output.styled(cell, COLOURS[colour % len(COLOURS)]) if bit else cell
                    for cell, bit, colour in zip(cells, bits, colours, strict=True)
                ]
            rows.append("".join(cells))
        return rows


def plot(
    curves: Sequence[PlotCurve],
    width: int,
    height: int,
    *,
    x_title: str = "step",
    log_x: bool = False,
    log_y: bool = False,
) -> list[str]:
    """
    Return curves as lines of text: *height* rows with the axis and the marks, one row of ticks below.

    Args:
        width: of the whole, in characters.
        height: of the curves, in rows.
    """
    height = max(height, HEIGHT_MIN)
    cells = max(WIDTH_MIN, width - TICK_CHARS - MARK_CHARS - 2)
    x_axis = Axis.of([curve.x for curve in curves], log_x)
    y_axis = Axis.of([curve.y for curve in curves], log_y)
    canvas = Canvas(cells, height)
    ends: list[int | None] = []
    for curve in curves:
        ends.append(_draw(canvas, curve, x_axis, y_axis, cells * 2, height * 4))
    marks = _marks(ends, height)
    rows = []
    for number, row in enumerate(canvas.rows(coloured=True)):
        share = 1 - (number + 0.5) / height
        has_tick = number in (0, height - 1) or (number % 4 == 0 and number < height - 2)
        tick = f"{y_axis.value({0: 1.0, height - 1: 0.0}.get(number, share)):.4g}" if has_tick else ""
        rows.append(f"{tick[:TICK_CHARS]:>{TICK_CHARS}} ┤{row}{marks.get(number, '')}".rstrip())
    return [*rows, _x_ticks(x_axis, cells, x_title)]


def _draw(canvas: Canvas, curve: PlotCurve, x_axis: Axis, y_axis: Axis, columns: int, rows: int) -> int | None:
    """Draw a curve, and return the row of dots in which it ends; None when nothing of it is seen."""
    if not len(curve.x):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.log10(curve.x) if x_axis.is_log else curve.x
    drawn = np.flatnonzero(np.isfinite(x))
    kept = drawn[reduce_curves(x[drawn], curve.y[drawn][np.newaxis], columns)[0].point_indices]
    across, up = x_axis.share(curve.x[kept]), y_axis.share(curve.y[kept])
    is_seen = np.isfinite(across) & np.isfinite(up)
    x_dots = np.rint(np.nan_to_num(across) * (columns - 1)).astype(np.int64).tolist()
    y_dots = np.rint((1 - np.nan_to_num(up)) * (rows - 1)).astype(np.int64).tolist()
    last: int | None = None
    for index, seen in enumerate(is_seen.tolist()):
        if seen:
            begin = index - 1 if index and is_seen[index - 1] else index
            canvas.line(x_dots[begin], y_dots[begin], x_dots[index], y_dots[index], curve.colour)
            last = y_dots[index]
    return last


def _marks(ends: Sequence[int | None], height: int) -> dict[int, str]:
    """Return the letters of the curves by row of cells; letters of curves that end in one row stand side by side."""
    marks: dict[int, str] = {}
    for index, end in enumerate(ends):
        if end is not None and index < len(MARKS):
            row = min(height - 1, end // 4)
            marks[row] = (marks.get(row, " ") + MARKS[index])[:MARK_CHARS]
    return marks


def _x_ticks(axis: Axis, cells: int, title: str) -> str:
    low, middle, high = (f"{axis.value(share):.6g}" for share in (0.0, 0.5, 1.0))
    line = f"{low:<{cells // 2 - len(middle) // 2}}{middle}"
    line += f"{high:>{max(1, cells - len(line))}}"
    return f"{title[:TICK_CHARS]:>{TICK_CHARS}}  {line}"
