"""
BLAKE2b without OpenSSL, which `hashlib` loads whole: 2 ms of a training process that never uses it.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # another Python than CPython and PyPy
    from hashlib import blake2b

__all__ = ["blake2b"]
