"""
What a notebook shows of runs, sequences, collections and objects: HTML without scripts, and nothing fetched.
"""
