"""
Where this machine keeps what can be made again: `~/.cache/aim`, or `AIM_CACHE_DIR`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from aim.core.addresses import folder_of_address

CACHE_VARIABLE = "AIM_CACHE_DIR"


def cache_folder() -> Path:
    """
    Return the folder of Aim's caches: `AIM_CACHE_DIR`, or `aim` in the user's cache folder.

    A user without a home, such as a bare number in a container, has no cache: no folder can be made at the path.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return folder_of_address(chosen)
    if os.environ.get("XDG_CACHE_HOME"):
        return folder_of_address(os.environ["XDG_CACHE_HOME"]) / "aim"
    try:
        home = Path.home()
    except RuntimeError:
        return Path(os.devnull) / "aim"
    return home / "Library" / "Caches" / "aim" if sys.platform == "darwin" else home / ".cache" / "aim"
