"""
Params as columns of a table: dotted names, three levels deep; what lies deeper is one cell of JSON.
"""

from __future__ import annotations

from typing import Any

from aim.core import params

PARAM_DEPTH_MAX = 3  # as Aim 3 has it


def flat_params(tree: Any) -> dict[str, Any]:
    """
    Give params as cells of a table, by dotted names of three levels at most.

    >>> flat_params({"hparams": {"lr": 0.1, "sizes": [1, 2], 3: "c"}})
    {'hparams.lr': 0.1, 'hparams.sizes': '[1, 2]', 'hparams[3]': 'c'}
    """
    if not isinstance(tree, dict):
        return {}
    cells = {}
    for path, value in params.flatten(tree, PARAM_DEPTH_MAX):
        cells[text_cell(_column(path))] = (
            params.json_text(value) if isinstance(value, (dict, list)) else text_cell(value)
        )
    return cells


def text_cell(value: Any) -> Any:
    r"""
    Give *value*, a text that is no whole Unicode (of a file name, say) as one that a table can hold.

    >>> text_cell("é"), text_cell("\ud800")
    ('é', '\\ud800')
    """
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _column(path: params.Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
