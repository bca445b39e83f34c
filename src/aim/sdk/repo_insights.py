"""
`RepoInsights`: what many runs say together, the part of `Repo` that ranks and sums up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aim.sdk.repo_queries import RepoQueries

if TYPE_CHECKING:
    from aim.engine.best_runs import BestRun
    from aim.engine.group_comparison import GroupComparison
    from aim.engine.param_importance import ParamImportance


class RepoInsights(RepoQueries):
    """What many runs say together; see `Repo`."""

    def best(
        self,
        metric: str,
        query: str = "",
        *,
        largest: bool | None = None,
        limit: int = 10,
        columns: Sequence[str] = (),
    ) -> list[BestRun]:
        """
        Return the runs that match *query*, the best first, by the best value of a metric that each of them reached.

        Args:
            metric: `loss`, `loss[subset=val]`, or `val/loss` for short.
            largest: whether a larger value is better; None: not for losses and errors, else yes.
            limit: at most so many runs.
            columns: params and other columns for `cells`, such as `hparams.lr`.

        Returns:
            For each run `run_hash`, `name`, `status`, `value` at `step`, `last` and `cells`.

        Raises:
            UsageError: no run has such a metric, or it has several contexts.
            InvalidQuery: the query can't be understood; it is a SyntaxError.

        Cost: some milliseconds for thousands of runs, by columns; no points are read.

        >>> import tempfile
        >>> from aim import Repo, Run
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> for lr in (0.1, 0.01):
        ...     with Run(repo=repo, name=f"lr {lr}", system_tracking_interval=None) as run:
        ...         run.track(1 - lr, name="acc", context={"subset": "val"})
        >>> [(best.name, best.value) for best in repo.best("val/acc", limit=1)]
        [('lr 0.01', 0.99)]
        """
        from aim.engine.best_runs import best_runs

        ranking = best_runs(
            self.door.questions(), metric, query, is_largest=largest, limit=limit, columns=tuple(columns)
        )
        return ranking.runs

    def importance(self, metric: str, query: str = "", *, params: Sequence[str] | None = None) -> list[ParamImportance]:
        """
        Return how much a metric depends on each param in which the runs that match *query* differ, the most important
        first.

        Args:
            metric: as of `best`; the best value that each run reached counts.
            params: only these, such as `["hparams.lr"]`; None: all.

        Returns:
            For each param its `name`, `importance` (0 to 1: the share of the metric's spread, of ranks, that it
            explains by itself), `correlation` of ranks (None for what is no number), and `run_count`.

        Raises:
            UsageError: no run has such a metric or param.
            InvalidQuery: the query can't be understood; it is a SyntaxError.

        >>> import tempfile
        >>> from aim import Repo, Run
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> for number in range(8):
        ...     with Run(repo=repo, system_tracking_interval=None) as run:
        ...         run["hparams"] = {"lr": 0.1 ** (number % 4), "seed": number // 4}
        ...         run.track(number % 4 + number / 100, name="acc")
        >>> [(param.name, round(param.importance, 1)) for param in repo.importance("acc")]
        [('hparams.lr', 0.9), ('hparams.seed', 0.0)]
        """
        from aim.engine.param_importance import param_importance

        return param_importance(self.door.questions(), metric, query, params=params)

    def compare_groups(
        self,
        metric: str,
        a: str | Collection[str],
        b: str | Collection[str],
        *,
        value: str = "best",
        confidence: float = 0.95,
    ) -> GroupComparison:
        """
        Return by how much a metric differs between two groups of runs, with a confidence interval: Welch's t, or
        Student's t for pairs where each seed has one run in each of the groups.

        Args:
            metric: as of `best`.
            a, b: the groups: queries such as `run.optimizer == "adam"`, or hashes of runs.
            value: which value of each run counts: `last`, `min`, `max`, `mean` ...; `best` is `min` for losses and
                errors and `max` for other metrics.
            confidence: the probability that the interval holds the true difference.

        Returns:
            `difference` is the mean of *b* less the mean of *a*, `low` and `high` are the interval, `p` is of the test
            that there is no difference. `warnings` say what speaks against relying on them, such as fewer than three
            seeds; `explanation` says what was computed.

        Raises:
            UsageError: there is no such metric or value, a group has no run with it, or a run is in both groups.
            InvalidQuery: a query can't be understood; it is a SyntaxError.

        Cost: as `best`.

        >>> import tempfile
        >>> from aim import Repo, Run
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> for seed, (sgd, adam) in enumerate([(0.80, 0.84), (0.82, 0.85), (0.79, 0.84)]):
        ...     for name, accuracy in (("sgd", sgd), ("adam", adam)):
        ...         with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        ...             run["optimizer"], run["seed"] = name, seed
        ...             run.track(accuracy, name="acc")
        >>> comparison = repo.compare_groups("acc", "run.optimizer == 'sgd'", "run.optimizer == 'adam'")
        >>> comparison.method, [round(number, 3) for number in (comparison.difference, comparison.low, comparison.high)]
        ('paired', [0.04, 0.015, 0.065])
        >>> comparison.warnings
        ()
        """
        from aim.engine.group_comparison import compare_groups

        return compare_groups(self.door.questions(), metric, a, b, value=value, confidence=confidence)

    def digest(self, query: str = "", *, tokens: int = 2_000) -> str:
        """
        Return what one should know of the runs that match *query*, as a text for a reader with a budget: how they
        ended, in what they differ, which are best by each metric, why others failed, what looks wrong, and the shapes
        of curves. The same runs give the same text.

        Args:
            tokens: the text has at most so many tokens of a language model, 100 or more.

        Raises:
            InvalidQuery: the query can't be understood; it is a SyntaxError.

        Cost: some 10 us a run; and the points of up to 60 curves.

        >>> import tempfile
        >>> from aim import Repo
        >>> print(Repo(tempfile.mkdtemp(), init=True).digest())
        # Runs
        0 runs match no query: all that are not archived
        """
        from aim.engine.digest import digest

        return digest(self.door, query, tokens=tokens).text

    def show(self, query: str = "", *, height_px: int = 620, **settings: Any) -> Any:
        """
        Show the curves of the matching metrics below a cell of a notebook, live, without a port.

        Args:
            query: as in `query_metrics`; empty: all.
            height_px: the height of the cell.
            settings: how the curves are drawn, such as `color="run.hparams.lr"`; see `aim.notebook.metrics`.

        Returns:
            What the notebook shows: live while the kernel runs, a still picture in the saved notebook.

        Raises:
            UsageError: there is no such setting, or the repository is on a server.
            WidgetMissing: `pip install "aim[notebook]"`.
        """
        # It stands on the server, as users of the sdk do not: so it is asked for as they would ask for it.
        return import_module("aim.notebook").metrics(self, query, height_px=height_px, **settings)
