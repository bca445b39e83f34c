"""
What records beside the training: printed lines, log records, system metrics, the environment.

Imports the standard library and light modules of the SDK; psutil and GPU libraries are imported
inside functions. Its failure never ends a training.
"""
