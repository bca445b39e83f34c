"""
Where the steps of a training begin.
"""

from __future__ import annotations

from aim.sdk.adapters.session.run_session import RunSession


def restart(session: RunSession, first_step: int) -> None:
    """
    Begin a training at a step: what an earlier one recorded from there on is hidden, and stays in the history.

    So a second `fit` with the same callback, or one that goes on from a saved model, is one curve.
    """
    session.run()
    if first_step > 0 or session.last_step >= first_step:
        session.rewind(first_step - 1)
