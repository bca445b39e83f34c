"""
`wandb.plot`: charts of a table, as figures of plotly; where plotly is not installed, the table.

    wandb.plot.line(table, x, y)         wandb.plot.line_series(xs, ys, keys)
    wandb.plot.scatter(table, x, y)      wandb.plot.confusion_matrix(y_true=, preds=, class_names=)
    wandb.plot.bar(table, label, value)  wandb.plot.roc_curve(y_true, y_probas, labels)
    wandb.plot.histogram(table, value)   wandb.plot.pr_curve(y_true, y_probas, labels)
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

from aim.sdk.objects.figure import Figure
from aim.sdk.objects.table import Table
from aim.wandb.tables import WandbTable

Chart = Figure | Table
CURVE_POINTS = 200


def line(table: WandbTable, x: str, y: str, stroke: str | None = None, title: str = "", **ignored: Any) -> Chart:
    """Return a line through the rows of a table; a line for each value of the column *stroke*."""
    return _chart("Scatter", table, x, y, title, stroke, mode="lines")


def scatter(table: WandbTable, x: str, y: str, title: str = "", **ignored: Any) -> Chart:
    """Return the rows of a table as points."""
    return _chart("Scatter", table, x, y, title, None, mode="markers")


def bar(table: WandbTable, label: str, value: str, title: str = "", **ignored: Any) -> Chart:
    """Return a bar for each row of a table."""
    return _chart("Bar", table, label, value, title, None)


def histogram(table: WandbTable, value: str, title: str = "", **ignored: Any) -> Chart:
    """Return the histogram of a column."""
    return _figure([("Histogram", {"x": table.get_column(value)})], title, value, "count") or table.stored_table()


def line_series(
    xs: Sequence[Any], ys: Sequence[Sequence[Any]], keys: Sequence[str] | None = None, title: str = "", **axes: Any
) -> Chart:
    """Return several lines: *xs* are the x values of all, or a list of x values for each."""
    names = [str(key) for key in keys or range(len(ys))]
    each_xs = list(xs) if len(xs) and hasattr(xs[0], "__len__") else [xs] * len(ys)
    rows = [[x, y, name] for name, line_xs, line_ys in zip(names, each_xs, ys) for x, y in zip(line_xs, line_ys)]
    return line(WandbTable(["x", "y", "line"], rows), "x", "y", "line", title)


def confusion_matrix(
    probs: Any = None,
    y_true: Sequence[int] | None = None,
    preds: Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
    title: str = "Confusion matrix",
    **ignored: Any,
) -> Chart:
    """
    Return how often each class was taken for each.

    Args:
        probs: a row of probabilities for each sample, in place of *preds*.
        y_true, preds: numbers of classes, one for each sample.
        class_names: of the classes, by number.
    """
    guesses = [max(range(len(row)), key=list(row).__getitem__) for row in probs] if preds is None else list(preds)
    truths = [int(truth) for truth in y_true or ()]
    class_count = max([*truths, *map(int, guesses), -1]) + 1
    names = list(map(str, class_names or range(class_count)))
    counts = [[0] * len(names) for _ in names]
    for truth, guess in zip(truths, guesses):
        counts[truth][int(guess)] += 1
    rows = [[names[truth], names[guess], count] for truth, row in enumerate(counts) for guess, count in enumerate(row)]
    heat = {"x": names, "y": names, "z": counts, "texttemplate": "%{z}"}
    table = WandbTable(["Actual", "Predicted", "nPredictions"], rows)
    return _figure([("Heatmap", heat)], title, "Predicted", "Actual") or table.stored_table()


def roc_curve(
    y_true: Any, y_probas: Any, labels: Sequence[str] | None = None, title: str = "ROC", **ignored: Any
) -> Chart:
    """Return the true positive rate over the false positive rate of each class."""
    return _curves(y_true, y_probas, labels, title, ("False positive rate", "True positive rate"), _roc)


def pr_curve(
    y_true: Any, y_probas: Any, labels: Sequence[str] | None = None, title: str = "Precision v. Recall", **ignored: Any
) -> Chart:
    """Return the precision over the recall of each class."""
    return _curves(y_true, y_probas, labels, title, ("Recall", "Precision"), _precision)


def _chart(kind: str, table: WandbTable, x: str, y: str, title: str, stroke: str | None, **style: Any) -> Chart:
    groups: dict[Any, tuple[list[Any], list[Any]]] = {}
    x_index, y_index = table.columns.index(x), table.columns.index(y)
    for row in table.data:
        xs, ys = groups.setdefault("" if stroke is None else row[table.columns.index(stroke)], ([], []))
        xs.append(row[x_index])
        ys.append(row[y_index])
    traces = [(kind, {"x": xs, "y": ys, "name": str(name), **style}) for name, (xs, ys) in groups.items()]
    return _figure(traces, title, x, y) or table.stored_table()


def _figure(traces: list[tuple[str, dict[str, Any]]], title: str, x: str, y: str) -> Figure | None:
    """Return a figure, or None where plotly is not installed."""
    if importlib.util.find_spec("plotly") is None:
        return None
    import plotly.graph_objects as go

    figure = go.Figure([getattr(go, kind)(**settings) for kind, settings in traces])
    figure.update_layout(title=title, xaxis_title=x, yaxis_title=y)
    return Figure(figure)


def _curves(
    y_true: Any, y_probas: Any, labels: Sequence[str] | None, title: str, axes: tuple[str, str], curve_of: Any
) -> Chart:
    import numpy as np

    truths, probabilities = np.asarray(y_true), np.asarray(y_probas, float)
    rows: list[list[Any]] = []
    for index in range(probabilities.shape[1]):
        name = str(labels[index]) if labels is not None else str(index)
        xs, ys = curve_of(truths == index, probabilities[:, index])
        chosen = np.unique(np.linspace(0, len(xs) - 1, CURVE_POINTS).astype(int))
        rows += [[float(xs[position]), float(ys[position]), name] for position in chosen]
    return line(WandbTable([*axes, "class"], rows), *axes, "class", title)


def _sums(is_class: Any, probability: Any) -> tuple[Any, Any]:
    """Return how many true and false positives there are at each threshold, from the highest one on."""
    import numpy as np

    hits = is_class[np.argsort(-probability, kind="stable")]
    return np.cumsum(hits), np.cumsum(~hits)


def _roc(is_class: Any, probability: Any) -> tuple[Any, Any]:
    true, false = _sums(is_class, probability)
    return false / max(false[-1], 1), true / max(true[-1], 1)


def _precision(is_class: Any, probability: Any) -> tuple[Any, Any]:
    true, false = _sums(is_class, probability)
    return true / max(true[-1], 1), true / (true + false)
