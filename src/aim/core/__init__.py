"""The vocabulary of the tracker: errors, numbers, contexts, params and time. Nothing here does I/O."""
