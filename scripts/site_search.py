"""
A hook of MkDocs: in the search of the site, formats and decisions come after guides and the reference.
"""

from __future__ import annotations

from typing import Any

BELOW = ("formats/", "decisions/")
BOOST = 0.3


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Give a page about the inside of Aim less weight; the text stays as it is."""
    if page.file.src_uri.startswith(BELOW):
        page.meta.setdefault("search", {"boost": BOOST})
    return markdown
