"""
Params as columns of a table: dotted names, three levels deep; deeper values are one cell of JSON.

Tables are data frames of pandas, which is not a dependency: only data frames need it.
"""

from __future__ import annotations

from typing import Any

from aim.core import params
from aim.core.errors import AimError

PARAM_DEPTH_MAX = 3  # as Aim 3 has it


class NoPandas(AimError, ModuleNotFoundError):
    """Data frames need pandas, which is not installed."""


def need_pandas() -> None:
    """
    Check that pandas is installed.

    Raises:
        NoPandas: (an ImportError) it is not.
    """
    import importlib.util

    if importlib.util.find_spec("pandas") is None:
        raise NoPandas(
            "Data frames need pandas: pip install pandas. Without it: `values.sparse_numpy()`.", name="pandas"
        )


def flat_params(tree: Any) -> dict[str, Any]:
    """
    Return params as cells of a table, by dotted names of three levels at most.

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
    Return *value*; lone surrogates of a str, as of a file name, are escaped, so that a table can hold it.

    >>> text_cell("é"), text_cell("\ud800")
    ('é', '\\ud800')
    """
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _column(path: params.Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
