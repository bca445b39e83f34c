"""
What objects cost: made from the caller's data, encoded, shown in a notebook.

    python -m bench objects

    made      the constructor: what `track()` costs the loop, besides a copy of the data
    encoded   the file, which a thread beside the training makes

The picture is a photograph's stand-in: smooth, with noise of two bits; noise alone is the worst case.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import report

SIDE_PX = 512
FRAMES, FRAME_PX = 60, 128
CELLS = 10_000


def picture(height: int, width: int) -> NDArray[np.uint8]:
    """Return the stand-in."""
    rng = np.random.default_rng(0)
    slope = np.add.outer(np.arange(height) * 0.3, np.arange(width) * 0.2)
    waves = 40 * np.sin(np.arange(width) / 25)
    planes = [128 + waves + slope * share + rng.integers(0, 4, (height, width)) for share in (0.2, 0.1, -0.2)]
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)


def images() -> dict[str, Callable[[], Any]]:
    """Images by format, and the worst case of png."""
    from aim import Image

    smooth = picture(SIDE_PX, SIDE_PX)
    noise = np.random.default_rng(0).integers(0, 255, smooth.shape, dtype=np.uint8)
    calls: dict[str, Callable[[], Any]] = {"image made": lambda: Image(smooth)}
    for name in ("png", "jpeg", "webp", "gif", "bmp", "tiff"):
        calls[f"image {name}"] = lambda name=name: Image(smooth, format=name).stored()  # type: ignore[misc]
    calls["image png of noise"] = lambda: Image(noise).stored()
    calls["image png of floats"] = lambda: Image(smooth / 255.0).stored()
    calls["image in a notebook"] = lambda: Image(smooth)._repr_html_()
    return calls


def references() -> dict[str, Callable[[], Any]]:
    """Images that stay where they are: two jpegs."""
    import PIL.Image

    from aim import Image

    folder = tempfile.mkdtemp()
    calls: dict[str, Callable[[], Any]] = {}
    for height, width in ((384, 512), (3000, 4000)):
        path = os.path.join(folder, f"{width}.jpg")
        PIL.Image.fromarray(picture(height, width)).save(path)
        calls[f"reference to {width} x {height} made"] = lambda path=path: Image.from_uri(path)  # type: ignore[misc]
        calls[f"reference to {width} x {height}, its small picture"] = (
            lambda path=path: Image.from_uri(path).stored()  # type: ignore[misc]
        )
    return calls


def films() -> dict[str, Callable[[], Any]]:
    """Videos of 60 frames of 128 x 128."""
    from aim import Video
    from aim.sdk.objects.video import has_encoder

    frames = np.stack([np.roll(picture(FRAME_PX, FRAME_PX), 2 * place, axis=1) for place in range(FRAMES)])
    calls: dict[str, Callable[[], Any]] = {"video made": lambda: Video(frames, format="gif")}
    for name in ("gif", *(("mp4", "webm") if has_encoder() else ())):
        calls[f"video {name}"] = lambda name=name: Video(frames, format=name).stored()  # type: ignore[misc]
    return calls


def others() -> dict[str, Callable[[], Any]]:
    """Tables, sound, histograms, figures."""
    import plotly.graph_objects as go

    from aim import Audio, Distribution, Figure, Image, Table

    rng = np.random.default_rng(0)
    rows = [
        {"guess": place % 10, "sure": place / CELLS, "note": f"row {place}", "ok": True} for place in range(CELLS // 4)
    ]
    digits = [{"digit": Image(rng.random((28, 28)))} for _ in range(100)]
    samples = rng.standard_normal(10 * 44_100) / 4
    numbers = rng.standard_normal(1_000_000).astype(np.float32)
    curve = go.Figure(go.Scatter(y=rng.standard_normal(1000)))
    return {
        "table of 10,000 cells made": lambda: Table(rows),
        "table of 10,000 cells": lambda: Table(rows).stored(),
        "table of 100 images of 28 x 28": lambda: Table(
            [{"digit": Image(rng.random((28, 28)))} for _ in digits]
        ).stored(),
        "audio of 10 s made": lambda: Audio(samples, rate=44_100),
        "audio of 10 s": lambda: Audio(samples, rate=44_100).stored(),
        "distribution of 1 M float32": lambda: Distribution(numbers),
        "figure of 1,000 points made": lambda: Figure(curve),
        "figure of 1,000 points": lambda: Figure(curve).stored(),
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/objects.json."""
    parser = argparse.ArgumentParser(prog="bench objects", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, float]] = {}
    for group in (images, references, films, others):
        for name, call in group().items():
            figures[name] = report.timed(call, options.repeats)
    rows = [[name, f"{taken['median_ms']:,.2f}", f"{taken['min_ms']:,.2f}"] for name, taken in figures.items()]
    report.table(["what", "median ms", "min ms"], rows)
    return report.store("objects", {"figures": figures, "frames": FRAMES})


if __name__ == "__main__":
    main()
