"""
All measurements: `python -m bench` lists them, `python -m bench record query` runs two, `python -m bench all` runs each
in turn, but for those that take gigabytes of disk, which have to be named.

Options after the name of one benchmark are its own: `python -m bench record --aim3 PYTHON --repeats 3`. Results are
stored in bench/results/.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
SHARED = {"__main__", "__init__", "report", "repository", "recording"}  # no benchmarks of their own

HUGE = {"longest_run"}


def names() -> list[str]:
    """List the benchmarks: the modules of this folder that have a `main`."""
    return sorted(
        path.stem for path in HERE.glob("*.py") if path.stem not in SHARED and "def main(" in path.read_text()
    )


def main(words: list[str]) -> int:
    """Run the benchmarks that *words* name."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the processes that are measured keep byte code, as everybody's do
    known = names()
    if not words:
        print("python -m bench all, or one or more of:", *known)
        return 0
    if words[0] in known and len(words) > 1 and words[1] not in known:
        importlib.import_module(f"bench.{words[0]}").main(words[1:])
        return 0
    wanted = [word for word in known if word not in HUGE] if words == ["all"] else words
    unknown = [word for word in wanted if word not in known]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(known)}.", file=sys.stderr)
        return 2
    for word in wanted:
        print(f"\n{word}\n")
        importlib.import_module(f"bench.{word}").main([])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
