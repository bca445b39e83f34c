"""
scikit-learn: what a fitted estimator is and how good it is, by a call or by itself.

    log_fit(run, estimator, X, y)      one estimator, into a run of yours
    autolog()                          a run for each `fit`, until `autolog(disable=True)`

    records                               as
    `get_params()` of the estimator       hparams, with its class
    its score on the data of the fit      score, {"subset": "train"}; accuracy, precision, recall, f1 of a classifier;
                                          r2, mae, rmse of a regressor
    a search, such as GridSearchCV        best_params, best_score, and the table cv_results
    importances or coefficients           the table feature_importance
    the estimator, with log_model         the artifact checkpoints/model.joblib, as joblib writes it

`autolog` replaces the `fit` of every estimator of scikit-learn by one that records after it; only the outermost `fit`
of a thread counts, so that a pipeline or a search is one run. It is undone by `autolog(disable=True)`.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aim.sdk.adapters.session.checkpoints import Checkpoints, record_model
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.options import AdapterOptions, NameOptions, SessionOptions, parted
from aim.sdk.adapters.session.run_session import RunSession

if TYPE_CHECKING:
    from typing_extensions import Unpack

sklearn: Any = framework("sklearn", "scikit-learn", "aim.sklearn")
ADAPTER = "aim.sklearn"
MODEL_FILE = "model.joblib"
TRAIN = {"subset": "train"}

_fits: dict[type, Callable[..., Any]] = {}  # the `fit` of each class as it was
_nesting = threading.local()


def log_fit(run: Any, estimator: Any, X: Any = None, y: Any = None, *, log_model: bool | str = False) -> None:
    """
    Record a fitted estimator.

    Args:
        run: an open run.
        estimator: that was fitted.
        X, y: the data that its scores are computed with; None: no scores.
        log_model: store the estimator.

    Cost: a prediction of *X*.
    """
    _record(RunSession(ADAPTER, SessionOptions(run=run), NameOptions()), estimator, X, y, log_model)


def autolog(
    repo: Any = None,
    experiment: str | None = None,
    system_tracking_interval: float | None = None,
    log_system_params: bool = True,
    capture_terminal_logs: bool | str = False,
    *,
    log_model: bool | str = False,
    disable: bool = False,
    **options: Unpack[AdapterOptions],
) -> None:
    """
    Record each `fit` of an estimator of scikit-learn as a run, from now on.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_model: store each estimator.
        disable: put everything back as it was.
        options: those of every adapter; with `run=` all fits are recorded into that run.
    """
    _put_back()
    if disable:
        return
    arguments = (repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs)
    parted(ADAPTER, *arguments, options)  # an argument that is wrong is an error now, not in a training

    def session() -> RunSession:
        return RunSession(ADAPTER, *parted(ADAPTER, *arguments, options))

    for _, kind in framework("sklearn.utils", "scikit-learn", ADAPTER).all_estimators():
        owner: Any = next((parent for parent in kind.__mro__ if "fit" in vars(parent)), None)  # of a search its parent
        if owner is not None and owner not in _fits:
            _fits[owner] = owner.fit
            owner.fit = _recorded(owner.fit, session, log_model)


def _put_back() -> None:
    for kind, fit in _fits.items():
        kind.fit = fit  # type: ignore[attr-defined]
    _fits.clear()


def _recorded(fit: Callable[..., Any], session_of: Callable[[], RunSession], log_model: bool | str) -> Any:
    @functools.wraps(fit)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(_nesting, "is_fitting", False):
            return fit(self, *args, **kwargs)
        _nesting.is_fitting = True
        session = session_of()
        try:
            return fit(self, *args, **kwargs)
        finally:
            error = sys.exc_info()[1]
            X, y = data_of(args, kwargs)
            session.failures.guarded(lambda: _record(session, self, X, y, log_model, error), type(self).__name__)
            session.failures.guarded(lambda: session.close(error), "the end of the run")
            _nesting.is_fitting = False

    return recorded


def data_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, Any]:
    """
    Return the samples and the labels of a call of `fit`; None for what it was not given.

    >>> data_of(([1], [2]), {}), data_of(([1],), {"y": [2]}), data_of((), {"y": [2]})
    (([1], [2]), ([1], [2]), (None, [2]))
    """
    X = args[0] if args else kwargs.get("X")
    return X, args[1] if len(args) > 1 else kwargs.get("y")


def _record(
    session: RunSession, estimator: Any, X: Any, y: Any, log_model: bool | str, error: BaseException | None = None
) -> None:
    session.run()
    session.set_params("hparams", {"class": type(estimator).__name__, **estimator.get_params(deep=True)})
    if error is not None:
        return
    if X is not None:
        session.failures.guarded(lambda: session.track(scores(estimator, X, y), context=TRAIN), "the scores")
    session.failures.guarded(lambda: _record_search(session, estimator), "the search")
    session.failures.guarded(lambda: _record_importance(session, estimator), "the importances")
    joblib = framework("joblib", "joblib", ADAPTER)
    record_model(Checkpoints(session, log_model), lambda path: joblib.dump(estimator, path), MODEL_FILE)


def scores(estimator: Any, X: Any, y: Any) -> dict[str, float]:
    """Return how good an estimator is on data, by the name of the measure."""
    values: dict[str, float] = {}
    if hasattr(estimator, "score"):
        values["score"] = float(estimator.score(X, y) if y is not None else estimator.score(X))
    if y is None or not hasattr(estimator, "predict"):
        return values
    metrics = framework("sklearn.metrics", "scikit-learn", ADAPTER)
    base = framework("sklearn.base", "scikit-learn", ADAPTER)
    guesses = estimator.predict(X)
    if base.is_classifier(estimator):
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            y, guesses, average="weighted", zero_division=0
        )
        values |= {"accuracy": metrics.accuracy_score(y, guesses), "precision": precision, "recall": recall, "f1": f1}
    elif base.is_regressor(estimator):
        values |= {
            "r2": metrics.r2_score(y, guesses),
            "mae": metrics.mean_absolute_error(y, guesses),
            "rmse": metrics.mean_squared_error(y, guesses) ** 0.5,
        }
    return {name: float(value) for name, value in values.items()}


def _record_search(session: RunSession, estimator: Any) -> None:
    from aim.core.configs import text_of
    from aim.sdk.objects.table import Table

    results = getattr(estimator, "cv_results_", None)
    if not isinstance(results, dict):
        return
    session.set_params("best_params", getattr(estimator, "best_params_", None))
    session.set_params("best_score", getattr(estimator, "best_score_", None))
    columns = {
        name: [text_of(cell) for cell in cells] if name.startswith("param") else list(cells)
        for name, cells in results.items()
    }
    session.track({"cv_results": Table(columns)}, step=0)


def _record_importance(session: RunSession, estimator: Any) -> None:
    from aim.sdk.objects.table import Table

    inner = getattr(estimator, "best_estimator_", estimator)
    importances = getattr(inner, "feature_importances_", None)
    if importances is None:
        importances = getattr(inner, "coef_", None)
    if importances is None:
        return
    values = importances.reshape(-1, importances.shape[-1]) if importances.ndim else importances.reshape(1, 1)
    names = list(getattr(inner, "feature_names_in_", range(values.shape[-1])))
    kinds = ["importance"] if len(values) == 1 else [f"class_{index}" for index in range(len(values))]
    rows = [[str(name), *map(float, column)] for name, column in zip(names, values.T)]
    session.track({"feature_importance": Table(rows, columns=["feature", *kinds])}, step=0)
