"""
tests/sdk/test_repo.py over a server.
"""

from tests.door.served import over_http

globals().update(
    over_http(
        "tests.sdk.test_repo",
        without=("test_contexts_keep_the_order_of_their_keys",),
    )
)
