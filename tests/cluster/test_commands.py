"""
`aim cluster init`, `check` and `status`, over a real ClickHouse and a real object store.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim import Run
from aim.storage.cluster import cluster_check, schema, schema_changes
from aim.storage.cluster.database import Database
from aim.storage.cluster.settings import read_settings
from aim.storage.store import Store
from tests.cli.schemas import call, check
from tests.cluster.running import RunningCluster, ship

DATABASE = "commands"


@pytest.fixture(name="toml")
def _toml(cluster: RunningCluster, tmp_path: Path) -> Path:
    """
    The file of settings of a database that no other test uses.
    """
    text = cluster.toml.read_text().replace("[objects]", f'database = "{DATABASE}{tmp_path.name[-8:]}"\n[objects]')
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    (tmp_path / "secret").write_text((cluster.toml.parent / "secret").read_text())
    return path


def changed(toml: Path, old: str, new: str) -> Path:
    """
    Return a file of settings with another value.
    """
    text = toml.read_text()
    assert old in text
    path = toml.with_name("changed.toml")
    path.write_text(text.replace(old, new, 1))
    return path


def wrong(toml: Path) -> dict[str, Any]:
    """
    Return the one finding of `aim cluster check` that is wrong.
    """
    printed = call("cluster", "check", str(toml), "--json")
    (finding,) = [line for line in check("aim cluster check", printed.out) if line["state"] == "wrong"]
    assert 1 == printed.code
    assert finding["mending"]
    return {name: finding[name] for name in ("check", "text", "mending")}


def test_init_makes_what_is_missing_and_then_changes_nothing(toml: Path) -> None:
    """
    The first call names all tables, the second none; `check` says so before and after.
    """
    before = wrong(toml)
    first = call("cluster", "init", str(toml), "--json")
    second = call("cluster", "init", str(toml), "--json")
    after = call("cluster", "check", str(toml), "--json")

    assert ("tables", "There are none.") == (before["check"], before["text"])
    assert "aim cluster init" in before["mending"]
    assert list(schema.TABLES) == check("aim cluster init", first.out)[0]["added"]
    assert [] == check("aim cluster init", second.out)[0]["added"]
    assert 0 == after.code, after
    assert {"ok"} == {line["state"] for line in check("aim cluster check", after.out) if line["check"] != "clock"}


def test_init_adds_the_columns_of_a_later_version(toml: Path) -> None:
    """
    A column that the tables lack is named by `check` and added by `init`.
    """
    call("cluster", "init", str(toml))
    database = Database(read_settings(toml))
    database.execute(f"ALTER TABLE {database.name}.facts_local DROP COLUMN deleted")
    database.execute(f"DROP TABLE {database.name}.leaves_local")
    before = wrong(toml)
    made = call("cluster", "init", str(toml), "--json")

    assert "Missing: facts.deleted, leaves." == before["text"]
    assert ["facts.deleted", "leaves"] == check("aim cluster init", made.out)[0]["added"]
    assert 0 == call("cluster", "check", str(toml)).code
    database.close()


def test_tables_of_a_later_format_are_refused(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `check` says to upgrade, and `init` changes nothing.
    """
    monkeypatch.setattr(schema, "FORMAT_NUMBER", 2)
    call("cluster", "init", str(toml))
    monkeypatch.undo()

    assert "Upgrade Aim" in wrong(toml)["mending"]
    assert (1, True) == ((refused := call("cluster", "init", str(toml))).code, "have format 2" in refused.err)


