"""The types of sequences at the paths of Aim 3, and those of logs."""
