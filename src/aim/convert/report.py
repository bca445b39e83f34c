"""
What an import did: of each run, of each source, of all.

    read = imported + merged + not imported, and each reason is a line

As text for people, as JSON for programs; the counts of a run are kept with it, and shown on its page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aim.convert.events import SourceDamage
from aim.core.words import counted

IMPORTED, UNCHANGED, REFUSED = STATES = ("imported", "unchanged", "refused")
OK, NOTHING_IMPORTED, LOSSES = 0, 1, 3
"""Exit codes; 2 is a wrong call."""
SINGULAR = {f"{word}s": word for word in ("artifact", "epoch", "file", "fraction", "line", "point", "record", "value")}
DAMAGE_MAX = 20  # lines of the text; the JSON has all
RENAMED_MAX = 200


@dataclass
class Counts:
    """
    What came of the records of a run, or of several.

    Attributes:
        points, system_points, objects, log_lines, params, tags, notes, files: what was imported.
        merged: points of a step that was logged again; the earlier values are in the history of the metric.
        renumbered, apart, left_out, refused: by reason.
        damage: parts of files that can't be read.
    """

    points: int = 0
    system_points: int = 0
    objects: int = 0
    log_lines: int = 0
    params: int = 0
    tags: int = 0
    notes: int = 0
    files: int = 0
    merged: int = 0
    renumbered: Counter[str] = field(default_factory=Counter)
    apart: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    damage: list[SourceDamage] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Add the counts of another run."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.renumbered += other.renumbered
        self.left_out += other.left_out
        self.refused += other.refused
        self.apart += other.apart
        self.damage += other.damage

    @property
    def has_losses(self) -> bool:
        """Whether something that should have been imported was not."""
        return bool(self.refused or self.damage)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON; what is 0 or empty is left out."""
        counts: dict[str, Any] = {name: getattr(self, name) for name in NUMBERS if getattr(self, name)}
        for name in ("renumbered", "left_out", "refused"):
            if getattr(self, name):
                counts[name] = dict(getattr(self, name))
        if self.apart:
            counts["apart"] = self.apart
        if self.damage:
            counts["damage"] = [damage._asdict() for damage in self.damage]
        return counts


NUMBERS = ("points", "system_points", "objects", "log_lines", "params", "tags", "notes", "files", "merged")


@dataclass
class RunReport:
    """
    One run of a source.

    Attributes:
        title: for people: its path in the source, or its name there.
        run_hash: here.
        state: `imported`, `unchanged` or `refused`.
        reason: why it was refused.
        renamed: old name and context, new name and context, of the series that changed.
        is_verified: whether the points were read back and compared; None: the run was not written.
    """

    title: str
    run_hash: str
    state: str
    reason: str = ""
    counts: Counts = field(default_factory=Counts)
    renamed: list[tuple[str, str, str, str]] = field(default_factory=list)
    is_verified: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        fields: dict[str, Any] = {"title": self.title, "run": self.run_hash, "state": self.state}
        if self.reason:
            fields["reason"] = self.reason
        if self.renamed:
            fields["renamed"] = [[[old, old_in], [new, new_in]] for old, old_in, new, new_in in self.renamed]
        if self.is_verified is not None:
            fields["verified"] = self.is_verified
        return {**fields, **self.counts.to_json()}


@dataclass
class SourceReport:
    """
    The runs of one source.

    Attributes:
        beside: counts of files that hold no run.
    """

    format: str
    title: str
    path: str
    runs: list[RunReport] = field(default_factory=list)
    beside: Counts = field(default_factory=Counts)

    def counts(self) -> Counts:
        """Return the counts of all runs together, and of what is beside them."""
        total = Counts()
        total.add(self.beside)
        for run in self.runs:
            total.add(run.counts)
        return total

    def count_of(self, state: str) -> int:
        """Return how many runs are in a state."""
        return sum(run.state == state for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        runs = [run.to_json() for run in self.runs]
        beside = self.beside.to_json()
        fields = {"format": self.format, "title": self.title, "path": self.path, "runs": runs}
        return {**fields, "beside": beside} if beside else fields


class Report:
    """
    What an import did.

    Attributes:
        sources: one report for each source.
        is_dry_run: whether nothing was written.
    """

    def __init__(self, *, is_dry_run: bool = False) -> None:
        self.sources: list[SourceReport] = []
        self.is_dry_run = is_dry_run

    @property
    def runs(self) -> list[RunReport]:
        """The runs of all sources."""
        return [run for source in self.sources for run in source.runs]

    def counts(self) -> Counts:
        """Return the counts of all runs together."""
        total = Counts()
        for source in self.sources:
            total.add(source.counts())
        return total

    @property
    def points(self) -> int:
        """How many points of metrics were imported."""
        return self.counts().points

    @property
    def objects(self) -> int:
        """How many objects were imported."""
        return self.counts().objects

    @property
    def reasons(self) -> dict[str, int]:
        """What was not imported, or not as it was: how many records by reason."""
        counts = self.counts()
        merged = {"same step logged again": counts.merged} if counts.merged else {}
        return {**merged, **counts.renumbered, **counts.left_out, **counts.refused}

    @property
    def damage(self) -> list[SourceDamage]:
        """The parts of files that can't be read."""
        return self.counts().damage

    @property
    def exit_code(self) -> int:
        """0: all came over; 3: something was lost to damage, or refused; 1: no run could be imported."""
        if self.runs and all(run.state == REFUSED for run in self.runs):
            return NOTHING_IMPORTED
        is_incomplete = any(run.state == REFUSED or run.is_verified is False for run in self.runs)
        return LOSSES if is_incomplete or self.counts().has_losses else OK

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "written": not self.is_dry_run,
            "exit_code": self.exit_code,
            "sources": [source.to_json() for source in self.sources],
        }

    def text(self) -> str:
        """Return the report for people."""
        lines: list[str] = []
        for source in self.sources:
            lines += source_lines(source, with_names=self.is_dry_run)
        lines.append(_verified(self.runs))
        if self.is_dry_run:
            lines.append("nothing was written: this is what an import would do")
        return "\n".join(line for line in lines if line)

    __str__ = text


