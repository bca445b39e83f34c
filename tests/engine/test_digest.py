"""
Digests: what they say, that they say it again, and that the budget holds with a real tokenizer.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aim import Repo
from aim.engine.curve_shape import curve_shape
from aim.engine.digest import digest
from aim.engine.repository import Repository
from aim.engine.token_budget import BudgetSection, text_within, token_bound
from tests.mcp.sweep import record_sweep
from tests.mcp.tokens import token_count


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a repository with a sweep."""
    folder = tmp_path_factory.mktemp("digest")
    record_sweep(folder)
    return folder


def test_a_digest_says_what_matters(folder: Path) -> None:
    """
    States, what differs, the best, why others failed, what looks wrong, and the shape of curves.
    """
    text = Repo(str(folder)).digest(tokens=3000)

    assert "status: finished x5, failed x1" in text
    assert "hparams.lr: 0.003 x1, 0.01 x1" in text
    assert re.search(r"accuracy\[subset=val\] \(largest\): 0\.\d+ @199 2e5a7d3c lr-0.03 lr=0.03", text)
    assert "4e5a7d3c lr-0.3 failed: OutOfMemory\n" in text
    assert "  | CUDA error: out of memory" in text
    assert "lr-1: NaN or infinite from step 90 on" in text
    assert "lr-0.1: diverged from step" in text
    assert "# Curves" in text


@pytest.mark.parametrize("tokens", [100, 200, 500, 1000, 2000, 8000])
def test_the_budget_holds_and_is_used(folder: Path, tokens: int) -> None:
    """
    A real tokenizer counts no more than asked; and of a small budget more than a quarter is used.
    """
    text = digest(Repository(folder), tokens=tokens).text

    count = token_count(text)
    assert count <= tokens
    assert tokens > 1000 or count > tokens / 4


def test_the_same_runs_give_the_same_text(folder: Path) -> None:
    """
    Another process that opens the repository later says the same, word for word.
    """
    assert digest(Repository(folder)).text == digest(Repository(folder)).text


WORDS = st.sampled_from(["loss", "accuracy[subset=val]", "hparams.optimizer.name", "large-0.03-1", "AdamW", "1e-05"])
NAMES = st.one_of(
    WORDS,
    st.text(alphabet="0123456789abcdef", min_size=8, max_size=24),
    st.text(alphabet="損失関数学習率ロスАбвгдеéüñ🙂", min_size=1, max_size=12),
    st.floats().map(str),
    st.integers().map(str),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(NAMES, max_size=40))
def test_no_text_of_names_and_numbers_has_more_tokens_than_its_bound(names: list[str]) -> None:
    """
    Of metrics, hashes, numbers and names in any script the bound is at least what a tokenizer counts.
    """
    text = ", ".join(names)

    assert token_count(text) <= token_bound(text)


def test_the_first_lines_of_all_sections_come_before_more_of_one() -> None:
    """
    With little room each section has its title and a line; what is left out is counted.
    """
    sections = [BudgetSection(title, [f"{title} line {number}" for number in range(50)], 1) for title in ("one", "two")]

    text = text_within(sections, 60)

    assert ["one", "one line 0", "two", "two line 0"] == [
        line for line in text.splitlines() if line.strip() in ("one", "two") or line.endswith(" 0")
    ]
    assert text.count("more") == 2


def test_a_shape_has_extremes_plateau_and_jumps() -> None:
    """
    A curve that falls, stays and leaps once is told in four numbers and a plateau.
    """
    steps = np.arange(400)
    values = np.where(steps < 100, 2.0 - steps / 50, 0.0)
    values[300] = 5.0

    shape = curve_shape(steps, values)

    assert (0.0, 5.0, 300) == (shape.min, shape.max, shape.max_step)
    assert [(300, 0.0, 5.0), (301, 5.0, 0.0)] == shape.jumps
    assert shape.plateau_step is not None
    assert 80 <= shape.plateau_step <= 112


def test_a_curve_of_nan_has_a_shape() -> None:
    """
    Nothing but NaN is counted, and nothing fails.
    """
    shape = curve_shape(np.arange(3), np.full(3, np.nan))

    assert (3, 3, "") == (shape.point_count, shape.nan_count, shape.bars)