@pytest.mark.parametrize(
    ("old", "new", "subject", "text", "mending"),
    [
        ("127.0.0.11:", "127.0.0.12:", "server", "No ClickHouse server answers", "Start the server"),
        ("[objects]", 'user = "nobody"\n[objects]', "server", "refuses the user or the password", "password_file"),
        ("[objects]", 'cluster = "main"\n[objects]', "servers", "no cluster of this name", "remote_servers"),
        ('"secret"', '"other"', "objects", "It can't write", "secret_access_key_file"),
        ("http://127.0.0.1:", "http://127.0.0.12:", "objects", "It can't write", "endpoint"),
    ],
)
def test_check_says_what_is_wrong_and_how_to_mend_it(
    toml: Path, old: str, new: str, subject: str, text: str, mending: str
) -> None:
    """
    An address that does not answer, a wrong user, cluster and key are each named with what to do.
    """
    toml.with_name("other").write_text("not the secret")
    call("cluster", "init", str(toml))
    printed = call("cluster", "check", str(changed(toml, old, new)), "--json")
    by_check = {line["check"]: line for line in check("aim cluster check", printed.out) if line["state"] == "wrong"}

    assert 1 == printed.code
    assert text in by_check[subject]["text"]
    assert mending in by_check[subject]["mending"]


@pytest.mark.parametrize(
    ("error", "mending"),
    [
        ("NoSuchBucket: The specified bucket does not exist", "Make the bucket"),
        ("403 Forbidden: AccessDenied", "access_key_id"),
        ("error sending request", "Start the object store"),
    ],
)
def test_each_refusal_of_an_object_store_has_its_mending(error: str, mending: str) -> None:
    """
    A bucket that is missing, a key without rights and a store that is away need different things.
    """
    assert mending in cluster_check.objects_mending(error)


@pytest.mark.parametrize(
    ("skew_s", "state"), [(0.2, "ok"), (-0.9, "ok"), (3.0, "warning"), (-9.0, "warning"), (60.0, "wrong")]
)
def test_a_clock_that_differs_is_named(skew_s: float, state: str) -> None:
    """
    From a second on it is a warning, from ten seconds on it is wrong.
    """
    finding = cluster_check.clock("http://clickhouse:8123", skew_s)

    assert (state, state != "ok") == (finding.state, "NTP" in finding.mending)


@pytest.mark.parametrize(("version", "state"), [("26.7.2.1", "ok"), ("24.8.1.1", "ok"), ("23.3.1.1", "wrong")])
def test_a_server_that_is_too_old_is_named(version: str, state: str) -> None:
    """
    The oldest version is 24.8.
    """
    assert state == cluster_check.version("http://clickhouse:8123", version).state


def test_status_counts_what_is_there(cluster: RunningCluster, toml: Path, tmp_path: Path) -> None:
    """
    It has the projects, runs and points, the rows of each table, and one server; and it is readable without `--json`.
    """
    call("cluster", "init", str(toml))
    run = Run(repo=str(tmp_path), create=True, system_tracking_interval=None, capture_terminal_logs=False)
    for step in range(50):
        run.track(0.5, name="loss", step=step)
    run.close()
    other = RunningCluster.__new__(RunningCluster)
    other.database, other.objects = Database(read_settings(toml)), cluster.objects
    ship(Store(tmp_path / ".aim"), other.project("vision"))
    (status,) = check("aim cluster status", call("cluster", "status", str(toml), "--json").out)
    shown = call("cluster", "status", str(toml)).out
    other.database.close()

    assert (1, 1, 50) == tuple(status[name] for name in ("projects", "runs", "points"))
    assert 50 == {table["table"]: table["rows"] for table in status["tables"]}["points"]
    assert [1] == [shard["shard"] for shard in status["shards"]]
    assert status["latest_s"] < 600
    assert "1 project, 1 run, 50 points" in shown


def test_columns_are_read_from_the_statements() -> None:
    """
    Each table has its columns with types, without codecs and indexes.
    """
    columns = {name: dict(schema_changes.columns_of(table.columns)) for name, table in schema.TABLES.items()}

    assert "Enum8" == columns["leaves"]["kind"][:5]
    assert {"rid", "writer", "number", "step", "slot", "time", "value", "epoch"} == set(columns["points"])
