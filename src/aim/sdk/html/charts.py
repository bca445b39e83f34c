"""
Curves and bars as SVG in a notebook: still pictures that take the colour of the text around them.

A curve has at most two points a pixel column, its lowest and its highest, in the order in which they came: what is
drawn is as high and as low as the whole. A NaN or an infinity is a gap. A value between two gaps is a dot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aim.engine.sampling import reduce_curves
from aim.sdk.html.parts import ACCENT, Html, element, joined, number, short

FloatArray = npt.NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 560, 180
LEFT_PX, BOTTOM_PX, TOP_PX, RIGHT_PX = 58, 22, 8, 12
SPARK_WIDTH_PX, SPARK_HEIGHT_PX = 96, 20
SPARK_EDGE_PX = 2
TICK_COUNT = 4  # about so many on an axis
LABEL_PX = 11
SPAN_MIN = 1e-300  # below it doubles have too few digits to divide by
COLORS = (ACCENT, "#d9822b", "#2e9e5b", "#9b59b6", "#d64545", "#17a2a2")


def ticks(low: float, high: float, count: int = TICK_COUNT) -> list[float]:
    """
    Return about *count* round numbers from *low* to *high*: 1, 2 or 5 times a power of ten apart.

    >>> ticks(0.03, 0.98), ticks(0, 1000), ticks(5, 5)
    ([0.2, 0.4, 0.6, 0.8], [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0], [5.0])
    """
    width = high - low
    if not SPAN_MIN <= width < math.inf:
        return [float(low)]
    rough = width / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * factor for factor in (1, 2, 5, 10)), key=lambda width: abs(math.log(width / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(multiple * step, min(digits + 1, 300)) + 0.0 for multiple in range(first, last + 1)]


def reduced(x: FloatArray, y: FloatArray, width_px: int) -> tuple[FloatArray, FloatArray]:
    """
    Return the points that *width_px* columns can show, gaps among them.

    Args:
        x: shape (n,), not decreasing.
        y: shape (n,).

    Cost: some 10 ns a point.

    >>> len(reduced(np.arange(1e5), np.sin(np.arange(1e5)), 100)[0]) <= 700
    True
    """
    point_indices = reduce_curves(x, y[np.newaxis], width_px)[0].point_indices
    return x[point_indices], y[point_indices]


def bounds(values: FloatArray) -> tuple[float, float] | None:
    """
    Return the lowest and highest finite value; None: there is none.

    >>> bounds(np.array([1.0, np.nan, np.inf, -2.0]))
    (-2.0, 1.0)
    """
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else None


class _Frame:
    """From values to pixels. It divides values by 4, for the difference of two large doubles can overflow."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float], box: tuple[float, ...]) -> None:
        self.left, self.top, self.width, self.height = box
        self.x_low, x_high = _widened(*x_range, share=0.0)
        self.y_low, y_high = _widened(*y_range, share=0.04)
        self.x_span = x_high - self.x_low
        self.y_span = y_high - self.y_low

    def x(self, values: FloatArray | float) -> FloatArray:
        return np.asarray(self.left + (values / 4 - self.x_low) / self.x_span * self.width)

    def y(self, values: FloatArray | float) -> FloatArray:
        return np.asarray(self.top + self.height - (values / 4 - self.y_low) / self.y_span * self.height)


def _widened(low: float, high: float, share: float) -> tuple[float, float]:
    low, high = low / 4, high / 4
    if high - low < SPAN_MIN:
        pad = max(abs(low) * 0.05, 0.125)
        return low - pad, high + pad
    pad = (high - low) * share
    return low - pad, high + pad


def _line(frame: _Frame, x: FloatArray, y: FloatArray, color: str, stroke_px: float) -> Html:
    path: list[str] = []
    dots: list[Html] = []
    finite = np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]]).astype(np.int8)))
    with np.errstate(invalid="ignore", over="ignore"):
        xs, ys = frame.x(x), frame.y(y)
    for start, stop in zip(edges[::2], edges[1::2]):
        if stop - start == 1:
            dots.append(
                element(
                    "circle",
                    cx=round(float(xs[start]), 1),
                    cy=round(float(ys[start]), 1),
                    r=stroke_px + 0.5,
                    fill=color,
                )
            )
            continue
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in zip(xs[start:stop].tolist(), ys[start:stop].tolist()))
        path.append(f"M{points}")
    style = f"fill:none;stroke:{color};stroke-width:{stroke_px};stroke-linejoin:round"
    return Html((element("path", d=" ".join(path), style=style) if path else "") + "".join(dots))


