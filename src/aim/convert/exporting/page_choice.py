"""
What a page in one file has.
"""

from __future__ import annotations

from dataclasses import dataclass

THUMBS, FULL, NONE = MEDIA_CHOICES = ("thumbs", "full", "none")
BYTES_MAX = 50_000_000


@dataclass(frozen=True)
class PageChoice:
    """
    What a page has.

    Attributes:
        is_whole: all points and log lines, with all digits, instead of 2,000 points a curve.
        media: `thumbs`, `full` or `none`.
        max_bytes: the largest size of the file.
        page: the address of the page that is shown first, such as `metrics?q=…`.
        query: what the runs were chosen by, for people.
    """

    is_whole: bool = False
    media: str = THUMBS
    max_bytes: int = BYTES_MAX
    page: str = ""
    query: str = ""
