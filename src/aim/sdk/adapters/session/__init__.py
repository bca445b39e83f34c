"""
What all adapters share.

    frameworks.py     the framework that an adapter needs, or an error that names the package
    options.py        the arguments that every adapter takes
    metric_names.py   a prefix leaves the name and becomes a context
    ranks.py          which process of a training records
    beginning.py      a new run, or one that is resumed by its hash
    run_session.py    the run of an adapter: made when it is first used, resumed, failed, closed
    failures.py       a failure of recording is logged once, and the training goes on
    scalars.py        the values of one step as numbers
    checkpoints.py    `log_model`: checkpoints as artifacts
    steps.py          where the steps of a training begin
    boosters.py       what is recorded of a boosted model at the end
    keras_hooks.py    the hooks of Keras, for its versions and tuners
    holder.py         `experiment`, `setup` and `close`, the members that all adapters have; safe hooks
"""
