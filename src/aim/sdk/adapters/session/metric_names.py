"""
Names of metrics: a prefix leaves the name and becomes a context.

    prefixes {"subset": {"train": "train_", "val": "val_"}}

    train_loss        ->  loss          {"subset": "train"}
    train_loss_step   ->  loss_step     {"subset": "train"}
    lr                ->  lr            {}

For each context key the first prefix that fits counts, and what it leaves goes to the next key; then the postfixes
likewise. A name that would be empty stays whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aim.sdk.adapters.session.options import NameOptions, Prefixes, WrongOption

SUBSETS: Prefixes = {"subset": {"train": "train_", "val": "val_", "test": "test_"}}
SLASHES: Prefixes = {
    "subset": {
        "train": ("train/", "training/"),
        "val": ("val/", "valid/", "validation/", "valid_", "validation_"),
        "test": ("test/",),
    }
}
Rule = tuple[str, list[tuple[Any, str]]]


class MetricNames:
    """
    The rule by which an adapter names metrics.

    Args:
        options: what the caller asked for.
        usual: the prefixes that are usual for the framework, where the caller says nothing.

    >>> names = MetricNames(NameOptions(context={"fold": 3}), SUBSETS)
    >>> names.split("train_loss"), names.split("lr")
    (('loss', {'fold': 3, 'subset': 'train'}), ('lr', {'fold': 3}))
    """

    def __init__(self, options: NameOptions, usual: Prefixes | None = None) -> None:
        prefixes = usual if options.context_prefixes is None else options.context_prefixes
        if isinstance(prefixes, str):
            if prefixes != "slash":
                raise WrongOption(f"context_prefixes is {prefixes!r}; it has to be a dict, or 'slash'.")
            prefixes = SLASHES
        is_split = options.metric_names == "split"
        self.context = dict(options.context)
        self._prefixes = _rules(prefixes) if is_split else []
        self._postfixes = _rules(options.context_postfixes) if is_split else []
        self._split: dict[str, tuple[str, dict[str, Any]]] = {}

    def split(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the name and the context of a metric. The dict is shared: copy it before a change."""
        split = self._split.get(name)
        if split is None:
            name_left, context = parted_name(name, self._prefixes, str.startswith, str.removeprefix)
            name_left, ending = parted_name(name_left, self._postfixes, str.endswith, str.removesuffix)
            split = self._split[name] = name_left, {**self.context, **context, **ending}
        return split


def parted_name(
    name: str, rules: Iterable[Rule], fits: Callable[[str, str], bool], cut: Callable[[str, str], str]
) -> tuple[str, dict[str, Any]]:
    """Return what *rules* leave of a name, and the context that they make of it."""
    context = {}
    for key, parts in rules:
        for value, part in parts:
            if len(name) > len(part) and fits(name, part):
                context[key] = value
                name = cut(name, part)
                break
    return name, context


def _rules(prefixes: Prefixes | None) -> list[Rule]:
    # a prefix of None or "" means that this value of the context is not used
    if prefixes is not None and not isinstance(prefixes, Mapping):
        raise WrongOption(f"context_prefixes and context_postfixes are dicts, not a {type(prefixes).__name__}.")
    rules: list[Rule] = []
    for key, values in (prefixes or {}).items():
        parts = []
        for value, texts in values.items():
            parts += [(value, text) for text in ((texts,) if isinstance(texts, str) else texts or ()) if text]
        rules.append((key, parts))
    return rules