def source_lines(source: SourceReport, *, with_names: bool = False) -> list[str]:
    """Return the lines of one source; *with_names*: and what each series is called."""
    counts = source.counts()
    states = "   ".join(f"{source.count_of(state):,} {state}" for state in STATES)
    merged = f"   {counts.merged:,} merged (same step logged again)" if counts.merged else ""
    lines = [
        f"read    {source.title}  {source.path}    {counted(len(source.runs), 'run')}",
        f" runs      {states}",
        f" points    {counts.points:,} imported{merged}",
        *_objects(counts),
        f" params    {counts.params:,}   tags {counts.tags:,}   notes {counts.notes:,}   log lines {counts.log_lines:,}"
        f"   system points {counts.system_points:,}   files {counts.files:,}",
    ]
    lines += _reasons("renumbered", counts.renumbered)
    lines += [f" full name {name}: another series has the short one" for name in dict.fromkeys(counts.apart)]
    lines += _reasons("left out", counts.left_out)
    lines += _reasons("lost", counts.refused)
    lines += [f" refused   {run.title}: {run.reason}" for run in source.runs if run.state == REFUSED]
    lines += _damage(counts.damage)
    return lines + (_renamed(source.runs) if with_names else [])


def _objects(counts: Counts) -> list[str]:
    return [f" objects   {counts.objects:,} imported"] if counts.objects else []


def _reasons(label: str, reasons: Mapping[str, int]) -> list[str]:
    return [f" {label:<9} {reason_text(count, reason)}" for reason, count in sorted(reasons.items())]


def reason_text(count: int, reason: str) -> str:
    """
    Return a count with its reason, whose first word may be of several.

    >>> reason_text(1, "artifacts (--artifacts copy brings them)"), reason_text(2000, "points without a step")
    ('1 artifact (--artifacts copy brings them)', '2,000 points without a step')
    """
    first, space, others = reason.partition(" ")
    return f"{count:,} {SINGULAR.get(first, first) if count == 1 else first}{space}{others}"


def _damage(damage: list[SourceDamage]) -> list[str]:
    lines = []
    for path, offset, reason in damage[:DAMAGE_MAX]:
        at = "" if offset is None else f" at byte {offset:,}"
        lines.append(f" damage    {path}{at}: {reason}")
    if len(damage) > DAMAGE_MAX:
        lines.append(f" damage    and {len(damage) - DAMAGE_MAX:,} more; --report FILE.json has all")
    return lines


def _renamed(runs: Iterable[RunReport]) -> list[str]:
    pairs = dict.fromkeys(pair for run in runs for pair in run.renamed)
    lines = [f" name      {old} {old_in}  ->  {new} {new_in}" for old, old_in, new, new_in in list(pairs)[:RENAMED_MAX]]
    if len(pairs) > RENAMED_MAX:
        lines.append(f" name      and {len(pairs) - RENAMED_MAX:,} more")
    return lines


def _verified(runs: list[RunReport]) -> str:
    checked = [run for run in runs if run.is_verified is not None]
    if not checked:
        return ""
    differing = [run.run_hash for run in checked if not run.is_verified]
    points = sum(run.counts.points + run.counts.system_points + run.counts.merged for run in checked)
    if differing:
        return f"verify: {counted(len(differing), 'run')} read back DIFFER from the source: {', '.join(differing[:5])}"
    return f"verify: {counted(points, 'point')} read back from the repository and compared: equal"
