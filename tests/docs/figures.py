"""
The figures of the README, taken from what the benchmarks have stored.

    python -m tests.docs.figures        writes the section of README.md anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
HEADING, NEXT_HEADING = "## Figures\n", "## Work on it\n"
DIGITS = 2


def stored(name: str) -> dict[str, Any]:
    """Return what a benchmark has stored."""
    results: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return results


def rounded(value: float) -> str:
    """
    Return a number with two digits that count.

    >>> rounded(0.6213), rounded(901.7), rounded(34.9), rounded(1.17)
    ('0.62', '900', '35', '1.2')
    """
    return f"{float(f'{value:.{DIGITS}g}'):f}".rstrip("0").rstrip(".")


def ratio(ours: float, theirs: float) -> str:
    """
    Return how many times smaller ours is.

    >>> ratio(1.17, 901.7)
    '770 x'
    """
    return f"{rounded(theirs / ours)} x"


def rows() -> list[tuple[str, str, str, str]]:
    """Return what is measured, ours, theirs, and the ratio."""
    record = stored("record")["figures"]
    ours, theirs = record["aim"], record["aim3"]
    pages = stored("ui")["compared"]
    charts = {name: pages[name]["first 9 charts"]["s"] for name in ("ours", "Aim 3.29.1")}

    def compared(name: str, key: str, unit: str, scale: float = 1.0) -> tuple[str, str, str, str]:
        mine, other = ours[key] * scale, theirs[key] * scale
        return name, f"{rounded(mine)} {unit}", f"{rounded(other)} {unit}", ratio(mine, other)

    sizes = f"{rounded(ours['bytes_live'])}, {rounded(ours['bytes_sealed'])}"
    return [
        compared("`track()`, median", "track_all_p50_ns", "us", 1e-3),
        compared("import, `Run()` and the first point", "run_to_first_point_ms", "ms"),
        ("16 processes into a new repository", *compared("", "processes_16_s", "s")[1:3], ""),
        compared("reading a metric of 100,000 points", "read_100k_ms", "ms"),
        ("bytes a point, live and sealed", sizes, rounded(theirs["bytes_live"]), ""),
        (
            "the pages, 100 runs: to the first nine charts",
            f"{rounded(charts['ours'])} s",
            f"{rounded(charts['Aim 3.29.1'])} s",
            ratio(charts["ours"], charts["Aim 3.29.1"]),
        ),
    ]


def section() -> str:
    """Return the section of the README."""
    cores = stored("record")["machine"]["cores"]
    count = "two" if cores == 2 else str(cores)
    lines = [
        HEADING,
        f"On {count} shared cores; `make bench` measures all of it ([results](bench/results)).",
        "",
        "| | Aim 4 | Aim 3.29.1 | |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {mine} | {other} | {times} |".replace("|  |", "| |") for name, mine, other, times in rows()),
        "",
        *queries(),
        "",
        "",
    ]
    return "\n".join(lines)


def queries() -> list[str]:
    """Return what is said of queries and of long runs."""
    asked = stored("catalogue")["sizes"]["100000"]
    medians = [figure["median_ms"] for name, figure in asked.items() if name in QUERIES]
    said = [f"Queries over 100,000 runs of 50 params take {rounded(min(medians))} to {rounded(max(medians))} ms."]
    if (RESULTS / "longest_run.json").exists():
        longest = stored("longest_run")["figures"]
        said.append(
            f"A run of 10^8 points is sealed with {rounded(longest['seal MiB'])} MiB of memory, and zoomed in "
            f"{rounded(longest['zoom ms'])} ms."
        )
    return said


QUERIES = ("run: everything", "run: one run", "run: selective", "metric: selective", "metric: by summary")


def with_figures(readme: str) -> str:
    """Return the README with the section as it is now."""
    before, _, rest = readme.partition(HEADING)
    _, _, after = rest.partition(NEXT_HEADING)
    return before + section() + NEXT_HEADING + after


def main() -> None:
    """Write the section."""
    path = ROOT / "README.md"
    path.write_text(with_figures(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
