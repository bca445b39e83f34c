"""
Adapters: what records the trainings of a framework by itself, one module for a framework.

    from aim.sdk.adapters.pytorch_lightning import AimLogger     also as  aim.pytorch_lightning

An adapter imports its framework, no other adapter, and the room `session`, which holds what all adapters share: the
run and who ends it, ranks, names and contexts, checkpoints, and that a failure of recording never ends a training.
"""
