"""
One run as the catalogue keeps it, and as its file keeps it while only this run has changed.

    RunState  ->  fields_of                      the fields by name
    CatalogueRow  <->  to_json, from_json        a row of `changes` in the file
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aim.core import contexts, kinds, params
from aim.core.params import Path as ParamPath
from aim.core.summaries import Summary
from aim.storage.forms.gaps import sentence
from aim.storage.forms.state import RunState, SequenceState

FIELD_NAMES = (
    "hash",
    "name",
    "description",
    "experiment",
    "tags",
    "archived",
    "notes",
    "creation_time",
    "update_time",
    "end_time",
    "status",
    "error",
    "forked_from",
    "due_at",
    "losses",
    "lost_count",
    "lost_at",
    "sole_writer",
    "alerts",
    "progress",
    "rate",
    "done_at",
)

PairKey = tuple[str, str, str]
"""Name, text of the context, and kind as a query calls it."""


class KindNumbers:
    """
    The stored kinds of all sequences of a catalogue, each with a number.

    >>> kinds = KindNumbers(["float"])
    >>> kinds.number("list(aim.image)"), kinds.names
    (1, ['float', 'list(aim.image)'])
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def number(self, name: str) -> int:
        """Return the number of a stored kind."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
        return number


def pair_kind(stored_kind: str) -> str:
    """
    Return what a query calls sequences of a stored kind: the subject, or the type of objects that are no subject.

    >>> pair_kind("float"), pair_kind("list(aim.image)"), pair_kind("list(acme.mesh)")
    ('metric', 'images', 'acme.mesh')
    """
    subject = kinds.subject_of(stored_kind)
    if subject in kinds.QUERY_SUBJECTS:
        return subject
    element = stored_kind[5:-1] if stored_kind.startswith("list(") else stored_kind
    return stored_kind if kinds.is_number(element) else element


class CatalogueSequence(NamedTuple):
    """
    One sequence of one run.

    Attributes:
        summary: of the visible points.
        stored_kind: the number of its stored kind, such as `float` or `list(aim.image)`, in `KindNumbers`.
    """

    summary: Summary
    stored_kind: int


@dataclass
class CatalogueRow:
    """
    One run as the catalogue keeps it.

    Attributes:
        fields: by `FIELD_NAMES`; a field that the run does not have is missing. `sole_writer` is for reading points,
            see sole_writer.py; it may be missing too. `due_at` is there while a running run has promised a check-in;
            `losses`, `lost_count` and `lost_at` where the disk refused something.
        params: the leaves of the params, flattened.
        sequences: those that have points.
        contexts: by their text.
        is_open: a writer may still record.
        retraction_count: how often points were hidden or shown again.
    """

    run_hash: str
    fields: dict[str, object] = field(default_factory=dict)
    params: dict[ParamPath, object] = field(default_factory=dict)
    sequences: dict[PairKey, CatalogueSequence] = field(default_factory=dict)
    contexts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    is_open: bool = False
    retraction_count: int = 0


def leaves_of(tree: Any) -> dict[ParamPath, object]:
    """Return the leaves of the params of a run, by their paths."""
    leaves = dict(params.flatten(tree)) if isinstance(tree, dict) else {}
    # the fold changes lists in place
    return {path: copy.deepcopy(leaf) if isinstance(leaf, list) else leaf for path, leaf in leaves.items()}


def rows_of_sequences(
    sequences: Iterable[SequenceState],
    summarize: Callable[[SequenceState, str], Summary | None],
    kind_numbers: KindNumbers,
) -> tuple[dict[PairKey, CatalogueSequence], dict[str, Mapping[str, Any]]]:
    """
    Return the sequences that have points as a row keeps them, and their contexts.

    Args:
        summarize: returns the summary of a sequence of a stored kind; None: it has no visible points.
    """
    rows: dict[PairKey, CatalogueSequence] = {}
    contexts_by_text: dict[str, Mapping[str, Any]] = {}
    for sequence in sequences:
        if not sequence.parts:
            continue
        stored_kind = sequence.kind if len(sequence.parts) > 1 else sequence.parts[0].kind
        summary = summarize(sequence, stored_kind)
        if summary is not None:
            key = (sequence.name, sequence.text, pair_kind(stored_kind))
            rows[key] = CatalogueSequence(summary, kind_numbers.number(stored_kind))
            contexts_by_text[sequence.text] = sequence.context
    return rows, contexts_by_text


def fields_of(state: RunState) -> dict[str, object]:
    """Return a run's fields, by `FIELD_NAMES`."""
    status, end_s = state.status()
    properties = state.properties
    notes = properties.get("notes")
    if isinstance(notes, str):
        notes = [{"content": notes}]
    fields: dict[str, object] = {
        "hash": state.run_hash,
        "name": state.name,
        "description": properties.get("description"),
        "experiment": state.experiment,
        "tags": list(state.tags),
        "archived": bool(properties.get("archived", False)),
        "notes": notes or [],
        "creation_time": float(state.created_at_s),
        "update_time": float(state.latest_at_s or state.created_at_s),
        "status": status,
        "error": state.error(),
    }
    if end_s is not None:
        fields["end_time"] = float(end_s)
    elif state.check_in is not None and state.check_in.due_at_s is not None:
        fields["due_at"] = state.check_in.due_at_s
    if state.gaps:
        fields["losses"] = sentence(state.gaps)
        fields["lost_count"] = sum(gap.point_count + gap.line_count for gap in state.gaps)
        fields["lost_at"] = min(gap.from_s for gap in state.gaps)
    fields.update(_reported(state))
    if state.forked_from is not None:
        fields["forked_from"] = state.forked_from.run_hash
    return fields


