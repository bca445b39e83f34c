"""
tests/sdk/test_run_edits.py over a server.
"""

from tests.door.served import over_http

globals().update(
    over_http(
        "tests.sdk.test_run_edits",
        without=(
            "test_deleted_points_stay_deleted_after_sealing",
            "test_a_step_that_is_tracked_again_is_shown",
        ),
    )
)
