"""Paths of Aim 3 for files of sound."""
