"""
What is recorded of a boosted model when its training is over, the same for XGBoost, LightGBM and CatBoost.

    best_iteration, best_score       params, where the training had an evaluation set or stopped early
    feature_importance               a table with a row for each feature, the most important first
    checkpoints/model.<suffix>       the model, with `log_model`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aim.sdk.adapters.session.run_session import RunSession

Importances = Mapping[str, Mapping[str, float]]
"""Kind of importance, such as gain -> feature -> how important it is."""


def record_importance(session: RunSession, importances: Importances) -> None:
    """Record the table `feature_importance`; a feature that a kind does not have was never used, and has 0."""
    from aim.sdk.objects.table import Table

    kinds = list(importances)
    features = list(dict.fromkeys(name for kind in kinds for name in importances[kind]))
    rows: list[list[Any]] = [[name, *(float(importances[kind].get(name, 0.0)) for kind in kinds)] for name in features]
    if rows:
        rows.sort(key=lambda row: -row[1])
        table = Table(rows, columns=["feature", *kinds], caption="feature importance")
        session.track({"feature_importance": table}, step=max(session.last_step, 0))


def record_best(session: RunSession, iteration: Any, score: Any) -> None:
    """Record which iteration was the best one, and its scores."""
    if iteration is not None:
        session.set_params("best_iteration", int(iteration))
    if score is not None and score != {}:
        session.set_params("best_score", score)


def plain_number(text: Any) -> Any:
    """
    Return a number that a booster tells as text, without the digits that a float of 32 bits does not have.

    >>> plain_number("0.300000012"), plain_number("6"), plain_number("gbtree")
    (0.3, 6, 'gbtree')
    """
    try:
        value = float(text)
    except (TypeError, ValueError):
        return text
    if isinstance(text, str) and text.lstrip("-").isdigit():
        return int(text)
    return float(f"{value:.7g}")


def feature_names(names: Sequence[Any] | None, count: int) -> list[str]:
    """Return the names of features, or `f0`, `f1` ... where there are none."""
    return [str(name) for name in names] if names else [f"f{index}" for index in range(count)]