def curves(
    series: Sequence[tuple[str, FloatArray, FloatArray]], width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX
) -> Html:
    """
    Draw curves over one x with axes.

    Args:
        series: of each its label, x (not decreasing) and y.

    Cost: 100,000 points 1 ms, and 13 KB of text; at most 30 KB a curve.
    """
    inner_px = width_px - LEFT_PX - RIGHT_PX
    drawn = [(label, *reduced(x, y, inner_px // 2)) for label, x, y in series]
    if not drawn:
        return Html("")
    x_bounds, y_bounds = (bounds(np.concatenate(arrays)) for arrays in list(zip(*drawn))[1:])
    if x_bounds is None or y_bounds is None:
        return Html("")
    frame = _Frame(x_bounds, y_bounds, (LEFT_PX, TOP_PX, inner_px, height_px - TOP_PX - BOTTOM_PX))
    lines = [_line(frame, x, y, COLORS[index % len(COLORS)], 1.5) for index, (_, x, y) in enumerate(drawn)]
    titles = "; ".join(label for label, _, _ in drawn if label)
    picture = element(
        "svg",
        element("title", titles) if titles else "",
        _axes(frame, x_bounds, y_bounds),
        *lines,
        viewBox=f"0 0 {width_px} {height_px}",
        width=width_px,
        height=height_px,
        style="max-width:100%;height:auto;font:11px sans-serif;display:block",
        role="img",
    )
    return joined([picture, _legend([label for label, _, _ in drawn]) if len(drawn) > 1 else ""])


def _legend(labels: Sequence[str]) -> Html:
    signs = [
        joined([element("span", "■ ", style=f"color:{COLORS[index % len(COLORS)]}"), short(label, 40), "  "])
        for index, label in enumerate(labels)
    ]
    return element("div", *signs, style=f"padding-left:{LEFT_PX}px")


def _axes(frame: _Frame, x_bounds: tuple[float, float], y_bounds: tuple[float, float]) -> Html:
    right, bottom = frame.left + frame.width, frame.top + frame.height
    parts = []
    for value in ticks(*y_bounds):
        at = round(float(frame.y(value)), 1)
        parts.append(element("path", d=f"M{frame.left},{at}H{right}", style="stroke:currentColor;opacity:.15"))
        parts.append(_label(number(value), frame.left - 6, at + 4, "end"))
    for value in ticks(*x_bounds, count=5):
        at = round(float(frame.x(value)), 1)
        anchor = "end" if at > right - 20 else "middle"
        parts.append(element("path", d=f"M{at},{bottom}v4", style="stroke:currentColor;opacity:.5"))
        parts.append(_label(number(value), at, bottom + 16, anchor))
    parts.append(element("path", d=f"M{frame.left},{bottom}H{right}", style="stroke:currentColor;opacity:.5"))
    return Html("".join(parts))


def _label(text: str, x: float, y: float, anchor: str) -> Html:
    return element(
        "text", text, x=x, y=y, text_anchor=anchor, style=f"fill:currentColor;opacity:.75;font-size:{LABEL_PX}px"
    )


def sparkline(y: FloatArray) -> Html:
    """
    Draw a curve of the size of a word, over the positions of its points; nothing when no value is finite.

    >>> sparkline(np.array([np.nan]))
    ''
    """
    if len(y) == 0:
        return Html("")
    positions, values = reduced(np.arange(len(y), dtype=np.float64), y, SPARK_WIDTH_PX // 2)
    y_bounds = bounds(values)
    if y_bounds is None:
        return Html("")
    box = (SPARK_EDGE_PX, SPARK_EDGE_PX, SPARK_WIDTH_PX - 2 * SPARK_EDGE_PX, SPARK_HEIGHT_PX - 2 * SPARK_EDGE_PX)
    frame = _Frame((0.0, float(max(len(y) - 1, 1))), y_bounds, box)
    return element(
        "svg",
        _line(frame, positions, values, ACCENT, 1.25),
        viewBox=f"0 0 {SPARK_WIDTH_PX} {SPARK_HEIGHT_PX}",
        width=SPARK_WIDTH_PX,
        height=SPARK_HEIGHT_PX,
        style="vertical-align:middle",
    )


def bars(weights: Sequence[float], width_px: int, height_px: int) -> Html:
    """
    Draw a histogram, its highest bin as high as the picture.

    >>> bars([1, 2], 10, 10).count("<rect")
    2
    """
    top = max([weight for weight in weights if math.isfinite(weight)] + [0.0]) or 1.0
    rects = [
        element("rect", x=index, width=0.92, y=round(1 - share, 4), height=round(share, 4))
        for index, share in enumerate(max(weight, 0.0) / top if math.isfinite(weight) else 0.0 for weight in weights)
        if share > 0
    ]
    return element(
        "svg",
        *rects,
        viewBox=f"0 0 {max(len(weights), 1)} 1",
        preserveAspectRatio="none",
        width=width_px,
        height=height_px,
        style=f"fill:{ACCENT};border-bottom:1px solid rgba(128,128,128,.5);display:block",
    )
