"""
tests/sdk/test_run_history.py over a server.
"""

from tests.door.served import over_http

globals().update(
    over_http(
        "tests.sdk.test_run_history",
        without=(
            "test_an_ended_run_is_resumed_and_rewound",
            "test_a_live_run_is_forked_from_another_process",
            "test_no_point_is_hidden_at_full_speed",
        ),
    )
)