def _reported(state: RunState) -> dict[str, object]:
    """Return what the training said of itself: alerts, and how far it is."""
    fields: dict[str, object] = {}
    if state.alerts:
        fields["alerts"] = [alert.as_json() for alert in state.alerts]
    progress = None if state.check_in is None else state.check_in.progress
    if progress is not None:
        fields["progress"] = round(progress.percent, 2)
        if progress.rate_per_s is not None:
            fields["rate"] = progress.rate_per_s
        if progress.done_at_s is not None and state.status()[1] is None:
            fields["done_at"] = progress.done_at_s
    return fields


# the form in which the snapshot keeps one changed run


def to_json(row: CatalogueRow, kind_numbers: KindNumbers) -> dict[str, Any]:
    """Return a run that is not open as JSON."""
    return {
        "hash": row.run_hash,
        "fields": params.encode(row.fields),
        "leaves": [[list(path), params.encode(leaf)] for path, leaf in row.params.items()],
        "sequences": [
            [
                name,
                text,
                kind,
                kind_numbers.names[sequence.stored_kind],
                {field: _number(value) for field, value in sequence.summary._asdict().items()},
            ]
            for (name, text, kind), sequence in row.sequences.items()
        ],
        "contexts": [params.encode(dict(context)) for context in row.contexts.values()],
    }


def from_json(form: Mapping[str, Any], kind_numbers: KindNumbers) -> CatalogueRow:
    """Return a run from what `to_json` returned. Raises ValueError, KeyError or TypeError."""
    own_contexts = [params.decode_in_order(context) for context in form["contexts"]]
    sequences = {}
    for name, text, kind, stored, summary in form["sequences"]:
        values: dict[str, Any] = {
            field: float(value) if isinstance(value, str) else value for field, value in summary.items()
        }
        sequences[(name, text, kind)] = CatalogueSequence(Summary(**values), kind_numbers.number(stored))
    return CatalogueRow(
        form["hash"],
        params.decode(form["fields"]),
        {tuple(path): params.decode(leaf) for path, leaf in form["leaves"]},
        sequences,
        {contexts.text(context): context for context in own_contexts},
    )


def _number(value: float) -> object:
    return value if isinstance(value, (bool, int)) or value - value == 0 else repr(value)
