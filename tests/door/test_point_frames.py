"""
tests/sdk/test_point_frames.py over a server.
"""

from tests.door.served import over_http

globals().update(over_http("tests.sdk.test_point_frames"))
