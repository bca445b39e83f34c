"""
tests/sdk/test_check_ins.py over a server.
"""

from tests.door.served import over_http

globals().update(over_http("tests.sdk.test_check_ins"))
