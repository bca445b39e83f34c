"""
tests/sdk/test_run_tree.py over a server.
"""

from tests.door.served import over_http

globals().update(over_http("tests.sdk.test_run_tree"))
