"""
The ten questions of docs/guide/agents.md, asked through a real client:  python -m tests.docs.agents_page

Each answer is what the tool returns for the sweep of `tests/mcp/sweep.py`, with the tokens that a tokenizer counts.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from mcp import Client

from aim.engine.repository import Repository
from aim.mcp.serving import make_server
from tests.apart import apart
from tests.mcp.sweep import record_sweep
from tests.mcp.tokens import token_count
from tests.tidy.tree import ROOT

PAGE = ROOT / "docs/guide/agents.md"
BEGIN, END = "<!-- answers -->\n", "<!-- end of answers -->\n"
QUESTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("What became of the sweep?", "runs_digest", {"query": 'run.experiment == "digits"', "tokens": 700}),
    ("Which run is best?", "best_runs", {"metric": "val/accuracy", "limit": 3}),
    ("Which runs failed, and with which error?", "list_runs", {"query": 'run.status == "failed"', "columns": "error"}),
    ("Why did it fail?", "search_logs", {"run": "lr-0.3", "limit": 3}),
    ("When did lr-1 stop to compute numbers?", "read_curve", {"run": "lr-1", "metric": "val/loss", "points": 8}),
    ("Does lr-0.1 diverge?", "read_curve", {"run": "lr-0.1", "metric": "val/loss", "points": 12}),
    ("What differs between the best run and lr-0.1?", "compare_runs", {"runs": "lr-0.03, lr-0.1"}),
    (
        "Which learning rates reach 0.85?",
        "list_runs",
        {
            "query": 'metric.name == "accuracy" and metric.max > 0.85',
            "columns": "hparams.lr,accuracy[subset=val].max",
            "sort": "-accuracy[subset=val].max",
        },
    ),
    ("Are the GPUs busy?", "list_metrics", {"query": 'metric.name == "__system__gpu"'}),
    ("Why does my query match nothing?", "explain_query", {"query": "run.hparams.learning_rate > 0.01"}),
)


def answers(folder: Path) -> list[str]:
    """Return the answers for the sweep in *folder*, without what differs from one call to the next."""

    async def session() -> list[Any]:
        async with Client(make_server(Repository(folder), writes=False)) as client:
            return [await client.call_tool(tool, values) for _, tool, values in QUESTIONS]

    texts = ["\n".join(part.text for part in answer.content) for answer in apart(session())]
    return [re.sub(r"property,duration_s,.*\n", "", text) for text in texts]


def section(folder: Path) -> str:
    """Return the questions and answers as Markdown."""
    parts = [BEGIN]
    total = 0
    for number, ((question, tool, values), answer) in enumerate(zip(QUESTIONS, answers(folder), strict=True), start=1):
        call = ", ".join(f"{name}={json.dumps(value)}" for name, value in values.items())
        total += token_count(answer)
        parts.append(f"**{number}. {question}** {token_count(answer):,} tokens\n\n```\n{tool}({call})\n```\n\n")
        parts.append(f"```\n{answer}\n```\n\n")
    return "".join([*parts, f"All ten answers together have {total:,} tokens.\n", END])


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as made:
        record_sweep(Path(made))
        PAGE.write_text(text.partition(BEGIN)[0] + section(Path(made)) + text.partition(END)[2], encoding="utf-8")
