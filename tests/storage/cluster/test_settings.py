"""
`cluster.toml`: what it says, and what is wrong with it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import UsageError
from aim.storage.cluster.settings import read_settings

WHOLE = """[clickhouse]
addresses = ["http://a:8123", "https://b:8443/"]
database = "runs"
user = "aim"
password_file = "password"
cluster = "main"
[objects]
address = "s3://bucket/team/"
endpoint = "http://minio:9000"
region = "eu"
access_key_id = "key"
secret_access_key_file = "secret"
[server]
runs_in_memory = 5000
"""
SMALL = '[clickhouse]\naddresses = ["http://a:8123"]\n[objects]\naddress = "s3://bucket"\n'


def test_a_file_says_where_the_cluster_is(tmp_path: Path) -> None:
    """
    Addresses, names and secrets come from the file and from the files that it names.
    """
    (tmp_path / "cluster.toml").write_text(WHOLE)
    (tmp_path / "password").write_text("hush\n")
    (tmp_path / "secret").write_text("hush too\n")
    settings = read_settings(tmp_path / "cluster.toml")

    assert ("http://a:8123", "https://b:8443") == settings.addresses
    assert ("runs", "aim", "hush", "main") == (
        settings.database,
        settings.user,
        settings.password,
        settings.cluster,
    )
    assert ("s3://bucket/team", 5_000) == (settings.objects.address, settings.runs_in_memory)
    assert {
        "endpoint": "http://minio:9000",
        "region": "eu",
        "access_key_id": "key",
        "secret_access_key": "hush too",
        "allow_http": "true",
    } == settings.objects.options
    assert "hush" not in repr(settings)


def test_what_is_left_out_has_a_usual_value(tmp_path: Path) -> None:
    """
    Two addresses are enough, and the password may be in the environment.
    """
    (tmp_path / "cluster.toml").write_text(SMALL)
    settings = read_settings(tmp_path / "cluster.toml", {"AIM_CLICKHOUSE_PASSWORD": "hush"})

    assert ("aim", "default", "hush", "") == (
        settings.database,
        settings.user,
        settings.password,
        settings.cluster,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[clickhouse", "is no TOML"),
        ("[clickhouse]\n", "needs addresses|has no"),
        (SMALL.replace("[objects]", "[object]"), r"has no \[objects\]"),
        (SMALL.replace("addresses", "servers"), "has no 'servers'"),
        (SMALL.replace('["http://a:8123"]', '"http://a:8123"'), "must be of type list"),
        (SMALL.replace("http://a:8123", "a:8123"), "is no address of ClickHouse"),
        (SMALL.replace("http://a:8123", "http://me:pw@a:8123"), "have keys of their own"),
        (SMALL.replace('address = "s3://bucket"', ""), "needs an address"),
        (SMALL + 'secret_access_key_file = "nothing"\n', "Can't read 'nothing'"),
        (SMALL + "[server]\nruns_in_memory = 0\n", "must be 1 or more"),
        (SMALL + "[server]\nruns_in_memory = true\n", "must be of type int"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    """
    The error names the file and the key, and says what is expected.
    """
    (tmp_path / "cluster.toml").write_text(text)

    with pytest.raises(UsageError, match=message):
        read_settings(tmp_path / "cluster.toml")
