"""
Tokens as two vocabularies of language models count them; the vocabularies are in the package itself.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any


@cache
def _encodings() -> tuple[Any, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package opens its files by an older call
        import bpe_openai

        return tuple(bpe_openai.get_encoding(name) for name in ("o200k_base", "cl100k_base"))


def token_count(text: str) -> int:
    """Return the tokens of a text, of the vocabulary that needs more."""
    return max(len(encoding.encode(text)) for encoding in _encodings())
