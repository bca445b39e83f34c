"""
What to show of runs when nobody said what: the params in which they differ, and their main metrics.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aim.core.reserved import IMPORTED_PARAMS, SYSTEM_PARAMS, SYSTEM_PREFIX
from aim.engine.anomalies import should_fall
from aim.engine.door import MatchingSequence, Questions
from aim.engine.metric_choice import metric_label
from aim.engine.param_groups import MACHINE_KEY

PARAMS_MAX = 300  # that are looked at
HELD_OUT = re.compile(r"\b(val|valid|validation|eval|evaluation|test|dev)\b", re.IGNORECASE)


def headline_metrics(sequences: Iterable[MatchingSequence], count: int) -> list[str]:
    """
    Return the labels of the main metrics: those that most runs have first, of these those of held-out data, then
    losses, then by name. Metrics of the machine are left out.

    >>> loss = [MatchingSequence("a", "loss", {"subset": name}, "metric", "float") for name in ("train", "val")]
    >>> headline_metrics([*loss, MatchingSequence("a", "lr", {}, "metric", "float")], 2)
    ['loss[subset=val]', 'loss[subset=train]']
    """
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for sequence in sequences:
        if not sequence.name.startswith(SYSTEM_PREFIX):
            label = metric_label(sequence.name, sequence.context)
            counts[label] += 1
            names[label] = sequence.name

    def rank(label: str) -> tuple[int, bool, bool, str]:
        words = label.replace("_", " ").replace("/", " ")
        return -counts[label], HELD_OUT.search(words) is None, not should_fall(names[label]), label

    return sorted(counts, key=rank)[:count]


def param_names(questions: Questions) -> list[str]:
    """Return the paths of all params with dots, without those of the environment; at most 300."""
    names = questions.complete().get("param", ())
    hidden = (f"{SYSTEM_PARAMS}.", f"{IMPORTED_PARAMS}.")
    return [name for name in names if not name.startswith(hidden)][:PARAMS_MAX]


def varying(rows: Sequence[Mapping[str, Any]], names: Iterable[str], count: int) -> list[str]:
    """
    Return the params in which rows differ: those with few distinct values first, and without those of the machine, such
    as folders and ids of processes.

    >>> rows = [{"lr": 0.1, "seed": seed, "depth": depth} for seed, depth in ((1, 2), (2, 4), (3, 4))]
    >>> varying(rows, ["lr", "seed", "depth"], 2)
    ['depth', 'seed']
    """
    distinct = {name: len({repr(row.get(name)) for row in rows}) for name in names}
    chosen = [name for name, number in distinct.items() if number > 1 and not MACHINE_KEY.search(name.split(".")[-1])]
    return sorted(chosen, key=lambda name: (distinct[name], name))[:count]
