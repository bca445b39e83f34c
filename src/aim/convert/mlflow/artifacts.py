"""
Files of MLflow's runs: what `log_image(key=, step=)` wrote is a sequence of images, everything else an artifact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aim.convert.events import ArtifactFile, Event, ObjectStep, Refused
from aim.convert.media import ImageFile

IMAGE = re.compile(
    r"(?P<key>.+)[%+]step[%+](?P<step>-?\d+)[%+]timestamp[%+](?P<time>\d+)[%+][^%+]+\.(png|jpe?g|webp|gif)"
)
PREVIEW = re.compile(r".*[%+]compressed\.webp")
IMAGE_BYTES_MAX = 1 << 30


def is_preview(name: str) -> bool:
    """Return whether a file is the small copy that MLflow writes beside an image."""
    return PREVIEW.fullmatch(name) is not None


def is_image(name: str) -> bool:
    """
    Return whether a file, by its path below the artifacts, is an image of a sequence.

    >>> is_image("images/dog+step+3+timestamp+1700000000000+ab12.png"), is_image("plots/roc.png")
    (True, False)
    """
    return name.startswith("images/") and IMAGE.fullmatch(name.rpartition("/")[2]) is not None


def artifact_events(path: Path, name: str) -> Iterator[Event]:
    """Return what becomes of a file with this path below the artifacts."""
    if is_preview(path.name):
        return
    match = IMAGE.fullmatch(path.name)
    if match is None or not is_image(name):
        yield ArtifactFile(name, path=path)
        return
    if path.stat().st_size > IMAGE_BYTES_MAX:
        yield Refused("an image of more than 1 GiB")
        return
    key = match["key"].replace("#", "/")
    yield ObjectStep(key, {}, int(match["step"]), [ImageFile(path.read_bytes())], int(match["time"]) / 1e3)
