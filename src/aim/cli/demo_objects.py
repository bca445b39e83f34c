"""
The objects of `aim demo`: one of each kind, about a ball that moves.
"""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

from aim.sdk.objects.audio import Audio
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.image import Image
from aim.sdk.objects.object3d import Object3D
from aim.sdk.objects.registry import restore
from aim.sdk.objects.table import Table
from aim.sdk.objects.text import Text
from aim.sdk.objects.video import Video
from aim.sdk.run import Run

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SOUND_RATE_HZ = 8000
LABELS = {1: "ball", 2: "floor"}
HEIGHT_PX, WIDTH_PX = 72, 128
RADIUS_PX = 14
FRAME_COUNT = 12
POINT_COUNT = 1500


def record(run: Run, step: int, random: np.random.Generator) -> None:
    """Record one object of each kind at *step*."""
    import numpy as np

    across, down = position(step)
    picture, ball = scene(across, down)
    rows = np.arange(HEIGHT_PX)[:, None]
    box = {"box": (across - RADIUS_PX, down - RADIUS_PX, 28, 28), "label": "ball", "score": 0.5 + step / 500}
    mask = np.where(ball, 1, np.where(rows > 62, 2, 0))
    seen = Image(picture, caption=f"step {step}", boxes=[box], masks={"prediction": mask}, labels=LABELS)
    run.track(seen, name="detections", step=step, context={"subset": "val"})
    run.track(Text(f"After {step} steps: the ball is at ({across:.0f}, {down:.0f})."), name="answers", step=step)
    run.track(Distribution(random.normal(step / 240, 1, 2000)), name="weights", step=step)
    moments = np.arange(SOUND_RATE_HZ) / SOUND_RATE_HZ
    wave = np.sin(2 * np.pi * (220 + step) * moments) * np.exp(-4 * moments)
    run.track(Audio(wave.astype(np.float32), rate=SOUND_RATE_HZ, caption=f"{220 + step} Hz"), name="tone", step=step)
    run.track(Video(film(step), format="gif", caption=f"from step {step}"), name="flight", step=step)
    run.track(table(step, picture), name="guesses", step=step, context={"subset": "val"})
    run.track(figure(step), name="path", step=step)
    run.track(cloud(step, random), name="scan", step=step)


def position(step: float) -> tuple[float, float]:
    """Return where the ball is, in pixels from the left and from the top."""
    return 30 + step / 4, 34 + 14 * math.cos(step / 40)


def scene(across: float, down: float) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return a picture of the ball, and which pixels it covers."""
    import numpy as np

    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    ball = (columns - across) ** 2 + (rows - down) ** 2 < RADIUS_PX**2
    picture = np.stack([60 + rows, 90 + columns // 2, np.full_like(rows, 150)], axis=-1).astype(np.uint8)
    picture[ball] = (250, 200, 60)
    return picture, ball


def cloud(step: int, random: np.random.Generator) -> Object3D:
    """Return the ball over the floor as points with colours, as a scanner would see them."""
    import numpy as np

    across, down = position(step)
    rays = random.normal(size=(POINT_COUNT, 3))
    ball = RADIUS_PX * rays / np.linalg.norm(rays, axis=1, keepdims=True) + (across, 0, HEIGHT_PX - down)
    floor = random.uniform((0, -40, -1), (WIDTH_PX, 40, 1), (POINT_COUNT, 3))
    colors = np.repeat(np.array([(250, 200, 60), (90, 120, 150)], np.uint8), POINT_COUNT, axis=0)
    return Object3D(np.concatenate([ball, floor]), colors=colors, caption=f"step {step}")


def film(step: int) -> bytes:
    """Return the ball's flight from *step* on, as a GIF."""
    import PIL.Image

    frames = [PIL.Image.fromarray(scene(*position(step + 4 * index))[0]) for index in range(FRAME_COUNT)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return file.getvalue()


def table(step: int, picture: npt.NDArray[np.uint8]) -> Table:
    """Return a table of guesses, with a picture in each row."""
    rows = [
        {"picture": Image(picture), "truth": "ball", "guess": guess, "confidence": round(confidence, 2)}
        for guess, confidence in (("ball", 0.5 + step / 500), ("sun", 0.4 - step / 700), ("lamp", 0.1))
    ]
    return Table(rows, caption=f"step {step}")


def figure(step: int) -> Any:
    """Return the path of the ball as a figure; it is written as plotly's JSON, so that plotly need not be here."""
    steps = range(0, max(step, 20), 5)
    points = [position(each) for each in steps]
    content = {
        "data": [{"type": "scatter", "x": [x for x, _ in points], "y": [y for _, y in points], "name": "ball"}],
        "layout": {"title": {"text": "The path of the ball"}, "xaxis": {"title": {"text": "pixels from the left"}}},
    }
    fields = {"source": "plotly", "version": "5.24.1", "format": "raw_json"}
    return restore("aim.figure", fields, lambda: json.dumps(content).encode())
