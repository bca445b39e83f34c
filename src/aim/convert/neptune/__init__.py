"""
Neptune: the folders of runs that ran offline with the client 1.x.
"""
