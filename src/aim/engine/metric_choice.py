"""
Which metric a short text means.

    loss                  the metric of that name: its one context, or the empty one
    loss[subset=val]      its context, as in a column of a table
    val/loss              the metric `val/loss`; when there is none, `loss` in the context that has a value `val`
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aim.core import contexts
from aim.core.errors import UsageError
from aim.engine.door import MatchingSequence, Questions
from aim.engine.listing import SUMMARY_COLUMN, context_label


@dataclass(frozen=True)
class MetricChoice:
    """A metric: its name and context."""

    name: str
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """
        The metric as the names of columns have it.

        >>> MetricChoice("loss", {"subset": "val"}).label, MetricChoice("loss").label
        ('loss[subset=val]', 'loss')
        """
        return metric_label(self.name, self.context)


def metric_label(name: str, context: Mapping[str, Any]) -> str:
    """
    Return a metric as the names of columns have it.

    >>> metric_label("loss", {"subset": "val"})
    'loss[subset=val]'
    """
    return f"{name}[{context_label(context)}]" if context else name


def short_label(label: str) -> str:
    """
    Return the label of a metric as it is short: a context of one key by its value alone.

    >>> short_label("loss[subset=val]"), short_label("loss"), short_label("loss[fold=1,subset=val]")
    ('val/loss', 'loss', 'loss[fold=1,subset=val]')
    """
    name, bracket, context = label.removesuffix("]").partition("[")
    return f"{context.partition('=')[2]}/{name}" if bracket and context.count("=") == 1 else label


def both(query: str, clause: str) -> str:
    """
    Return a query whose matches also match *clause*.

    >>> both("run.lr > 1 or run.active", "metric.name == 'loss'"), both(" ", "run.active")
    ("(run.lr > 1 or run.active) and metric.name == 'loss'", 'run.active')
    """
    return f"({query}) and {clause}" if query.strip() else clause


def sequences_of_metric(questions: Questions, text: str, query: str = "") -> list[MatchingSequence]:
    """
    Return the sequences that *text* means, of the runs that match *query*, in all contexts that it leaves open.

    Raises:
        UsageError: no run has such a metric; the message has one that is near.
        InvalidQuery: the query can't be understood.
    """
    name, label, value = _parts(text)
    matches = questions.sequences(both(query, f"metric.name == {name!r}"))
    if not matches and "/" in text and label is None:
        value, _, name = text.partition("/")
        matches = questions.sequences(both(query, f"metric.name == {name!r}"))
    chosen = [sequence for sequence in matches if _fits(sequence.context, label, value)]
    if not chosen:
        raise UsageError(_unknown(questions, text, query))
    return chosen


def choose_metric(questions: Questions, text: str, query: str = "") -> MetricChoice:
    """
    Return the one metric that *text* means.

    Raises:
        UsageError: no run has such a metric, or it has several contexts and none of them is empty.
        InvalidQuery: the query can't be understood.
    """
    sequences = sequences_of_metric(questions, text, query)
    choices = {contexts.text(each.context): MetricChoice(each.name, dict(each.context)) for each in sequences}
    if len(choices) > 1 and "{}" not in choices:
        labels = ", ".join(sorted(choice.label for choice in choices.values())[:8])
        raise UsageError(f"{text} has several contexts; say which one: {labels}.")
    return choices.get("{}") or next(iter(choices.values()))


def _parts(text: str) -> tuple[str, str | None, str | None]:
    match = SUMMARY_COLUMN.fullmatch(f"{text}.last")
    if match is None:
        return text, None, None
    return match["name"], match["context"], None


def _fits(context: Mapping[str, Any], label: str | None, value: str | None) -> bool:
    if label is not None:
        return set(context_label(context).split(",")) == set(label.split(","))
    return value is None or value in map(str, context.values())


def _unknown(questions: Questions, text: str, query: str) -> str:
    names = metric_names(questions)
    nearest = difflib.get_close_matches(text, names, 1)
    where = " that matches the query" if query.strip() else ""
    hint = f" Did you mean {nearest[0]!r}?" if nearest else f" There are: {', '.join(names[:8])}." if names else ""
    return f"No run{where} has a metric {text!r}.{hint}"


def metric_names(questions: Questions) -> Sequence[str]:
    """Return the names of all metrics, sorted; those of the machine come last."""
    return sorted(questions.complete().get("metric", ()), key=lambda name: (name.startswith("__"), name))
