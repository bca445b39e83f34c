"""
A repository on a server: the door to it over HTTP.

Modules here are imported inside functions: a training that records into a folder loads nothing of HTTP.
"""
