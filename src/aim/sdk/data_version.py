"""
The version of a repository's files, in the form of Aim 3, whose last one was (1, 3).
"""

from __future__ import annotations

from aim.storage.disk.layout import FORMAT_NUMBER

DATA_VERSION = (2, FORMAT_NUMBER)
